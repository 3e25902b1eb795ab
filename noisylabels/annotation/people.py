"""People of a project: their roles, the links that let them in, and the cookies that keep them in."""

import hashlib
import re
import secrets

from noisylabels.annotation.project import Person, Project, now
from noisylabels.data.errors import InputError

ROLES = ("owner", "annotator", "expert", "rater")
PAGES = {"owner": ("correct",), "annotator": ("correct",), "expert": ("boxes",), "rater": ("rate",)}
NAME = re.compile(r"[\w.@-]{1,64}")


def add_person(project: Project, name: str, role: str, party: str = "") -> Person:
    """Add somebody to the project, or find them if they are there in the same role.

    Args:
        project: An open project.
        name: 1 to 64 letters, digits or `_ . @ -`.
        role: "owner", "annotator", "expert" or "rater".
        party: The group of an expert or the subset of a rater.

    Raises:
        InputError: If the name or role is not one, or the person has another role already.
    """
    if not NAME.fullmatch(name):
        msg = f"A name must be 1 to 64 letters, digits or _ . @ -, got {name!r}. Choose another."
        raise InputError(msg)
    if role not in ROLES:
        msg = f"A role must be one of {', '.join(ROLES)}, got {role!r}. Choose one of these."
        raise InputError(msg)
    with project.writing() as connection:
        connection.execute(
            "INSERT INTO person (name, role, party) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING", (name, role, party)
        )
    person = person_of(project, name)
    if (person.role, person.party) != (role, party):
        msg = (
            f"A person must have one role and group, got {role} {party} for {name}, who is {person.role} "
            f"{person.party}. Use another name: whoever rates must not see what others see."
        )
        raise InputError(msg)
    return person


def person_of(project: Project, name: str) -> Person:
    """Find somebody by name.

    Raises:
        InputError: If there is nobody of this name.
    """
    row = project.row("SELECT * FROM person WHERE name = ?", name)
    if row is None:
        known = ", ".join(person.name for person in people_of(project))
        msg = f"A person must be one of {known}, got {name!r}. Invite them first: noisylabels annotate invite."
        raise InputError(msg)
    return Person(row["id"], row["name"], row["role"], row["party"])


def people_of(project: Project, role: str | None = None) -> list[Person]:
    """List the people, or those of one role."""
    rows = project.rows("SELECT * FROM person WHERE role = coalesce(?, role) ORDER BY id", role)
    return [Person(row["id"], row["name"], row["role"], row["party"]) for row in rows]


def owner_of(project: Project) -> Person:
    """Find the owner."""
    return people_of(project, "owner")[0]


def invite(project: Project, person: Person) -> str:
    """Make a token that lets a person in once. Only its hash is kept."""
    token = secrets.token_urlsafe(24)
    with project.writing() as connection:
        connection.execute("INSERT INTO link VALUES (?, ?, ?, NULL)", (_hash(token), person.id, now()))
    return token


def enter(project: Project, token: str) -> str | None:
    """Spend a link's token.

    Returns:
        A cookie for the person it was made for; None if it is unknown or spent.
    """
    with project.writing() as connection:
        spent = connection.execute(
            "UPDATE link SET spent = ? WHERE hash = ? AND spent IS NULL RETURNING person", (now(), _hash(token))
        ).fetchone()
    return None if spent is None else visit(project, spent["person"])


def visit(project: Project, person: int) -> str:
    """Make a cookie for a person; it stays good when the server restarts. Only its hash is kept."""
    cookie = secrets.token_urlsafe(32)
    with project.writing() as connection:
        connection.execute("INSERT INTO visit VALUES (?, ?, ?)", (_hash(cookie), person, now()))
    return cookie


def visitor(project: Project, cookie: str) -> Person | None:
    """Tell whose cookie it is; None if nobody's."""
    row = project.row(
        "SELECT person.* FROM visit JOIN person ON person.id = visit.person WHERE hash = ?", _hash(cookie)
    )
    return None if row is None else Person(row["id"], row["name"], row["role"], row["party"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()

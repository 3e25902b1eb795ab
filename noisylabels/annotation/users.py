"""People of a project: their names and their roles."""

import unicodedata

from noisylabels.annotation.project import Person, Project
from noisylabels.data.errors import InputError

ROLES = ("owner", "annotator", "expert", "rater")
PAGES = {"owner": ("correct",), "annotator": ("correct",), "expert": ("boxes",), "rater": ("rate",)}
LONGEST_NAME = 64


def check_name(name: str) -> str:
    """Check that a person's name can stand in a file name, a table and a page; any script may write it.

    Returns:
        The name in Unicode's composed form (NFC).

    Raises:
        InputError: If it is empty, longer than 64 characters, or holds anything but letters, digits, single spaces and
            `_ . @ - '`, or begins or ends with a space or a dot.

    Examples:
        >>> check_name("Zoë Müller"), check_name("李雷")
        ('Zoë Müller', '李雷')
        >>> check_name("../x")
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A name must be 1 to 64 letters, digits, spaces or _ . @ - ', \
and begin with a letter or digit, got '../x'. Choose another.
    """
    composed = unicodedata.normalize("NFC", name)
    kinds = [unicodedata.category(letter)[0] for letter in composed]
    known = all(kind in "LMN" or letter in " _.@-'" for letter, kind in zip(composed, kinds, strict=True))
    whole = composed == composed.strip(" .") and "  " not in composed and ".." not in composed
    if not (known and whole and 1 <= len(composed) <= LONGEST_NAME and kinds[0] in "LN"):
        msg = (
            f"A name must be 1 to {LONGEST_NAME} letters, digits, spaces or _ . @ - ', and begin with a letter or "
            f"digit, got {name!r}. Choose another."
        )
        raise InputError(msg)
    return composed


def add_person(project: Project, name: str, role: str, party: str = "") -> Person:
    """Add somebody to the project, or find them if they are there in the same role.

    Args:
        project: An open project.
        name: As `check_name` allows.
        role: "owner", "annotator", "expert" or "rater".
        party: The group of an expert or the subset of a rater.

    Raises:
        InputError: If the name or role is not one, or the person has another role already.
    """
    name = check_name(name)
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
    row = project.row("SELECT * FROM person WHERE name = ?", unicodedata.normalize("NFC", name))
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

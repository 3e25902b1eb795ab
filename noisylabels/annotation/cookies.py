"""Links that let a person in once, and cookies that keep them in. Of both only hashes are kept."""

import secrets
import sqlite3

from noisylabels.annotation.project import Person, Project, now
from noisylabels.data.hashes import hash_bytes


def invite(project: Project, person: Person) -> str:
    """Make the token of a link that lets a person in once."""
    token = secrets.token_urlsafe(24)
    with project.writing() as connection:
        connection.execute("INSERT INTO link VALUES (?, ?, ?, NULL)", (_hash(token), person.id, now()))
    return token


def invited(project: Project, token: str) -> Person | None:
    """Return whom a link's token lets in, without spending it; None if it is unknown or spent."""
    return _person(
        project.row(
            "SELECT person.*, spent FROM link JOIN person ON person.id = link.person WHERE hash = ? AND spent IS NULL",
            _hash(token),
        )
    )


def spend_link(project: Project, token: str) -> str | None:
    """Spend a link's token.

    Returns:
        A cookie for the person it was made for; None if it is unknown or spent.
    """
    with project.writing() as connection:
        spent = connection.execute(
            "UPDATE link SET spent = ? WHERE hash = ? AND spent IS NULL RETURNING person", (now(), _hash(token))
        ).fetchone()
    return None if spent is None else make_cookie(project, spent["person"])


def make_cookie(project: Project, person: int) -> str:
    """Make a cookie for a person; it stays good when the server restarts."""
    cookie = secrets.token_urlsafe(32)
    with project.writing() as connection:
        connection.execute("INSERT INTO cookie VALUES (?, ?, ?)", (_hash(cookie), person, now()))
    return cookie


def person_of_cookie(project: Project, cookie: str) -> Person | None:
    """Return whose cookie it is; None if nobody's."""
    return _person(
        project.row(
            "SELECT person.* FROM cookie JOIN person ON person.id = cookie.person WHERE hash = ?", _hash(cookie)
        )
    )


def end_cookie(project: Project, cookie: str) -> None:
    """Log out: the cookie is nobody's from now on."""
    with project.writing() as connection:
        connection.execute("DELETE FROM cookie WHERE hash = ?", (_hash(cookie),))


def revoke(project: Project, person: Person, by: str) -> tuple[int, int]:
    """End all cookies of a person and all links that they have not opened yet.

    Args:
        project: An open project.
        person: Who shall be out.
        by: Who does it, for the log.

    Returns:
        The number of cookies and of links.
    """
    with project.writing() as connection:
        n_cookies = connection.execute("DELETE FROM cookie WHERE person = ?", (person.id,)).rowcount
        n_links = connection.execute("DELETE FROM link WHERE person = ? AND spent IS NULL", (person.id,)).rowcount
        project.log(by, "revoked", whose=person.name, cookies=n_cookies, links=n_links)
    return n_cookies, n_links


def _person(row: sqlite3.Row | None) -> Person | None:
    return None if row is None else Person(row["id"], row["name"], row["role"], row["party"])


def _hash(token: str) -> str:
    return hash_bytes(token.encode(errors="replace"))

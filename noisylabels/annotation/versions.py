"""Versions of networks: all weights that a bundle ever had in a project, and which are in use. Nothing is forgotten."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from noisylabels.annotation.project import Project, insert, now
from noisylabels.annotation.retraining import Score
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_file


@dataclass(frozen=True)
class Version:
    """Weights that a bundle had.

    Args:
        bundle: Name of the bundle in this project.
        version: From 1, in the order they came.
        in_use: Whether they are what predicts now.
        sha256: Hash of the file.
        created: When they came, UTC.
        person: Who took them into use last; None if nobody did.
        job: The training that made them; None for weights that were given.
        n_fields: Accepted fields they learnt from; None if given.
        score: What the training found; None if it is not known.
        present: Whether the file is there, unchanged.
    """

    bundle: str
    version: int
    in_use: bool
    sha256: str
    created: str
    person: str | None
    job: str | None
    n_fields: int | None
    score: Score | None
    present: bool


def give_weights(project: Project, checkpoints: Mapping[str, Path], person: str) -> None:
    """Register weights that a server was started with; new ones are taken into use, known ones change nothing."""
    for bundle, path in checkpoints.items():
        sha256 = hash_file(path)
        known = project.row("SELECT id FROM network WHERE bundle = ? AND sha256 = ?", bundle, sha256)
        if known is None:
            use_version(project, bundle, add_version(project, bundle, path, sha256), person)


def add_version(
    project: Project,
    bundle: str,
    path: Path,
    sha256: str,
    *,
    job: str | None = None,
    n_fields: int | None = None,
    score: Score | None = None,
) -> int:
    """Register weights without taking them into use.

    Returns:
        Their version.
    """
    with project.writing() as connection:
        version = 1 + int(project.value("SELECT coalesce(max(version), 0) FROM network WHERE bundle = ?", bundle))
        insert(
            connection,
            "network",
            bundle=bundle,
            version=version,
            path=str(path),
            sha256=sha256,
            created=now(),
            job=project.value("SELECT id FROM job WHERE token = ?", job),
            n_fields=n_fields,
            score=None if score is None else json.dumps(asdict(score)),
        )
    return version


def use_version(project: Project, bundle: str, version: int, person: str) -> None:
    """Put weights into use.

    Raises:
        InputError: If there is no such version, or its file is gone or changed.
    """
    row = project.row("SELECT * FROM network WHERE bundle = ? AND version = ?", bundle, version)
    if row is None:
        msg = f"A version must be one of the list, got {version} of {bundle!r}. Load the list again."
        raise InputError(msg)
    if not _is_present(row):
        msg = (
            f"The weights of {bundle} {version} must be where they were, but the file is gone or changed. Put it back."
        )
        raise InputError(msg)
    with project.writing() as connection:
        insert(connection, "network_use", network=row["id"], person=person, created=now())


def weights_in_use(project: Project) -> dict[str, Path]:
    """List the weights that predict, by bundle; those whose file is gone are left out."""
    rows = project.rows(f"{VERSIONS} WHERE network.id IN ({IN_USE})")
    return {row["bundle"]: Path(row["path"]) for row in rows if Path(row["path"]).is_file()}


def versions_of(project: Project) -> list[Version]:
    """List all versions of all networks, newest first."""
    used = {row[0] for row in project.rows(IN_USE)}
    return [
        Version(
            row["bundle"],
            row["version"],
            row["id"] in used,
            row["sha256"],
            row["created"],
            row["person"],
            row["token"],
            row["n_fields"],
            None if row["score"] is None else Score(**json.loads(row["score"])),
            _is_present(row),
        )
        for row in project.rows(f"{VERSIONS} ORDER BY network.id DESC")
    ]


IN_USE = (
    "SELECT network FROM network_use WHERE id IN (SELECT max(network_use.id) FROM network_use "
    "JOIN network ON network.id = network_use.network GROUP BY bundle)"
)
VERSIONS = (
    "SELECT network.*, job.token, (SELECT person FROM network_use WHERE network_use.network = network.id "
    "ORDER BY id DESC LIMIT 1) AS person FROM network LEFT JOIN job ON job.id = network.job"
)


def _is_present(row: sqlite3.Row) -> bool:
    path = Path(row["path"])
    return path.is_file() and hash_file(path) == row["sha256"]

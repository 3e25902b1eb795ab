"""Imports: files of outlines, drawn elsewhere, become revisions of the fields that they are named after."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noisylabels.annotation.fields import classes_of
from noisylabels.annotation.project import Person, Project
from noisylabels.annotation.session import Session
from noisylabels.data.errors import InputError
from noisylabels.data.outlines import fill_outlines, read_outlines

SUFFIXES = (".zip", ".geojson", ".json")


@dataclass(frozen=True)
class Imported:
    """What was imported, and what could not be.

    Args:
        fields: Names of the fields that have a new revision.
        left_out: Why a file was left out, by its name.
    """

    fields: tuple[str, ...]
    left_out: dict[str, str]


def import_outlines(project: Project, person: Person, files: Sequence[Path], *, accept: bool = False) -> Imported:
    """Draw files of outlines into the fields that they are named after, as a person's corrections.

    A file is what `annotate export --format roi` or `--format geojson` writes, perhaps changed in Fiji or QuPath:
    `<field>.zip` or `<field>.geojson`. What it draws replaces the map; the one before is
    kept, and undo goes back to it.

    Args:
        project: An open project.
        person: Whose corrections they become.
        files: The files.
        accept: Accept the fields too, so that they count.

    Returns:
        What was imported; a file whose field is unknown, or that cannot be read, is left out by name.

    Raises:
        InputError: If there is no file, or two are of one field: nothing is imported then.
    """
    _check_names(files)
    session, done, left_out = Session(project, person), [], {}
    for path in files:
        try:
            _draw(session, path, accept)
        except (InputError, OSError) as error:
            left_out[path.name] = str(error)
        else:
            done.append(path.stem)
    project.log(person.name, "outlines imported", fields=done, accepted=accept)
    return Imported(tuple(done), left_out)


def _draw(session: Session, path: Path, accept: bool) -> None:
    if path.suffix.lower() not in SUFFIXES:
        msg = f"A file of outlines must end in {', '.join(SUFFIXES)}, got {path.name}. Export it as ROIs or GeoJSON."
        raise InputError(msg)
    outlines = read_outlines(path.read_bytes())
    known = session.project.row(
        "SELECT row_max - row_min AS n, column_max - column_min AS m FROM field WHERE name = ?", path.stem
    )
    if known is None:
        msg = f"A file of outlines must be named after a field of the project, got {path.name}. Rename it."
        raise InputError(msg)
    drawn = fill_outlines(outlines, (known["n"], known["m"]), classes_of(session.project))
    token = session.open(path.stem)
    head = session.commit(token, drawn, parent=session.head(token).revision, tool="import", origin="outlines")
    if accept:
        session.close(token, "accepted", revision=head.revision)


def _check_names(files: Sequence[Path]) -> None:
    if not files:
        msg = "Files of outlines must be named, got none. Give the .zip or .geojson files, one a field."
        raise InputError(msg)
    names = [path.stem for path in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"There must be one file a field, got several of {', '.join(twice[:5])}. Choose one of each."
        raise InputError(msg)

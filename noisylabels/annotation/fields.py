"""Fields of a project: which there are, their images, and the label maps a person can start from."""

import functools
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisylabels.annotation.project import Project, now
from noisylabels.annotation.project_files import create_project_file
from noisylabels.annotation.users import check_name
from noisylabels.data.dataset import Dataset, open_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_bytes, hash_file
from noisylabels.data.images import read_label_map
from noisylabels.data.labels import IGNORE_INDEX, ClassTable, LabelMap
from noisylabels.data.quarters import Window, cut_in_quarters
from noisylabels.data.wells import find_well

BLANK = "blank"


class DatasetMovedError(InputError):
    """The dataset folder is not where it was when the project was made."""


@dataclass(frozen=True)
class Field:
    """A field of view, or a quarter of one.

    Args:
        id: Row of the project file.
        name: Unique in the project.
        case_id: The case of the dataset folder it is, or is cut from.
        parent: The name of the field it was cut from; None for a whole field.
        window: Its half-open box in the image of the case.
        image_sha256: Hash of the image file when the project was made.
        plate: The plate that its name tells; "" for none.
        well: The well that its name tells; "" for none.
    """

    id: int
    name: str
    case_id: str
    parent: str | None
    window: Window
    image_sha256: str = ""
    plate: str = ""
    well: str = ""

    @property
    def rows(self) -> int:
        """Number of pixel rows."""
        return self.window.row_max - self.window.row_min

    @property
    def columns(self) -> int:
        """Number of pixel columns."""
        return self.window.column_max - self.window.column_min


def create_project(
    path: str | Path, dataset_folder: str | Path, *, quarters: bool = False, seed: int = 0, owner: str = "owner"
) -> None:
    """Make a project file for the fields of a dataset folder.

    The images and label maps stay where they are; the project remembers the folder.

    Args:
        path: The new project file.
        dataset_folder: A dataset folder.
        quarters: Cut every field in four (the paper's MDL unit).
        seed: Decides the random order, the random stratum and the hidden repeats.
        owner: Name of the person who runs the server.

    Raises:
        InputError: If the file exists, the dataset folder is not one, or the owner's name is none.
        FileNotFoundError: If the folder or an image is missing.
    """
    owner = check_name(owner)
    dataset = open_dataset(Path(dataset_folder).resolve())
    hashes = {case.id: hash_file(dataset.image_path(case.id)) for case in dataset.cases}
    windows: list[tuple[str, str | None, str, Window]] = [
        (case.id, None, case.id, _window_of(dataset, case.id)) for case in dataset.cases
    ]
    if quarters:
        windows = [
            (f"{name}_q{number}", name, case, quarter)
            for name, _, case, window in windows
            for number, quarter in enumerate(cut_in_quarters(window), start=1)
        ]
    settings: dict[str, object] = {
        "dataset": str(dataset.folder),
        "classes": list(dataset.classes),
        "channels": list(dataset.channel_names),
        "pixel_size_um": dataset.pixel_size_um,
        "seed": seed,
        "created": now(),
        "queue": {"strategy": "order", "start": BLANK, "random_share": 0.1, "repeat_share": 0.1},
    }

    def fill(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO field (name, case_id, parent, plate, well, image_sha256, row_min, column_min, row_max, "
            "column_max, lot) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (name, case, parent, *find_well(case), hashes[case], *window, lot(seed, "field", name))
                for name, parent, case, window in windows
            ],
        )
        connection.execute("INSERT INTO person (name, role) VALUES (?, 'owner')", (owner,))

    create_project_file(path, settings, fill)


def lot(seed: int, *words: object) -> float:
    """Draw a number for something by its name: the same seed and name give the same number.

    Returns:
        A number in [0, 1), uniform over names.

    Examples:
        >>> lot(0, "field", "B07") == lot(0, "field", "B07") != lot(1, "field", "B07")
        True
    """
    digest = hash_bytes("/".join(map(str, (seed, *words))).encode())
    return int(digest[:12], 16) / 2**48


def classes_of(project: Project) -> ClassTable:
    """Read the class table of a project."""
    return ClassTable(tuple(project.setting("classes")))


def dataset_of(project: Project) -> Dataset:
    """Open the dataset folder of a project.

    Raises:
        DatasetMovedError: If it is not where it was when the project was made.
    """
    folder = Path(project.setting("dataset"))
    listings = (folder / "dataset.json", folder / "datalist.json")
    if not all(path.is_file() for path in listings):
        msg = (
            f"The dataset folder of {project.path.name} must be where it was, but it was moved or is not mounted. "
            f"Put it back, or on the server: noisylabels annotate relink {project.path.name} NEW_FOLDER."
        )
        raise DatasetMovedError(msg)
    return _open_once(folder, tuple(path.stat().st_mtime_ns for path in listings))


def relink(project: Project, folder: str | Path) -> list[str]:
    """Record that the dataset folder of a project lies elsewhere now.

    Args:
        project: An open project.
        folder: Where it lies; it must list every case of the project.

    Returns:
        The ids of cases whose image is missing there, or another than when the project was made.

    Raises:
        InputError: If it is no dataset folder, or has other cases or classes.
    """
    dataset = open_dataset(Path(folder).resolve())
    fields = {field.case_id: field for field in fields_of(project)}
    strangers = sorted(set(fields) - set(dataset.ids()))
    if strangers or list(dataset.classes) != project.setting("classes"):
        lacking = f"none of {', '.join(strangers[:5])}" if strangers else f"the classes {', '.join(dataset.classes)}"
        msg = f"{folder} must have the cases and classes of {project.path.name}, got {lacking}. Name its own folder."
        raise InputError(msg)
    with project.writing() as connection:
        connection.execute("UPDATE setting SET value = ? WHERE name = 'dataset'", (json.dumps(str(dataset.folder)),))
        project.log("", "relinked", folder=str(dataset.folder))
    paths = {case_id: dataset.image_path(case_id) for case_id in fields}
    return sorted(
        case_id
        for case_id, path in paths.items()
        if not path.is_file() or hash_file(path) != fields[case_id].image_sha256
    )


def starts_of(project: Project) -> list[str]:
    """List what a correction can start from: the label sets of the dataset folder, and "blank"."""
    return [*dataset_of(project).label_names(), BLANK]


def field_of(project: Project, field: int) -> Field:
    """Read one field by its row."""
    row = project.row("SELECT * FROM field WHERE id = ?", field)
    if row is None:
        raise KeyError(field)
    return _field(row)


def find_field(project: Project, name: str) -> Field:
    """Read one field by its name.

    Raises:
        InputError: If the project has none of this name.
    """
    row = project.row("SELECT * FROM field WHERE name = ?", name)
    if row is None:
        msg = f"A field must be one of the project's, got {name!r}. See the list of fields."
        raise InputError(msg)
    return _field(row)


def fields_of(project: Project) -> list[Field]:
    """Read all fields, in the order of the dataset."""
    return [_field(row) for row in project.rows("SELECT * FROM field ORDER BY id")]


def start_map(project: Project, field: Field, start: str) -> tuple[LabelMap, str]:
    """Read the label map that a correction starts from.

    Args:
        project: An open project.
        field: One of its fields.
        start: A label set of the dataset folder, or "blank".

    Returns:
        (row, column) uint8, and its origin as the revision records it: "blank", or the label set's name with the
        hash of the network that made it where the dataset folder tells ("cdl:3f2a...").

    Raises:
        InputError: If there is no such label set, or the map does not fit the field or has a class that the project
            does not have.
        FileNotFoundError: If this field has no map in that set.
    """
    if start == BLANK:
        return np.zeros((field.rows, field.columns), np.uint8), BLANK
    dataset = dataset_of(project)
    dataset.require_labels(start)
    path = dataset.label_path(start, field.case_id)
    window = read_label_map(path, classes_of(project), ignore_index=IGNORE_INDEX)[field.window.slices]
    if window.shape != (field.rows, field.columns):
        msg = f"{path} must have the size of its image, got another. Make it anew."
        raise InputError(msg)
    made_by = dataset.provenance.get("labels", {}).get(start, {})
    checkpoint = made_by.get("checkpoint_sha256") if isinstance(made_by, dict) else None
    return np.ascontiguousarray(window), f"{start}:{checkpoint}" if checkpoint else start


def check_names(project: Project, names: Sequence[str]) -> None:
    """Check that all names are fields of the project.

    Raises:
        InputError: Naming every stranger.
    """
    known = {row["name"] for row in project.rows("SELECT name FROM field")}
    strangers = sorted(set(names) - known)
    if strangers:
        msg = (
            f"Fields must be of the project, got strangers: {', '.join(strangers[:5])} ({len(strangers)} "
            "in all). Check the names."
        )
        raise InputError(msg)


def _field(row: sqlite3.Row) -> Field:
    window = Window(row["row_min"], row["column_min"], row["row_max"], row["column_max"])
    about = (row["image_sha256"], row["plate"] or "", row["well"] or "")
    return Field(row["id"], row["name"], row["case_id"], row["parent"], window, *about)


def _window_of(dataset: Dataset, case_id: str) -> Window:
    rows, columns = _size_of_file(dataset.image_path(case_id))
    return Window(0, 0, rows, columns)


@functools.lru_cache(maxsize=2)
def _open_once(folder: Path, changed_ns: tuple[int, ...]) -> Dataset:  # noqa: ARG001 (a key of the cache)
    return open_dataset(folder)


def _size_of_file(path: Path) -> tuple[int, int]:
    """Read the size of an image in pixels, (rows, columns), from the header alone where it is a TIFF."""
    from noisylabels.data.images import TIFF, read_image

    if not path.name.lower().endswith(TIFF) or not path.is_file():
        return read_image(path).shape[-2:]
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        return page.imagelength, page.imagewidth

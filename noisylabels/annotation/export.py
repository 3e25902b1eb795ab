"""Export: accepted corrections become a dataset folder, or files of label maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisylabels.annotation.fields import Field, dataset_of, field_of
from noisylabels.annotation.images import read_planes
from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import read_revision
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import LabelMap

LABEL_NAME = "corrected"
FORMATS = ("dataset", "tiff", "nifti", "ome-zarr")


@dataclass(frozen=True)
class Accepted:
    """A correction that a person accepted.

    Args:
        field: Whose it is.
        person: Who accepted it.
        task: Row of the task.
        revision: Row of the revision.
        stratum: "random" or "queue".
        start: What the person began from.
    """

    field: Field
    person: str
    task: int
    revision: int
    stratum: str
    start: str


def accepted(project: Project) -> list[Accepted]:
    """List the newest accepted correction of every field; hidden repeats are left out."""
    rows = project.rows(
        "SELECT field, person.name AS person, task.id AS task, closed_at, stratum, start FROM task "
        "JOIN task_now ON task_now.task = task.id JOIN person ON person.id = person "
        "WHERE state = 'accepted' AND repeats IS NULL ORDER BY closed"
    )
    newest = {row["field"]: row for row in rows}
    return [
        Accepted(field_of(project, field), row["person"], row["task"], row["closed_at"], row["stratum"], row["start"])
        for field, row in sorted(newest.items())
    ]


def accepted_or_refuse(project: Project) -> list[Accepted]:
    """List the newest accepted correction of every field.

    Raises:
        InputError: If there is none.
    """
    done = accepted(project)
    if not done:
        msg = f"{project.path} must have accepted corrections to export, got none. Accept some in the browser first."
        raise InputError(msg)
    return done


def export_dataset(project: Project, folder: str | Path, *, hold_out_random: bool = False) -> int:
    """Write what was accepted as a dataset folder, which `noisylabels train mdl --label_name corrected` learns from.

    Quarters become images of their own; quarters of one field, and fields of one group of the original dataset, share
    a group, so that no split cuts them.

    Args:
        project: An open project.
        folder: The new dataset folder.
        hold_out_random: Put groups with a field of the random stratum into the test list, so that they measure the
            screen and not the queue's taste; else all are listed for training and the training splits them.

    Returns:
        The number of fields.

    Raises:
        InputError: If nothing was accepted, or the folder has a dataset already.
    """
    target = Path(folder)
    done = accepted_or_refuse(project)
    if (target / "dataset.json").exists():
        msg = f"{target} must be a new dataset folder, but it has a dataset.json. Choose another."
        raise InputError(msg)
    dataset = dataset_of(project)
    groups = {item.field.id: dataset.case(item.field.case_id).group for item in done}
    held = {groups[item.field.id] for item in done if item.stratum == "random"} if hold_out_random else set()
    for item in done:
        write_image(
            target / "images" / f"{item.field.name}.ome.tif",
            read_planes(project, item.field),
            channel_names=dataset.channel_names,
            pixel_size_um=dataset.pixel_size_um,
        )
        write_label_map(target / "labels" / LABEL_NAME / f"{item.field.name}.tif", _map(project, item))
    cases = tuple(
        Case(
            item.field.name,
            groups[item.field.id],
            "test" if groups[item.field.id] in held else "training",
            f"images/{item.field.name}.ome.tif",
        )
        for item in done
    )
    about = {"made_by": "noisylabels annotate export", "from": dict(dataset.provenance), "fields": _provenance(done)}
    write_dataset(
        Dataset(target, dataset.classes, dataset.channel_names, dataset.pixel_size_um, cases, about),
        label_name=LABEL_NAME,
    )
    return len(done)


def export_label_maps(project: Project, folder: str | Path, suffix: str) -> int:
    """Write what was accepted as label-map files alone.

    Args:
        project: An open project.
        folder: Where.
        suffix: ".tif" or ".nii.gz".

    Returns:
        The number of files.
    """
    done = accepted_or_refuse(project)
    for item in done:
        write_label_map(Path(folder) / f"{item.field.name}{suffix}", _map(project, item))
    return len(done)


def _map(project: Project, item: Accepted) -> LabelMap:
    return read_revision(project, item.task, item.revision)


def _provenance(done: Sequence[Accepted]) -> dict[str, dict[str, Any]]:
    return {
        item.field.name: {
            "person": item.person,
            "revision": item.revision,
            "stratum": item.stratum,
            "start": item.start,
            "parent": item.field.parent,
        }
        for item in done
    }

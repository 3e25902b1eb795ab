"""Export: accepted corrections become a dataset folder, or files of label maps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisylabels.annotation.fields import Field, classes_of, dataset_of, field_of
from noisylabels.annotation.images import Planes, read_planes
from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import read_revision
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.errors import InputError
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.label_files import LabelFormat, write_label_files
from noisylabels.data.labels import LabelMap

LABEL_NAME = "corrected"
FORMATS = ("dataset", "tiff", "nifti", "ome-zarr", "roi", "geojson", "instances")


@dataclass(frozen=True)
class Accepted:
    """A correction that a person accepted.

    Args:
        field: Whose it is.
        person: Who accepted it.
        task: Row of the task.
        revision: Row of the revision.
        stratum: "random" if the field was ever drawn at random, else "queue".
        start: What the person began from.
        comment: What the person said when accepting it.
    """

    field: Field
    person: str
    task: int
    revision: int
    stratum: str
    start: str
    comment: str


@dataclass(frozen=True)
class Exported:
    """What was written, and what could not be.

    Args:
        n_fields: Fields written.
        left_out: Why a field was left out, by its name.
    """

    n_fields: int
    left_out: dict[str, str]


def accepted(project: Project) -> list[Accepted]:
    """List the newest accepted correction of every field; hidden repeats are left out."""
    rows = project.rows(
        "SELECT accepted_now.field, person.name AS person, task_now.task, revision, start, "
        "(SELECT comment FROM closing WHERE closing.id = task_now.closing) AS comment, "
        "EXISTS (SELECT 1 FROM task t WHERE t.field = accepted_now.field AND t.stratum = 'random') AS random "
        "FROM accepted_now JOIN task_now ON task_now.task = accepted_now.task JOIN task ON task.id = task_now.task "
        "JOIN person ON person.id = accepted_now.person "
        "ORDER BY accepted_now.field"
    )
    return [
        Accepted(
            field_of(project, row["field"]),
            row["person"],
            row["task"],
            row["revision"],
            "random" if row["random"] else "queue",
            row["start"],
            row["comment"],
        )
        for row in rows
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


def export_dataset(project: Project, folder: str | Path, *, hold_out_random: bool = False) -> Exported:
    """Write what was accepted as a dataset folder, which `noisylabels train mdl --label_name corrected` learns from.

    Quarters become images of their own; quarters of one field, and fields of one group of the original dataset, share
    a group, so that no split cuts them.

    Args:
        project: An open project.
        folder: The new dataset folder.
        hold_out_random: Put groups with a field of the random stratum into the test list, so that they measure the
            screen and not the queue's taste; else all are listed for training and the training splits them.

    Returns:
        What was written; a field whose image is missing, damaged or another than it was is left out, by name.

    Raises:
        InputError: If nothing was accepted, no image can be read, or the folder has a dataset already.
    """
    target = Path(folder)
    done = accepted_or_refuse(project)
    if (target / "dataset.json").exists():
        msg = f"{target} must be a new dataset folder, but it has a dataset.json. Choose another."
        raise InputError(msg)
    dataset = dataset_of(project)
    groups = {item.field.id: dataset.case(item.field.case_id).group for item in done}
    held = {groups[item.field.id] for item in done if item.stratum == "random"} if hold_out_random else set()
    written, left_out = [], {}
    for item in done:
        try:
            planes = read_planes(project, item.field)
        except (InputError, OSError) as error:
            left_out[item.field.name] = str(error)
            continue
        _write_field(project, target, item, planes)
        written.append(item)
    if not written:
        msg = f"An export must have an image of at least one field, got none: {next(iter(left_out.values()))}"
        raise InputError(msg)
    cases = tuple(
        Case(
            item.field.name,
            groups[item.field.id],
            "test" if groups[item.field.id] in held else "training",
            f"images/{item.field.name}.ome.tif",
        )
        for item in written
    )
    about = {"made_by": "noisylabels annotate export", "from": dict(dataset.provenance), "fields": _provenance(written)}
    write_dataset(
        Dataset(target, dataset.classes, dataset.channel_names, dataset.pixel_size_um, cases, about),
        label_name=LABEL_NAME,
    )
    return Exported(len(written), left_out)


def _write_field(project: Project, target: Path, item: Accepted, planes: Planes) -> None:
    dataset = dataset_of(project)
    write_image(
        target / "images" / f"{item.field.name}.ome.tif",
        planes,
        channel_names=dataset.channel_names,
        pixel_size_um=dataset.pixel_size_um,
    )
    write_label_map(target / "labels" / LABEL_NAME / f"{item.field.name}.tif", _map(project, item))


def export_files(project: Project, folder: str | Path, form: LabelFormat) -> Exported:
    """Write what was accepted as files of label maps alone, named after their fields.

    Args:
        project: An open project.
        folder: Where.
        form: "tiff", "nifti", "roi" (ImageJ's ROIs), "geojson" (QuPath) or "instances".

    Returns:
        What was written.
    """
    done = accepted_or_refuse(project)
    for item in done:
        write_label_files(folder, item.field.name, _map(project, item), classes_of(project), form=form)
    return Exported(len(done), {})


def read_accepted(project: Project) -> Iterator[tuple[str, Planes, LabelMap]]:
    """Read what was accepted: the name of each field, its image (channel, row, column) and its label map.

    Raises:
        InputError: If nothing was accepted, or an image cannot be read.
    """
    for item in accepted_or_refuse(project):
        yield item.field.name, read_planes(project, item.field), _map(project, item)


def _map(project: Project, item: Accepted) -> LabelMap:
    return read_revision(project, item.task, item.revision)


def _provenance(done: Sequence[Accepted]) -> dict[str, dict[str, object]]:
    return {
        item.field.name: {
            "person": item.person,
            "revision": item.revision,
            "stratum": item.stratum,
            "start": item.start,
            "parent": item.field.parent,
            "comment": item.comment,
        }
        for item in done
    }

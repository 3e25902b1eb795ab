"""Ghosts: other label maps of a field, to compare one's own with."""

from noisylabels.annotation.fields import Field, dataset_of, start_map
from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import read_revision
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap


def ghosts_of(project: Project, field: Field, person: str) -> list[dict[str, str]]:
    """List the label maps that a person's map of a field can be compared with.

    Args:
        project: An open project.
        field: One of its fields.
        person: Whose map; their own accepted maps are not listed, for they would tell a hidden repeat.

    Returns:
        `{"ghost", "kind"}`: label sets of the dataset folder ("labels"), then accepted maps of others ("person").
    """
    dataset = dataset_of(project)
    sets = [name for name in dataset.label_names() if dataset.label_path(name, field.case_id).is_file()]
    others = project.rows(
        "SELECT DISTINCT person.name FROM task JOIN task_now ON task_now.task = task.id "
        "JOIN person ON person.id = task.person WHERE field = ? AND state = 'accepted' AND person.name != ? "
        "AND repeats IS NULL ORDER BY person.name",
        field.id,
        person,
    )
    ghosts = [{"ghost": name, "kind": "labels"} for name in sets]
    return ghosts + [{"ghost": row["name"], "kind": "person"} for row in others]


def read_ghost(project: Project, field: Field, person: str, kind: str, ghost: str) -> LabelMap:
    """Read one of the label maps that `ghosts_of` lists, (row, column) uint8.

    Raises:
        InputError: If it is not listed, or cannot be read.
    """
    if {"ghost": ghost, "kind": kind} not in ghosts_of(project, field, person):
        msg = f"A map to compare with must be one of the list, got {kind} {ghost!r}. Load the list again."
        raise InputError(msg)
    if kind == "labels":
        return start_map(project, field, ghost)[0]
    row = project.row(
        "SELECT task.id, closed_at FROM task JOIN task_now ON task_now.task = task.id "
        "JOIN person ON person.id = task.person WHERE field = ? AND state = 'accepted' AND person.name = ? "
        "AND repeats IS NULL ORDER BY closing DESC",
        field.id,
        ghost,
    )
    assert row is not None  # listed above
    return read_revision(project, row["id"], row["closed_at"])

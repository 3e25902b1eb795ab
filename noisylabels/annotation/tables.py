"""Tables: the audit trail, the times, and the boxes, as CSV (and COCO) that other programs read."""

import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noisylabels.annotation.boxes import boxes_of
from noisylabels.annotation.fields import Field, classes_of, field_of
from noisylabels.annotation.project import Person, Project
from noisylabels.annotation.users import people_of
from noisylabels.data.atomic import write_text

AUDIT = (
    *("field", "task", "person", "number", "start", "strategy", "stratum", "repeat", "revision", "parent", "origin"),
    *("tool", "active_ms", "created", "sha256", "head", "state", "comment"),
)
TIMES = (
    *("activity", "person", "field", "task", "start", "stratum", "repeat", "state", "active_s", "n_actions", "opened"),
    "closed",
)
COMMENTS = ("activity", "person", "field", "task", "state", "created", "comment")
COSTS = ("method", "stage", "scope", "human_min", "machine_s")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
BOXES = ("image", "expert", "group", "class", "row_min", "column_min", "row_max", "column_max", "order", "state")


def export_audit(project: Project, path: str | Path) -> int:
    """Write the audit trail: every revision with who, when, on what, with which tool, and whether it is the head.

    Returns:
        The number of revisions.
    """
    rows = project.rows(
        "SELECT field.name AS field, task.token AS task, person.name AS person, number, start, strategy, stratum, "
        "repeats IS NOT NULL AS repeat, revision.id AS revision, revision.parent, origin, tool, active_ms, "
        "revision.created, sha256, revision.id = head AS head, state, "
        "(SELECT group_concat(comment, ' | ') FROM closing WHERE closing.task = task.id "
        "AND closing.revision = revision.id AND comment != '') AS comment FROM revision "
        "JOIN task ON task.id = revision.task JOIN task_now ON task_now.task = task.id "
        "JOIN person ON person.id = person JOIN field ON field.id = task.field ORDER BY revision.id"
    )
    write_table(path, AUDIT, [dict(row) for row in rows])
    return len(rows)


def export_times(project: Project, path: str | Path) -> int:
    """Write the active seconds of every task: corrections, boxes and ratings (the paper's costs).

    Returns:
        The number of rows.
    """
    corrected = project.rows(
        "SELECT 'correction' AS activity, person.name AS person, field.name AS field, token AS task, start, stratum, "
        "repeats IS NOT NULL AS repeat, sum(active_ms) / 1000.0 AS active_s, sum(active_ms > 0) AS n_actions, "
        "task.created AS opened, closed, state FROM task JOIN person ON person.id = person "
        "JOIN field ON field.id = task.field JOIN task_now ON task_now.task = task.id "
        "JOIN task_time ON task_time.task = task.id GROUP BY task.id ORDER BY task.id"
    )
    drawn = project.rows(
        "SELECT 'boxes' AS activity, person.name AS person, field.name AS field, token AS task, state, "
        "sum(active_ms) / 1000.0 AS active_s, count(*) AS n_actions, min(created) AS opened, max(created) AS closed "
        "FROM box_task JOIN person ON person.id = person JOIN field ON field.id = box_task.field "
        "JOIN box_task_now ON box_task_now.box_task = box_task.id "
        "JOIN box_task_time ON box_task_time.box_task = box_task.id GROUP BY box_task.id ORDER BY box_task.id"
    )
    rated = project.rows(
        "SELECT 'rating' AS activity, person.name AS person, field.name AS field, token AS task, "
        "sum(active_ms) / 1000.0 AS active_s, count(*) AS n_actions, min(trial_time.created) AS opened, "
        "max(trial_time.created) AS closed, block = 'repeat' AS repeat, state FROM trial_time "
        "JOIN trial ON trial.id = trial_time.trial JOIN person ON person.id = trial.person "
        "JOIN trial_now ON trial_now.trial = trial.id JOIN item ON item.id = trial.left_item "
        "JOIN field ON field.id = item.field GROUP BY trial.id ORDER BY trial.id"
    )
    rows = [dict(row) for row in (*corrected, *drawn, *rated)]
    write_table(path, TIMES, rows)
    return len(rows)


def export_comments(project: Project, path: str | Path) -> int:
    """Write what people said: one row a comment, of corrections and of ratings (which name no method).

    Returns:
        The number of comments.
    """
    rows = project.rows(
        "SELECT 'correction' AS activity, person.name AS person, field.name AS field, token AS task, state, "
        "closing.created AS created, comment FROM closing JOIN task ON task.id = closing.task "
        "JOIN person ON person.id = person JOIN field ON field.id = task.field WHERE comment != '' UNION ALL "
        "SELECT 'rating', person.name, field.name, token, said.state, said.created, comment FROM "
        "(SELECT trial, comment, created, 'scored' AS state FROM score UNION ALL "
        "SELECT trial, comment, created, state FROM trial_closing) said "
        "JOIN trial ON trial.id = said.trial JOIN person ON person.id = trial.person "
        "JOIN item ON item.id = trial.left_item JOIN field ON field.id = item.field WHERE comment != '' "
        "ORDER BY created"
    )
    write_table(path, COMMENTS, [dict(row) for row in rows])
    return len(rows)


def export_costs(project: Project, path: str | Path) -> int:
    """Write what a corrected field cost, as a cost sheet that `noisylabels report` compares methods with.

    One row per start: the mean active minutes of the accepted tasks that began from it, hidden repeats left out.

    Returns:
        The number of rows.
    """
    rows = project.rows(
        "SELECT start, sum(active_ms) / 60000.0 / count(DISTINCT task.id) AS human_min FROM task "
        "JOIN task_now ON task_now.task = task.id JOIN task_time ON task_time.task = task.id "
        "WHERE state = 'accepted' AND repeats IS NULL GROUP BY start ORDER BY start"
    )
    common = {"method": "mdl", "scope": "field", "machine_s": 0}
    table = [common | {"stage": f"correction from {row['start']}", "human_min": row["human_min"]} for row in rows]
    write_table(path, COSTS, table)
    return len(rows)


def export_boxes(project: Project, folder: str | Path) -> int:
    """Write all boxes: boxes.csv (one row a box, experts and groups as columns), and boxes/<expert>.coco.json.

    Returns:
        The number of boxes.
    """
    table, target = [], Path(folder)
    for expert in people_of(project, "expert"):
        tasks = project.rows("SELECT * FROM box_task WHERE person = ? ORDER BY field", expert.id)
        rows = [row for task in tasks for row in _box_rows(project, expert.name, expert.party, task)]
        table += rows
        fields = [field_of(project, task["field"]) for task in tasks]
        write_text(target / "boxes" / f"{expert.name}.coco.json", _coco(fields, classes_of(project).names, rows))
    write_table(target / "boxes.csv", BOXES, table)
    return len(table)


def summarise(project: Project) -> list[str]:
    """Return how far the work is; whoever runs a study may read it, for it names no method.

    Returns:
        `40 fields: 12 accepted, 1 open`, then one line per person: `anna (rater, 1): 3 of 25 trials scored`.
    """
    states = project.rows(
        "SELECT state, count(*) AS n FROM field_now WHERE state IS NOT NULL GROUP BY state ORDER BY state"
    )
    counted = ", ".join(f"{row['n']} {row['state'].replace('_', ' ')}" for row in states) or "none handed out yet"
    lines = [f"{project.value('SELECT count(*) FROM field')} fields: {counted}"]
    for person in people_of(project):
        group = f", {person.party}" if person.party else ""
        lines.append(f"{person.name} ({person.role}{group}): {_share_done(project, person)}")
    return lines


def write_table(path: str | Path, columns: Sequence[str], rows: Sequence[dict[str, object]]) -> None:
    """Write rows as CSV; a value that a row lacks stays empty, and no text starts a spreadsheet's formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: as_text(value) for name, value in row.items()} for row in rows)
    write_text(path, text.getvalue())


def as_text(value: object) -> object:
    """Keep a text from being run: one that a spreadsheet takes for a formula gets an apostrophe in front.

    Examples:
        >>> as_text("=1+1"), as_text("dim"), as_text(-3)
        ("'=1+1", 'dim', -3)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _share_done(project: Project, person: Person) -> str:
    questions = {
        "rater": "SELECT count(*) AS n, coalesce(sum(state = 'scored'), 0) AS done, "
        "coalesce(sum(state = 'cannot_judge'), 0) AS unjudged FROM trial JOIN trial_now ON trial_now.trial = trial.id",
        "expert": "SELECT count(*) AS n, coalesce(sum(state != 'open'), 0) AS done FROM box_task "
        "JOIN box_task_now ON box_task_now.box_task = box_task.id",
    }
    corrected = (
        "SELECT count(*) AS n, coalesce(sum(state = 'accepted'), 0) AS done FROM task JOIN task_now ON task = task.id"
    )
    row = project.row(f"{questions.get(person.role, corrected)} WHERE person = ?", person.id)
    assert row is not None
    words = {"rater": "trials scored", "expert": "fields closed"}.get(person.role, "tasks accepted")
    unjudged = f", {row['unjudged']} cannot be judged" if "unjudged" in row.keys() and row["unjudged"] else ""  # noqa: SIM118
    return f"{row['done']} of {row['n']} {words}{unjudged}"


def _box_rows(project: Project, expert: str, group: str, task: sqlite3.Row) -> list[dict[str, Any]]:
    state = project.value("SELECT state FROM box_task_now WHERE box_task = ?", task["id"])
    names = classes_of(project).names
    about = {"image": field_of(project, task["field"]).name, "expert": expert, "group": group, "state": state}
    return [
        about
        | {"class": names[box.class_index], "order": order}
        | {name: getattr(box, name) for name in ("row_min", "column_min", "row_max", "column_max")}
        for order, box in enumerate(boxes_of(project, task["id"]), start=1)
    ]


def _coco(fields: Sequence[Field], classes: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    ids = {field.name: number for number, field in enumerate(fields, start=1)}
    images = [
        {"id": ids[field.name], "file_name": field.name, "width": field.columns, "height": field.rows}
        for field in fields
    ]
    annotations = []
    for number, row in enumerate(rows, start=1):
        width, height = row["column_max"] - row["column_min"], row["row_max"] - row["row_min"]
        annotations.append(
            {
                "id": number,
                "image_id": ids[row["image"]],
                "category_id": classes.index(row["class"]),
                "bbox": [row["column_min"], row["row_min"], width, height],
                "area": width * height,
                "iscrowd": 0,
            }
        )
    categories = [{"id": index, "name": name} for index, name in enumerate(classes) if index]
    return json.dumps({"images": images, "annotations": annotations, "categories": categories}, indent=1)

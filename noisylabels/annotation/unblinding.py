"""Unblinding: the one place where scores meet the names of methods, and it keeps a record of itself."""

from pathlib import Path

from noisylabels.annotation.project import Project
from noisylabels.annotation.ratings import method_codes
from noisylabels.annotation.tables import write_table
from noisylabels.annotation.users import owner_of
from noisylabels.data.errors import InputError

COLUMNS = [
    "rater",
    "subset",
    "image",
    "method",
    "score",
    "block",
    "number",
    "side",
    "state",
    "counts",
    "active_ms",
    "scored",
    "comment",
    "after_unblinding",
]
"""One row per score: rater, image, method, score are what `noisylabels ratings` reads."""


def open_trials(project: Project) -> dict[str, int]:
    """Count the trials that wait for an answer, by rater (all raters, 0 when done)."""
    return _count(project, "open", "skipped")


def unjudged_trials(project: Project) -> dict[str, int]:
    """Count the trials that raters said they cannot judge, by rater (all raters, 0 for none)."""
    return _count(project, "cannot_judge")


def unblind(project: Project, folder: str | Path, *, force: bool = False) -> tuple[Path, Path]:
    """Write the scores with the methods' names, and log that it was done.

    Args:
        project: An open project with a study.
        folder: Where ratings.csv (the scores that count) and ratings_all.csv (training, repeats, replaced scores and
            trials that cannot be judged, those without a score) are written.
        force: Do it although trials are open; the log says so, and later scores carry `after_unblinding`.

    Returns:
        The paths of the two files.

    Raises:
        InputError: If there is no study, or trials are open and `force` is not given.
    """
    waiting = open_trials(project)
    if not waiting:
        msg = f"{project.path} must have a study to unblind, got none. Plan one: noisylabels annotate study."
        raise InputError(msg)
    n_open = sum(waiting.values())
    if n_open and not force:
        who = ", ".join(f"{name} {n}" for name, n in waiting.items() if n)
        msg = (
            f"A study must be finished before it is unblinded, got {n_open} open trials ({who}). Wait, or use --force."
        )
        raise InputError(msg)
    project.log(
        owner_of(project).name,
        "unblinded",
        forced=force and n_open > 0,
        open_trials=n_open,
        cannot_judge=sum(unjudged_trials(project).values()),
    )
    rows = _rows(project)
    every, counted = Path(folder) / "ratings_all.csv", Path(folder) / "ratings.csv"
    write_table(every, COLUMNS, rows)
    write_table(counted, COLUMNS, [row for row in rows if row["counts"]])
    return counted, every


def _count(project: Project, *states: str) -> dict[str, int]:
    marks = ", ".join("?" * len(states))
    rows = project.rows(
        f"SELECT name, sum(state IN ({marks})) AS n FROM trial JOIN person ON person.id = trial.person "
        "JOIN trial_now ON trial_now.trial = trial.id GROUP BY name ORDER BY name",
        *states,
    )
    return {row["name"]: row["n"] for row in rows}


ANSWERS = (
    "SELECT trial, id, left_score, right_score, active_ms, comment, created, unblinded, 'scored' AS state FROM score "
    "UNION ALL SELECT trial, id, NULL, NULL, active_ms, comment, created, NULL, state FROM trial_closing "
    "WHERE state = 'cannot_judge'"
)


def _rows(project: Project) -> list[dict[str, object]]:
    scores = project.rows(
        "SELECT answer.*, l.field, person.name AS rater, trial.subset, trial.block, trial.number, field.name AS image, "
        "l.method AS left_method, r.method AS right_method, "
        "answer.state = 'scored' AND answer.id = trial_now.score AS latest "
        f"FROM ({ANSWERS}) answer JOIN trial ON trial.id = answer.trial JOIN person ON person.id = trial.person "
        "JOIN trial_now ON trial_now.trial = trial.id "
        "JOIN item l ON l.id = trial.left_item JOIN item r ON r.id = trial.right_item JOIN field ON field.id = l.field "
        "ORDER BY person.name, trial.number, answer.created, answer.id"
    )
    methods = method_codes(project)
    return [
        {
            "rater": row["rater"],
            "subset": row["subset"],
            "image": row["image"],
            "method": methods[row["field"], row[f"{side}_method"]],
            "score": row[f"{side}_score"],
            "block": row["block"],
            "number": row["number"],
            "side": side,
            "state": row["state"],
            "counts": int(row["block"] == "main" and bool(row["latest"])),
            "active_ms": row["active_ms"],
            "scored": row["created"],
            "comment": row["comment"],
            "after_unblinding": row["unblinded"],
        }
        for row in scores
        for side in ("left", "right")
    ]

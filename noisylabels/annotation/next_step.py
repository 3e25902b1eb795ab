"""What next? One line at the end of the desk's page: what a person should do now, from what is done so far."""

import json
from typing import NamedTuple

from noisylabels.annotation.curve import MORE
from noisylabels.annotation.project import Project

GROUPS_TO_JUDGE = 3
"""Wells that a learning curve asks for."""


class Progress(NamedTuple):
    """How far a project is.

    Args:
        n_fields: Fields of the project.
        n_accepted: Those with an accepted map.
        n_returned: Those given back to their person.
        n_groups: Wells (images where names tell none) of accepted fields.
        n_new: Maps accepted since the last training ended well; all if there was none.
        undecided: Whether a retrained network waits for the owner's yes or no.
        curve: The last learning curve; None if none was asked for.
        n_since: Maps accepted since that curve was asked for.
    """

    n_fields: int
    n_accepted: int
    n_returned: int
    n_groups: int
    n_new: int
    undecided: bool
    curve: dict[str, object] | None
    n_since: int


def summarise_project(project: Project) -> Progress:
    """Compute how far a project is."""
    states = {
        row["state"]: row["n"] for row in project.rows("SELECT state, count(*) AS n FROM field_now GROUP BY state")
    }
    n_groups = project.value(
        "SELECT count(DISTINCT plate || '/' || coalesce(nullif(well, ''), case_id)) FROM field "
        "JOIN accepted_now ON accepted_now.field = field.id"
    )
    jobs = project.rows(
        "SELECT kind, state, created, replaced, score, curve FROM job WHERE kind != 'predict' ORDER BY id"
    )
    trained = [job for job in jobs if job["kind"] == "retrain" and job["state"] == "done"]
    curves = [job for job in jobs if job["kind"] == "curve" and job["curve"] is not None]
    return Progress(
        project.value("SELECT count(*) FROM field"),
        states.get("accepted", 0),
        states.get("returned", 0),
        n_groups,
        _accepted_since(project, trained[-1]["created"] if trained else ""),
        bool(trained) and trained[-1]["replaced"] is None and trained[-1]["score"] is not None,
        json.loads(curves[-1]["curve"]) if curves else None,
        _accepted_since(project, curves[-1]["created"]) if curves else 0,
    )


def say_next_step(done: Progress, *, is_owner: bool) -> str:
    """Return in one sentence what a person should do now.

    Args:
        done: How far the project is.
        is_owner: Owners train and export; others correct.

    Examples:
        >>> say_next_step(Progress(40, 12, 0, 1, 12, False, None, 0), is_owner=True)
        'Correct fields of 3 wells or more (1 so far): then a network can be retrained and judged.'
    """
    left = done.n_fields - done.n_accepted
    if done.n_returned:
        return f"Correct {_fields(done.n_returned)} that came back; the comment says why."
    if not is_owner:
        return f"Correct the next of {_fields(left)} left." if left else "Every field is accepted. Thank you."
    if done.undecided:
        return "Decide on the retrained network: its scores before and after stand under Jobs."
    fresh = done.curve is not None and done.n_since < MORE
    if done.curve is not None and fresh and done.curve["stop"]:
        return f"Stop correcting and export. {done.curve['sentence']}"
    if done.n_groups < GROUPS_TO_JUDGE:
        return (
            f"Correct fields of {GROUPS_TO_JUDGE} wells or more ({done.n_groups} so far): "
            "then a network can be retrained and judged."
        )
    if done.n_new >= MORE or (not left and done.n_new):
        return f"Retrain: {_fields(done.n_new)} were accepted that no training has seen."
    if not left:
        return "Export: every field is accepted and learnt from."
    if not fresh:
        return f"Ask How many more? before you correct the {left} fields left."
    return f"Correct {min(MORE, left)} more. {done.curve['sentence']}" if done.curve else ""


def _accepted_since(project: Project, moment: str) -> int:
    return int(
        project.value(
            "SELECT count(DISTINCT accepted_now.task) FROM accepted_now "
            "JOIN closing ON closing.task = accepted_now.task WHERE closing.state = 'accepted' AND closing.created > ?",
            moment,
        )
    )


def _fields(n: int) -> str:
    return f"{n} field{'s' * (n != 1)}"

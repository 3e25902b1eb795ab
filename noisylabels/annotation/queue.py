"""The queue: which field comes next before whom, and from what start.

Three kinds of field are mixed, so that no number made from the corrections is biased by how they were chosen:

- the **random stratum**: fields drawn once at random with the project. Whatever the strategy prefers, these are
  handed out at their share, and only they represent the screen: evaluate on them;
- **the strategy's choice** among all others: the order of the dataset, or the highest score first;
- **hidden repeats** of what this person has accepted before, from the same start: how far people agree with themselves.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from noisylabels.annotation.fields import fields_of, lot, starts_of
from noisylabels.annotation.project import Person, Project
from noisylabels.data.errors import InputError

SCORED = ("uncertainty", "disagreement", "label_issue")
STRATEGIES = ("order", *SCORED, "random")
ACCEPTED = "accepted"
"""What a correction starts from when somebody's accepted map is opened again."""

REPEAT_GAP = 5  # tasks between a field and its hidden repeat, so that it is not recognised


@dataclass(frozen=True)
class QueueSettings:
    """How fields are handed out.

    Args:
        strategy: "order" (of the dataset), "uncertainty", "disagreement", "label_issue" (highest score first) or
            "random".
        start: What a correction starts from: a label set of the dataset folder ("cdl", "cip") or "blank".
        random_share: Share of fields in the random stratum, in [0, 1]. Fixed once the queue has handed out a field.
        repeat_share: Hidden repeats per accepted field, in [0, 1].

    Raises:
        InputError: If a share is outside [0, 1] or the strategy is unknown.
    """

    strategy: str = "order"
    start: str = "blank"
    random_share: float = 0.1
    repeat_share: float = 0.1

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            msg = f"A strategy must be one of {', '.join(STRATEGIES)}, got {self.strategy!r}. Choose one of these."
            raise InputError(msg)
        for name in ("random_share", "repeat_share"):
            if not 0 <= getattr(self, name) <= 1:
                msg = f"{name} must be in [0, 1], got {getattr(self, name)}. For 10 % write 0.1."
                raise InputError(msg)


@dataclass(frozen=True)
class Pick:
    """What the queue hands out.

    Args:
        field: Row of the field.
        start: What the correction starts from.
        strategy: How the queue came to it.
        stratum: "random" or "queue".
        repeats: The task it repeats, None for a first time.
    """

    field: int
    start: str
    strategy: str
    stratum: str
    repeats: int | None = None


def queue_settings(project: Project) -> QueueSettings:
    """Read how fields are handed out."""
    return QueueSettings(**project.setting("queue"))


def change_queue(project: Project, person: Person, settings: QueueSettings) -> None:
    """Change how fields are handed out from now on; kept in the log.

    Raises:
        InputError: If the start does not exist, the strategy's scores have not been computed, or the random share would
            change after it was used.
    """
    import json

    starts = starts_of(project)
    if settings.start not in starts:
        msg = (
            f"A start must be one of {', '.join(starts)}, got {settings.start!r}. Add that label set to "
            "the dataset folder first."
        )
        raise InputError(msg)
    _require_scores(project, settings.strategy)
    handed_out = project.value("SELECT count(*) FROM task WHERE strategy != 'chosen'")
    share = queue_settings(project).random_share
    if handed_out and settings.random_share != share:
        msg = (
            f"random_share must stay {share}, got {settings.random_share} after {handed_out} fields were "
            "handed out. It would bias the random stratum."
        )
        raise InputError(msg)
    with project.writing() as connection:
        connection.execute("UPDATE setting SET value = ? WHERE name = 'queue'", (json.dumps(asdict(settings)),))
        project.log(person.name, "queue", **asdict(settings))


def available(project: Project) -> dict[str, bool]:
    """Return which strategies can be used: a scored one only after its scores were computed."""
    scored = {row["strategy"] for row in project.rows("SELECT DISTINCT strategy FROM priority")}
    return {strategy: strategy not in SCORED or strategy in scored for strategy in STRATEGIES}


def _require_scores(project: Project, strategy: str) -> None:
    if not available(project)[strategy]:
        msg = f"Strategy {strategy!r} must have scores, got none. Compute or load them: noisylabels annotate score."
        raise InputError(msg)


def set_priorities(project: Project, strategy: str, values: dict[str, float]) -> None:
    """Replace the scores of a strategy.

    Args:
        project: An open project.
        strategy: "uncertainty", "disagreement" or "label_issue".
        values: Score by field name; the highest comes first, fields without one come last.

    Raises:
        InputError: If the strategy takes no scores, a field is unknown or a score is not finite.
    """
    import math

    if strategy not in SCORED:
        msg = f"A scored strategy must be one of {', '.join(SCORED)}, got {strategy!r}. Choose one of these."
        raise InputError(msg)
    ids = {field.name: field.id for field in fields_of(project)}
    strangers = sorted(set(values) - set(ids))
    if strangers:
        msg = (
            f"Scored fields must be of the project, got strangers: {', '.join(strangers[:5])} "
            f"({len(strangers)} in all). Check the table."
        )
        raise InputError(msg)
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if wrong:
        msg = (
            f"Scores must be finite, got {values[wrong[0]]} for {wrong[0]} ({len(wrong)} in all). Leave those rows out."
        )
        raise InputError(msg)
    with project.writing() as connection:
        connection.execute("DELETE FROM priority WHERE strategy = ?", (strategy,))
        connection.executemany(
            "INSERT INTO priority VALUES (?, ?, ?)", [(ids[name], strategy, value) for name, value in values.items()]
        )


def choose(project: Project, person: Person, strategy: str | None = None) -> Pick | None:
    """Choose what comes next before a person.

    A field goes to one person; skipped or released, it goes to another. Call it inside the transaction that writes the
    task.

    Args:
        project: An open project.
        person: Before whom.
        strategy: How to choose this time, instead of the queue's own way.

    Returns:
        The pick, None when nothing is left for this person.

    Raises:
        InputError: If the strategy is unknown or has no scores.
    """
    settings = queue_settings(project)
    if strategy is not None:
        settings = replace(settings, strategy=strategy)
        _require_scores(project, strategy)
    return _repeat(project, person, settings) or _fresh(project, person, settings)


def _repeat(project: Project, person: Person, settings: QueueSettings) -> Pick | None:
    done = project.rows(
        "SELECT id, field, start, stratum, number FROM task JOIN task_now ON task_now.task = task.id "
        "WHERE person = ? AND state = 'accepted' AND repeats IS NULL AND strategy != 'chosen'",
        person.id,
    )
    repeated = {row["repeats"] for row in project.rows("SELECT repeats FROM task WHERE person = ?", person.id)} - {None}
    if len(repeated) >= int(settings.repeat_share * len(done)):
        return None
    upcoming = 1 + int(project.value("SELECT coalesce(max(number), 0) FROM task WHERE person = ?", person.id))
    ready = [row for row in done if row["id"] not in repeated and row["number"] + REPEAT_GAP < upcoming]
    if not ready:
        return None
    seed = project.setting("seed")
    drawn = min(ready, key=lambda row: lot(seed, "repeat", person.name, row["field"]))
    return Pick(drawn["field"], drawn["start"], settings.strategy, drawn["stratum"], drawn["id"])


def _fresh(project: Project, person: Person, settings: QueueSettings) -> Pick | None:
    left = project.rows(
        "SELECT id, name, lot, value FROM field LEFT JOIN priority ON priority.field = id AND priority.strategy = ? "
        "WHERE NOT EXISTS (SELECT 1 FROM task JOIN task_now ON task_now.task = task.id "
        "WHERE task.field = field.id AND state != 'released' AND (person = ? OR state != 'skipped'))",
        settings.strategy,
        person.id,
    )
    everything_random = settings.strategy == "random"
    by_lot = [row for row in left if row["lot"] < settings.random_share or everything_random]
    others = [row for row in left if row["lot"] >= settings.random_share and not everything_random]
    if by_lot and (not others or _random_is_due(project, settings)):
        drawn = min(by_lot, key=lambda row: row["lot"])
        return Pick(drawn["id"], settings.start, settings.strategy, "random")
    if not others:
        return None
    first = min(others, key=_preference(settings.strategy))
    return Pick(first["id"], settings.start, settings.strategy, "queue")


def _random_is_due(project: Project, settings: QueueSettings) -> bool:
    """Keep the share of random fields among all handed out, whenever one stops."""
    counts = project.row(
        "SELECT count(*) AS total, coalesce(sum(stratum = 'random'), 0) AS random FROM task "
        "WHERE strategy != 'chosen' AND repeats IS NULL"
    )
    assert counts is not None
    return bool(counts["random"] < settings.random_share * (counts["total"] + 1))


def _preference(strategy: str) -> Callable[..., tuple[float, int]]:
    if strategy not in SCORED:
        return lambda row: (0.0, row["id"])
    return lambda row: (float("inf") if row["value"] is None else -row["value"], row["id"])

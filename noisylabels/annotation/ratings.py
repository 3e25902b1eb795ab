"""Ratings: a blinded study in the project file, and the desk of one of its raters."""

import hmac
import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from noisylabels.annotation.allocation import PlannedTrial, StudySettings, plan_trials
from noisylabels.annotation.fields import Field, dataset_of, field_of, fields_of, find_field, start_map
from noisylabels.annotation.images import contrast_of, read_planes
from noisylabels.annotation.project import Person, Project, insert, now
from noisylabels.annotation.revisions import check_active_ms, check_comment, hash_of, pack, unpack
from noisylabels.annotation.users import add_person
from noisylabels.data.errors import InputError

LOWEST, HIGHEST = 1, 10
STATES = ("cannot_judge", "skipped")
"""What a rater may say of a trial instead of a score."""


class UnknownTrialError(InputError):
    """No such trial, or not this rater's."""


@dataclass(frozen=True)
class Trial:
    """One pair of label maps before one rater; nothing here tells which method is where.

    Args:
        token: Its name; random.
        number: The rater's n-th trial.
        training: Whether it does not count, and the rater may know.
        state: "open", "scored", "cannot_judge", or "skipped" (it comes again after the others).
        left: The latest score of the left side, None unless it is scored.
        right: The latest score of the right side.
    """

    token: str
    number: int
    training: bool
    state: str
    left: int | None
    right: int | None


@dataclass(frozen=True)
class Scored:
    """The token of the next trial without a score, None at the end."""

    next: str | None


class RatingDesk:
    """The desk of one rater.

    Args:
        project: An open project.
        person: A rater of its study.
    """

    def __init__(self, project: Project, person: Person) -> None:
        self.project = project
        self.person = person

    def trials(self) -> list[Trial]:
        """List the rater's trials in the order they are shown."""
        rows = self.project.rows(f"{TRIALS} WHERE person = ? ORDER BY number", self.person.id)
        return [_trial(row) for row in rows]

    def next(self) -> str | None:
        """Return the first open trial, else the first skipped one; None when all are scored or cannot be judged."""
        trials = self.trials()
        waiting = [trial.token for state in ("open", "skipped") for trial in trials if trial.state == state]
        return next(iter(waiting), None)

    def trial(self, token: str) -> Trial:
        """Read one of the rater's trials.

        Raises:
            UnknownTrialError: If the rater has none of this token.
        """
        return _trial(self._row(token))

    def field(self, token: str) -> Field:
        """Read the field of a trial."""
        return field_of(self.project, self._row(token)["field"])

    def contrast(self, token: str) -> list[list[float]]:
        """Return the contrast of a trial: the same for both sides and every rater."""
        return contrast_of(read_planes(self.project, self.field(token)))

    def media(self, token: str) -> bytes:
        """Read all that is shown of a trial as one body, so that neither side has a size or a time of its own.

        Returns:
            The image's planes (channel, row, column) little-endian uint16, the left label map, the right one (uint8).
        """
        row = self._row(token)
        field = field_of(self.project, row["field"])
        planes = read_planes(self.project, field).astype("<u2")
        return b"".join([planes.tobytes(), *(self._map(row[side], field) for side in ("left_item", "right_item"))])

    def score(
        self, token: str, left: int, right: int, *, active_ms: int = 0, comment: str = "", key: str | None = None
    ) -> str | None:
        """Save the scores of both sides; a later one counts instead of an earlier one, both are kept.

        Returns:
            The token of the next trial without a score.

        Raises:
            InputError: If a score is not a whole number of 1..10, or the comment is too long.
        """
        for value in (left, right):
            if not LOWEST <= value <= HIGHEST:
                msg = f"A score must be a whole number in {LOWEST}..{HIGHEST}, got {value}. Score both sides."
                raise InputError(msg)
        trial = self._row(token)["id"]
        check_comment(comment)
        check_active_ms(active_ms)

        def work(connection: sqlite3.Connection) -> Scored:
            insert(
                connection,
                "score",
                trial=trial,
                left_score=left,
                right_score=right,
                active_ms=active_ms,
                comment=comment,
                created=now(),
                unblinded=self.project.value("SELECT count(*) > 0 FROM log WHERE event = 'unblinded'"),
            )
            _close(connection, trial, "scored")
            return Scored(self.next())

        return self.project.once(self.person, f"score {token}", key or secrets.token_hex(16), Scored, work).next

    def close(
        self, token: str, state: str, *, active_ms: int = 0, comment: str = "", key: str | None = None
    ) -> str | None:
        """Record that a trial cannot be judged, or leave it for later; neither is a score.

        A trial that cannot be judged is done, and a score that it had no longer counts; scoring it afterwards makes it
        a scored one. One that is skipped comes again after all others.

        Returns:
            The token of the next trial that waits for the rater.

        Raises:
            InputError: If the state is another word, the comment too long, or a trial with a score is skipped.
        """
        if state not in STATES:
            msg = (
                f"A trial must be {' or '.join(STATES)} to be closed without a score, got {state!r}. Use one of these."
            )
            raise InputError(msg)
        trial = self._row(token)["id"]
        check_comment(comment)
        check_active_ms(active_ms)

        def work(connection: sqlite3.Connection) -> Scored:
            if state == "skipped" and self.trial(token).state not in ("open", "skipped"):
                msg = "A trial must be without an answer to be left for later, got one that has one. Go on to the next."
                raise InputError(msg)
            _close(connection, trial, state, active_ms, comment)
            return Scored(self.next())

        return self.project.once(self.person, f"{state} {token}", key or secrets.token_hex(16), Scored, work).next

    def _row(self, token: str) -> sqlite3.Row:
        row = self.project.row(f"{TRIALS} WHERE person = ? AND token = ?", self.person.id, token)
        if row is None:
            msg = f"A trial must be one of yours, got {token!r}. Go back to the start of the rating."
            raise UnknownTrialError(msg)
        return row

    def _map(self, item: int, field: Field) -> bytes:
        blob = self.project.value("SELECT label_map FROM item WHERE id = ?", item)
        return unpack(blob, field.rows, field.columns).tobytes()


TRIALS = (
    "SELECT trial.*, item.field, state, score.left_score, score.right_score FROM trial "
    "JOIN item ON item.id = trial.left_item JOIN trial_now ON trial_now.trial = trial.id "
    "LEFT JOIN score ON score.id = trial_now.score"
)


def create_study(project: Project, raters: Sequence[str], settings: StudySettings, *, seed: int = 0) -> int:
    """Draw a study and write it into the project, with the label maps as they are now.

    Args:
        project: An open project without a study.
        raters: Names; they become people of the role "rater".
        settings: The design.
        seed: Same seed, same fields and raters: same plan (the tokens differ).

    Returns:
        The number of trials.

    Raises:
        InputError: If there is a study already, a label set is missing, or the design does not fit.
    """
    if project.value("SELECT count(*) FROM trial"):
        msg = f"{project.path} must have no study yet, but it has one. Make another project file for a second study."
        raise InputError(msg)
    _draw_secret(project)
    images = _images_with_both(project, settings.methods)
    plan = plan_trials(images, raters, settings, rng=np.random.default_rng(seed))
    subsets = {trial.rater: str(trial.subset) for trial in plan if trial.block != "training"}
    people = {name: add_person(project, name, "rater", subsets[name]) for name in raters}
    with project.writing() as connection:
        items = _write_items(project, connection, plan, settings.methods)
        for trial in plan:
            insert(
                connection,
                "trial",
                token=secrets.token_hex(16),
                person=people[trial.rater].id,
                number=trial.number,
                block=trial.block,
                subset=trial.subset,
                left_item=items[trial.image, trial.left],
                right_item=items[trial.image, trial.right],
            )
        project.log("", "study planned", seed=seed, raters=list(raters), **asdict(settings))
        insert(connection, "setting", name="study", value=json.dumps({"seed": seed, **asdict(settings)}))
    return len(plan)


def _images_with_both(project: Project, methods: Sequence[str]) -> list[str]:
    dataset = dataset_of(project)
    for method in methods:
        dataset.require_labels(method)
    return [
        field.name
        for field in fields_of(project)
        if all(dataset.label_path(method, field.case_id).is_file() for method in methods)
    ]


def _write_items(
    project: Project, connection: sqlite3.Connection, plan: Sequence[PlannedTrial], methods: Sequence[str]
) -> dict[tuple[str, str], int]:
    """Write what is rated under codes, in an order that tells nothing: who looks into the file reads no method."""
    wanted = [(image, method) for image in sorted({trial.image for trial in plan}) for method in methods]
    secrets.SystemRandom().shuffle(wanted)
    items = {}
    for image, method in wanted:
        field = find_field(project, image)
        label_map, _ = start_map(project, field, method)
        items[image, method] = insert(
            connection,
            "item",
            field=field.id,
            method=_code(project, field.id, method),
            sha256=hash_of(label_map),
            label_map=pack(label_map),
        )
    return items


def method_codes(project: Project) -> dict[tuple[int, str], str]:
    """Return which method a code of the project file stands for.

    Returns:
        Method by (row of the field, code).
    """
    methods = project.setting("study")["methods"]
    fields = [row["field"] for row in project.rows("SELECT DISTINCT field FROM item")]
    return {(field, _code(project, field, method)): method for field in fields for method in methods}


def _draw_secret(project: Project) -> None:
    with project.writing() as connection:
        connection.execute("INSERT OR IGNORE INTO setting VALUES ('secret', ?)", (json.dumps(secrets.token_hex(16)),))


def _code(project: Project, field: int, method: str) -> str:
    message = f"{field}/{method}".encode()
    return hmac.new(bytes.fromhex(project.setting("secret")), message, "sha256").hexdigest()[:16]


def _trial(row: sqlite3.Row) -> Trial:
    return Trial(
        row["token"], row["number"], row["block"] == "training", row["state"], row["left_score"], row["right_score"]
    )


def _close(connection: sqlite3.Connection, trial: int, state: str, active_ms: int = 0, comment: str = "") -> None:
    insert(connection, "trial_closing", trial=trial, state=state, active_ms=active_ms, comment=comment, created=now())

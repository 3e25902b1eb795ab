"""Pairs of a teacher and its student whose truth is known: what a new student's agreement lets expect.

The table `pairs.csv` beside this file is made by `python -m benchmarks.teachers pairs` from runs on simulated and real
sets; docs/teachers.md shows it and says where it fails.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from importlib.resources import files
from math import nan
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.atomic import write_text
from noisylabels.data.errors import InputError

LEAST_SETS, LEAST_PAIRS = 3, 4


@dataclass(frozen=True)
class Pair:
    """A teacher's labels of one data set, and the student that learnt them.

    Args:
        set: The data set; pairs of one set are not independent.
        kind: simulated or real.
        teacher: The label set.
        inconsistency: One less the mean IoU of the student with its own teacher on held-out fields, in [0, 1].
        teacher_iou: Mean IoU of the labels with the truth of those fields.
        student_iou: Mean IoU of the student with the truth of those fields.
        refereed: The student's gain as a referee sees it (`foresight.judge`); nan where no labels vote, and for those
            of the referee itself.
    """

    set: str
    kind: str
    teacher: str
    inconsistency: float
    teacher_iou: float
    student_iou: float
    refereed: float = nan

    @property
    def gain(self) -> float:
        """The student's score less its teacher's."""
        return self.student_iou - self.teacher_iou


Sign = Literal["inconsistency", "refereed"]
"""What a gain is expected from."""


@dataclass(frozen=True)
class Gain:
    """What pairs let expect of a student's score less its teacher's.

    Args:
        expected: On the line through all pairs.
        low: Least and
        high: largest that four of five sets left out would have allowed for.
        n_pairs: How many pairs,
        n_sets: of how many data sets.
        outside: Whether this lies beyond all pairs.
    """

    expected: float
    low: float
    high: float
    n_pairs: int
    n_sets: int
    outside: bool = False


def read_pairs(path: Path) -> list[Pair]:
    """Read a table of pairs.

    Raises:
        InputError: If a column is missing or a number is none.
    """
    return _parse(path.read_text(encoding="utf-8"), str(path))


def read_known_pairs() -> list[Pair]:
    """Read the pairs that come with the program."""
    return _parse(files("noisylabels.experiments").joinpath("pairs.csv").read_text(encoding="utf-8"), "pairs.csv")


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write a table of pairs, sorted by set and teacher; numbers with four digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in fields(Pair)])
    for pair in sorted(pairs, key=lambda one: (one.kind, one.set, one.teacher)):
        writer.writerow([f"{value:.4f}" if isinstance(value, float) else value for value in astuple(pair)])
    write_text(path, text.getvalue())


def expect_gain(sign: float, pairs: Sequence[Pair], *, by: Sign = "inconsistency") -> Gain | None:
    """Expect the gain of a new student from its labels' inconsistency, or from what a referee sees of it.

    A line is fitted to the pairs by least squares. How far it may be wrong is asked of each data set in turn, which the
    line through the other sets has not seen: 80 % of these errors lie within the interval.

    Args:
        sign: Inconsistency in [0, 1], or the refereed gain.
        pairs: With known truth; those whose sign is not known do not count.
        by: Which of the two it is.

    Returns:
        None where the pairs are of fewer than three data sets, or nan is asked.

    Examples:
        >>> pairs = [Pair(f"s{k}", "simulated", "cip", k / 10, 0.5, 0.5 + k / 20) for k in range(5)]
        >>> gain = expect_gain(0.2, pairs)
        >>> round(gain.expected, 3), round(gain.low, 3), round(gain.high, 3)
        (0.1, 0.1, 0.1)
    """
    pairs = [pair for pair in pairs if np.isfinite(getattr(pair, by))]
    sets = sorted({pair.set for pair in pairs})
    if len(sets) < LEAST_SETS or np.isnan(sign):
        return None
    x, y = np.array([getattr(pair, by) for pair in pairs]), np.array([pair.gain for pair in pairs])
    names = np.array([pair.set for pair in pairs])
    errors = np.concatenate(
        [y[names == one] - _line(x[names != one], y[names != one], x[names == one]) for one in sets]
    )
    expected = float(_line(x, y, np.array([sign]))[0])
    low, high = expected + np.quantile(errors, [0.1, 0.9])
    outside = not x.min() <= sign <= x.max()
    return Gain(expected, float(low), float(high), len(pairs), len(sets), outside)


def _line(x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = ((x - x.mean()) ** 2).sum()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / spread if spread > 0 else 0.0
    return np.asarray(y.mean() + slope * (at - x.mean()))


def describe_gain(gain: Gain | None) -> str:
    """Return in one sentence what can be expected."""
    if gain is None:
        return "expected gain over the labels: unknown, too few sets whose truth is known"
    doubt = "; beyond all of them, so this is a guess" if gain.outside else ""
    return (
        f"expected gain over the labels: {gain.expected:+.3f} mean IoU, between {gain.low:+.3f} and {gain.high:+.3f} "
        f"in four of five cases ({gain.n_pairs} pairs of {gain.n_sets} sets with known truth{doubt})"
    )


def rank_with_bootstrap(
    pairs: Sequence[Pair], *, n_draws: int = 2000, seed: int = 0
) -> dict[str, tuple[float, float, float]]:
    """Compute how inconsistency and a referee rank gains, and agreement teachers: Spearman's rho, 95 % bootstrap.

    Args:
        pairs: At least four. Pairs are drawn, so the interval is too narrow where pairs of one set resemble each other.
        n_draws: Of the bootstrap.
        seed: Of the draws.

    Returns:
        Estimate, low and high of `gain` (inconsistency and gain), `refereed` (what a referee sees of the gain, and the
        gain; pairs without a referee left out) and `choice` (agreement and the teacher's own score); nan where fewer
        than four pairs are left, or one of the two is the same everywhere.

    Raises:
        InputError: If there are fewer than four pairs.
    """
    if len(pairs) < LEAST_PAIRS:
        msg = f"A rank correlation must rest on at least four pairs, got {len(pairs)}. Run more teachers."
        raise InputError(msg)
    signs = {
        "gain": [(pair.inconsistency, pair.gain) for pair in pairs],
        "refereed": [(pair.refereed, pair.gain) for pair in pairs if np.isfinite(pair.refereed)],
        "choice": [(-pair.inconsistency, pair.teacher_iou) for pair in pairs],
    }
    return {name: _rank(np.array(both), n_draws, np.random.default_rng(seed)) for name, both in signs.items()}


def _rank(both: NDArray[np.float64], n_draws: int, rng: np.random.Generator) -> tuple[float, float, float]:
    from scipy.stats import spearmanr

    if len(both) < LEAST_PAIRS or np.ptp(both, axis=0).min() == 0:
        return np.nan, np.nan, np.nan
    draws = [both[rng.integers(0, len(both), len(both))] for _ in range(n_draws)]
    varied = [draw for draw in draws if np.ptp(draw, axis=0).min() > 0]
    low, high = np.quantile([spearmanr(*draw.T).statistic for draw in varied], [0.025, 0.975])
    return float(spearmanr(*both.T).statistic), float(low), float(high)


def _parse(text: str, source: str) -> list[Pair]:
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            numbers = [float(row[name]) for name in ("inconsistency", "teacher_iou", "student_iou", "refereed")]
            found.append(Pair(row["set"], row["kind"], row["teacher"], *numbers))
        except (KeyError, TypeError, ValueError) as error:
            columns = ", ".join(column.name for column in fields(Pair))
            msg = f"Rows of {source} must have {columns}, got another row in line {number}. Make the table anew."
            raise InputError(msg) from error
    return found

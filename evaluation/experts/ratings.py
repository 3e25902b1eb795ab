"""Blinded ratings: sheets of scores from 1 to 10."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.experts.sheets import read_rows, refuse_faults
from noisylabels.data.errors import InputError

COLUMNS = ("rater", "image", "method", "score")
LOWEST, HIGHEST = 1, 10


@dataclass(frozen=True)
class Ratings:
    """Scores, one row per (rater, image, method).

    Args:
        rater: (n,) names.
        image: (n,) names.
        method: (n,) names.
        score: (n,) whole numbers from 1 to 10.
        subset: (n,) data set of each image; empty where there is but one.
    """

    rater: NDArray[np.str_]
    image: NDArray[np.str_]
    method: NDArray[np.str_]
    score: NDArray[np.int64]
    subset: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.score)

    @property
    def raters(self) -> list[str]:
        """Who rated, in order of appearance."""
        return list(dict.fromkeys(self.rater.tolist()))

    @property
    def methods(self) -> list[str]:
        """What was rated, in order of appearance."""
        return list(dict.fromkeys(self.method.tolist()))

    def scores(self, *, rater: str | None = None, method: str) -> dict[str, float]:
        """Return the score of each image; the mean over raters when no rater is named."""
        rows = self.method == method
        if rater is not None:
            rows &= self.rater == rater
        sums: dict[str, list[int]] = {}
        for image, score in zip(self.image[rows].tolist(), self.score[rows].tolist(), strict=True):
            sums.setdefault(image, []).append(score)
        return {image: sum(scores) / len(scores) for image, scores in sums.items()}

    def totals(self, *, rater: str | None = None, method: str) -> tuple[dict[str, int], int]:
        """Return the mean score of each image over raters in whole numbers, so that equal means are equal.

        Returns:
            Whole numbers by image, and the number that each of them is to be divided by: the least common multiple of
            how many raters saw an image.
        """
        rows = self.method == method
        if rater is not None:
            rows &= self.rater == rater
        images, scores = self.image[rows].tolist(), self.score[rows].tolist()
        counts = Counter(images)
        unit = math.lcm(*counts.values())
        sums: Counter[str] = Counter()
        for image, score in zip(images, scores, strict=True):
            sums[image] += score * (unit // counts[image])
        return dict(sums), unit


def read_ratings(path: str | Path) -> Ratings:
    """Read a rating sheet.

    Args:
        path: CSV with a head row and the columns rater, image, method, score (whole numbers from 1 to 10), and
            perhaps subset (the data set of the image); other columns are left alone.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If columns are missing, or rows are faulty; all faults at once, one line each.
    """
    return parse_ratings(read_rows(path, COLUMNS), source=str(path))


def parse_ratings(rows: Sequence[Mapping[str, str]], *, source: str = "rating sheet") -> Ratings:
    """Check the rows of a rating sheet and turn them into ratings.

    Every rater must score every method on each image that she rated, once.

    Args:
        rows: One mapping per score, values as text.
        source: What to call the sheet in an error.

    Raises:
        InputError: If there is no row, or any is faulty; all faults at once, one line each.

    Examples:
        >>> row = {"rater": "A", "image": "f1"}
        >>> sheet = [{**row, "method": "CIP", "score": "3"}, {**row, "method": "CDL", "score": "8"}]
        >>> parse_ratings(sheet).scores(method="CDL")
        {'f1': 8.0}
        >>> parse_ratings([{**sheet[0], "score": "11"}, sheet[1]])
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: rating sheet has 1 faults:
        row 2: score must be a whole number from 1 to 10, got '11'
        Correct them and read the sheet again.
    """
    if not rows:
        msg = f"{source} must have at least one rating, got none. Export the ratings first."
        raise InputError(msg)
    faults = [*_faulty_cells(rows), *_repeats(rows), *_gaps(rows)]
    refuse_faults(faults, source=source)
    texts = {name: np.array([row.get(name, "") for row in rows], np.str_) for name in (*COLUMNS[:3], "subset")}
    return Ratings(**texts, score=np.array([int(row["score"]) for row in rows]))


def _faulty_cells(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Identify rows by their line in the sheet: the head is line 1."""
    faults = []
    for line, row in enumerate(rows, 2):
        faults += [f"row {line}: {name} must not be empty" for name in COLUMNS[:3] if not row[name]]
        if not _is_score(row["score"]):
            faults.append(f"row {line}: score must be a whole number from {LOWEST} to {HIGHEST}, got {row['score']!r}")
    return faults


def _is_score(text: str) -> bool:
    return text.isascii() and text.isdigit() and LOWEST <= int(text) <= HIGHEST


def _repeats(rows: Sequence[Mapping[str, str]]) -> list[str]:
    counts = Counter((row["rater"], row["image"], row["method"]) for row in rows)
    return [
        f"rater {rater!r}, image {image!r}: {method!r} must be rated once, got {n} times"
        for (rater, image, method), n in counts.items()
        if n > 1
    ]


def _gaps(rows: Sequence[Mapping[str, str]]) -> list[str]:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    rated: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        rated.setdefault((row["rater"], row["image"]), set()).add(row["method"])
    return [
        f"rater {rater!r}, image {image!r}: {method!r} must be rated, got no score"
        for (rater, image), found in rated.items()
        for method in methods
        if method not in found
    ]


def score_table(ratings: Ratings, *, method: str) -> NDArray[np.float64]:
    """Arrange one method's scores as (image, rater); nan where a rater did not see an image.

    Args:
        ratings: The scores.
        method: The method.
    """
    raters = {rater: place for place, rater in enumerate(ratings.raters)}
    images = {image: place for place, image in enumerate(dict.fromkeys(ratings.image.tolist()))}
    table = np.full((len(images), len(raters)), np.nan)
    rows = ratings.method == method
    for image, rater, score in zip(ratings.image[rows], ratings.rater[rows], ratings.score[rows], strict=True):
        table[images[str(image)], raters[str(rater)]] = score
    return table

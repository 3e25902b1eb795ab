"""What is counted on the quarters of one screen, and the counts of all screens together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.experts.experts import count_experts
from evaluation.experts.ratings import COLUMNS, Ratings, read_ratings
from evaluation.metrics.count_files import read_counts, write_counts
from evaluation.metrics.counts import STACKS, CountTable
from evaluation.metrics.events import Events, find_events
from evaluation.sources import method_name
from evaluation.study import evaluate_methods
from noisylabels.data.atomic import replacing
from noisylabels.data.dataset import Dataset
from noisylabels.experiments.paper.experts import CORRECTED, EXPERTS, REDRAWN
from noisylabels.experiments.paper.ratings import measure_quality, simulate_ratings
from noisylabels.experiments.paper.screen import CIP, TRUTH

REFERENCES = (TRUTH, CORRECTED, REDRAWN, CIP)
BOXES = "boxes"
SHEET = "ratings.csv"


@dataclass(frozen=True)
class Counted:
    """What was counted on all screens.

    Args:
        tables: Count tables by reference (`REFERENCES`), and those of the experts' boxes as "boxes"; the plate of an
            entry is the screen, "seed 0".
        ratings: Simulated ratings; raters and images carry their screen in their names.
        test: (screen, quarter) of those that MDL neither trained on nor was chosen by.
    """

    tables: Mapping[str, CountTable]
    ratings: Ratings
    test: frozenset[tuple[str, str]]

    def table(self, reference: str, *, test: bool = False) -> CountTable:
        """Return the counts against a reference, of all quarters or of MDL's test quarters alone."""
        table = self.tables[reference]
        if not test:
            return table
        places = zip(table.keys["plate"].tolist(), table.keys["field"].tolist(), strict=True)
        return table.select(np.array([place in self.test for place in places], bool))

    @property
    def screens(self) -> list[str]:
        """The screens, in order."""
        return list(dict.fromkeys(self.tables[TRUTH].keys["plate"].tolist()))


def count_screen(
    quarters: Dataset, folder: Path, *, methods: Sequence[str], n_rated: int, seed: int
) -> dict[str, object]:
    """Count every method on every quarter against truth, corrected maps, opinions, the CIP and the experts' boxes.

    Args:
        quarters: Quarters with all label sets.
        folder: Where the counts go: one folder per reference, and the simulated rating sheet.
        methods: Label sets of the methods, baseline first.
        n_rated: Quarters to rate, at most; of MDL's test quarters.
        seed: Of the raters and of the choice of quarters.

    Returns:
        The test quarters and those that were rated.
    """
    for reference in REFERENCES:
        # Corrected maps and opinions are methods against the truth: how good are the labels themselves?
        others = (CORRECTED, REDRAWN) if reference == TRUTH else ()
        named = [name for name in (*methods, *others) if name != reference]
        write_counts(evaluate_methods(quarters, named, references=[reference]).table, folder / reference)
    write_counts(_count_boxes(quarters, methods), folder / BOXES)
    test = sorted(quarters.ids("test"))
    order = np.random.default_rng([seed, 3]).permutation(len(test))[:n_rated]
    rated = [test[position] for position in sorted(order.tolist())]
    truth = read_counts(folder / TRUTH)
    names = [method_name(name) for name in methods]
    quality = {name: scores for name, scores in measure_quality(truth).items() if name in names}
    raters = [expert.name for expert in EXPERTS]
    _write_sheet(simulate_ratings(quality, raters=raters, images=rated, seed=seed), folder / SHEET)
    return {"test": test, "rated": rated}


def join_screens(folders: Mapping[str, Path], test: Mapping[str, Sequence[str]]) -> Counted:
    """Read the counts of several screens and put them together.

    Args:
        folders: Folder of counts by screen name.
        test: MDL's test quarters by screen name.
    """
    tables = {
        name: _join_tables({screen: read_counts(folders[screen] / name) for screen in folders})
        for name in (*REFERENCES, BOXES)
    }
    ratings = _join_ratings({screen: read_ratings(folders[screen] / SHEET) for screen in folders})
    return Counted(tables, ratings, frozenset((screen, field) for screen, fields in test.items() for field in fields))


def _count_boxes(quarters: Dataset, methods: Sequence[str]) -> CountTable:
    def events(name: str) -> dict[str, Events]:
        return {case_id: find_events(quarters.label_map(name, case_id)) for case_id in quarters.ids()}

    drawn = {expert.name: {id: as_boxes(found) for id, found in events(expert.name).items()} for expert in EXPERTS}
    found = {method_name(name): events(name) for name in methods}
    clusters = {case_id: quarters.case(case_id).group for case_id in quarters.ids()}
    return count_experts(drawn, found, classes=quarters.classes, clusters=clusters)


def as_boxes(events: Events) -> Events:
    """Keep of events what a person draws who draws boxes."""
    return Events.from_boxes(events.boxes, events.class_index)


def _join_tables(tables: Mapping[str, CountTable]) -> CountTable:
    first = next(iter(tables.values()))
    keys = {name: np.concatenate([table.keys[name] for table in tables.values()]) for name in first.keys}
    keys["plate"] = np.concatenate([np.full(len(table), screen) for screen, table in tables.items()])
    stacks: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables.values()]) for name in STACKS
    }
    return replace(first, keys=keys, **stacks)


def _join_ratings(sheets: Mapping[str, Ratings]) -> Ratings:
    def named(column: str) -> Any:
        parts = [np.char.add(f"{screen} ", getattr(sheet, column)) for screen, sheet in sheets.items()]
        return np.concatenate(parts)

    method = np.concatenate([sheet.method for sheet in sheets.values()])
    score = np.concatenate([sheet.score for sheet in sheets.values()])
    return Ratings(named("rater"), named("image"), method, score, np.full(len(score), "", np.str_))


def _write_sheet(ratings: Ratings, path: Path) -> None:
    import pandas as pd

    with replacing(path) as temporary:
        pd.DataFrame({name: getattr(ratings, name) for name in COLUMNS}).to_csv(temporary, index=False)

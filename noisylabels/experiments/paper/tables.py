"""Every table of the study as a CSV file: what the page is made from, and more."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.experts.experts import summarise_agreement, summarise_experts
from evaluation.experts.preferences import Preference, compare_ratings
from evaluation.experts.ratings import score_table
from evaluation.metrics.detection import tabulate_bands, tabulate_errors, tabulate_event_confusion
from evaluation.metrics.tables import tabulate_classes, tabulate_confusion, tabulate_data_set
from evaluation.statistics.agreement import correlate_raters
from noisylabels.data.atomic import replacing
from noisylabels.experiments.paper.costs import collect_costs, tabulate_costs
from noisylabels.experiments.paper.evaluation import BOXES, REFERENCES, Counted
from noisylabels.experiments.paper.results import METHODS, Number
from noisylabels.experiments.paper.screen import CIP, TRUTH
from noisylabels.experiments.paper.statements import STATEMENTS
from noisylabels.experiments.paper.surrogates import correlate, list_wrong, tabulate_points

if TYPE_CHECKING:
    import pandas as pd

COSTS = "costs"


def make_tables(counted: Counted, steps: Mapping[str, Mapping[str, Any]]) -> "dict[str, pd.DataFrame]":
    """Make every table, by name.

    Args:
        counted: The counts of all screens.
        steps: Results of the steps, by screen and step.
    """
    import pandas as pd

    pixels = {name: counted.table(name, test=True) for name in REFERENCES}
    points = tabulate_points(counted)
    preferences = compare_ratings(counted.ratings, methods=METHODS)
    boxes = counted.table(BOXES)
    costs = {
        screen: collect_costs({name: step["seconds"] for name, step in done.items()}, n_fields=done["label"]["fields"])
        for screen, done in steps.items()
    }
    return {
        "scores": pd.concat([tabulate_data_set(table) for table in pixels.values()]),
        "classes": pd.concat([tabulate_classes(table) for table in pixels.values()]),
        "bands": tabulate_bands(boxes),
        "experts": summarise_experts(boxes),
        "agreement": summarise_agreement(boxes),
        "errors": tabulate_errors(counted.table(TRUTH)),
        "confusion": _stack(tabulate_confusion(counted.table(TRUTH, test=True))),
        "event_confusion": _stack(tabulate_event_confusion(counted.table(TRUTH, test=True))),
        "ratings": pd.DataFrame([_flat(entry) for entry in preferences]),
        "raters": _rate_raters(counted),
        "points": points,
        "surrogates": correlate(points),
        "wrong_orders": list_wrong(points),
        "teacher": tabulate_teacher(counted),
        COSTS: pd.DataFrame(tabulate_costs(costs)),
    }


def tabulate_teacher(counted: Counted) -> "pd.DataFrame":
    """Compare CDL with the truth and with its teacher, by epoch and training-set size, on all held-out quarters.

    Args:
        counted: The counts of all screens.

    Returns:
        One row per CDL: mean IoU against the `truth` and against the `cip`, all screens pooled; the row `CIP` is the
        teacher itself.
    """
    import pandas as pd

    truth, teacher = (tabulate_data_set(counted.table(name)).set_index("method")["MeanIoU"] for name in (TRUTH, CIP))
    names = [name for name in truth.index if str(name).startswith(("cdl", "CDL", "CIP"))]
    return pd.DataFrame(
        {"method": names, "truth": [truth[name] for name in names], "cip": [teacher.get(name, 1.0) for name in names]}
    )


def tabulate_numbers(numbers: Mapping[str, Number], screens: Sequence[str]) -> "pd.DataFrame":
    """Tabulate ours beside every number that the paper states.

    Args:
        numbers: What `results.measure` gave.
        screens: Names of the screens, in the order of each number's own.

    Returns:
        Two rows a number, as measured there and against the truth (one where there is no truth): the estimate, its
        interval, the relative gain in percent, and a column for each screen alone.
    """
    import pandas as pd

    rows = []
    for entry in STATEMENTS:
        for against, key in (("as measured there", entry.measured), ("the truth", entry.true)):
            if key:
                number = numbers[key]
                relative = number.relative.estimate if number.relative else np.nan
                row = {"number": entry.what, "paper": entry.value, "unit": entry.unit, "against": against}
                row |= {"ours": number.estimate, "low": number.low, "high": number.high, "relative": relative}
                rows.append(row | dict(zip(screens, number.screens, strict=True)))
    return pd.DataFrame(rows)


def write_tables(tables: "Mapping[str, pd.DataFrame]", folder: Path) -> None:
    """Write each table as CSV, whole or not at all."""
    for name, table in tables.items():
        with replacing(folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False)


def _rate_raters(counted: Counted) -> "pd.DataFrame":
    """How far simulated raters of one screen agree; raters of two screens saw no image together."""
    import pandas as pd

    rows = []
    for screen in counted.screens:
        own = np.char.startswith(counted.ratings.rater, f"{screen} ")
        ratings = type(counted.ratings)(**{name: getattr(counted.ratings, name)[own] for name in _COLUMNS})
        for method in METHODS:
            rows.append(
                {"screen": screen, "method": method} | asdict(correlate_raters(score_table(ratings, method=method)))
            )
    return pd.DataFrame(rows)


_COLUMNS = ("rater", "image", "method", "score", "subset")


def _stack(matrices: "Mapping[tuple[str, str], pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    parts = [
        matrix.rename_axis("in the reference").reset_index().assign(method=method)
        for (_, method), matrix in matrices.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _flat(entry: Preference) -> dict[str, object]:
    plain = {name: value for name, value in vars(entry).items() if name not in ("shift", "delta", "ks")}
    for name in ("shift", "delta"):
        interval = getattr(entry, name)
        plain |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return plain | {"ks": entry.ks[0], "ks_p": entry.ks[1]}

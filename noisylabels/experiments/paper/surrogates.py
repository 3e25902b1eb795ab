"""Do the surrogates tell the truth? What the paper could measure, compared with what only a simulation knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from evaluation.metrics.counts import CountTable
from evaluation.metrics.scores import Metric, data_set_metrics, found_share
from noisylabels.experiments.paper.evaluation import BOXES, Counted
from noisylabels.experiments.paper.experts import CORRECTED, EXPERTS, REDRAWN
from noisylabels.experiments.paper.ratings import measure_quality
from noisylabels.experiments.paper.screen import TRUTH

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Surrogate:
    """One number the paper could have, and the true one that it stands for.

    Args:
        name: Column of the surrogate.
        truth: Column of the true score.
        comparable: Whether both have one unit, so that their difference is a bias.
    """

    name: str
    truth: str
    comparable: bool = True


SURROGATES = (
    Surrogate("MeanIoU, corrected maps", "MeanIoU, truth"),
    Surrogate("MeanIoU, redrawn maps", "MeanIoU, truth"),
    Surrogate("MeanAccuracy, corrected maps", "MeanAccuracy, truth"),
    Surrogate("MeanBFScore, corrected maps", "MeanBFScore, truth"),
    Surrogate("found@0.1, boxes of group A", "found@0.1, truth"),
    Surrogate("found@0.1, boxes of group B", "found@0.1, truth"),
    Surrogate("found@0.1, boxes of all", "found@0.1, truth"),
    Surrogate("found@0.1, boxes of all", "quality, truth", comparable=False),
    Surrogate("rating, simulated", "quality, truth", comparable=False),
)


def tabulate_points(counted: Counted) -> "pd.DataFrame":
    """Score every method of every screen by each surrogate and against the truth, on MDL's test quarters.

    Args:
        counted: The counts of all screens.

    Returns:
        One row per screen and method (methods, epochs, sizes, known doses); one column per surrogate and true score.
    """
    import pandas as pd

    methods = [name for name in counted.tables[BOXES].methods if name not in {expert.name for expert in EXPERTS}]
    rows = [
        {"screen": screen, "method": method} | _score(counted, screen, method)
        for screen in counted.screens
        for method in methods
    ]
    return pd.DataFrame(rows)


def correlate(points: "pd.DataFrame") -> "pd.DataFrame":
    """Correlate each surrogate with the truth it stands for, and give its bias.

    Args:
        points: What `tabulate_points` gave.

    Returns:
        One row per surrogate: Pearson's and Spearman's correlation over all points, the `bias` (mean difference from
        the truth; nan where the units differ), its least and largest mean by screen, and how many pairs of methods
        of one screen it puts in another order than the truth.
    """
    import pandas as pd

    rows = []
    for surrogate in SURROGATES:
        one, other = points[surrogate.name].to_numpy(float), points[surrogate.truth].to_numpy(float)
        biases = [_mean(one[rows_] - other[rows_]) for rows_ in points.groupby("screen").indices.values()]
        known = biases if surrogate.comparable else [np.nan]
        wrong = wrong_orders(points, surrogate)
        n_pairs = sum(len(rows_) * (len(rows_) - 1) // 2 for rows_ in points.groupby("screen").indices.values())
        rows.append(
            {"surrogate": surrogate.name, "truth": surrogate.truth, "n_points": len(points)}
            | {"pearson": _correlation(one, other), "spearman": _correlation(_ranks(one), _ranks(other))}
            | {"bias": float(np.mean(known)), "bias_least": float(min(known)), "bias_largest": float(max(known))}
            | {"n_pairs": n_pairs, "n_wrong": len(wrong)}
        )
    return pd.DataFrame(rows)


def wrong_orders(points: "pd.DataFrame", surrogate: Surrogate) -> list[tuple[str, str, str]]:
    """List when a conclusion from the surrogate would have been wrong.

    Args:
        points: What `tabulate_points` gave.
        surrogate: Which.

    Returns:
        (screen, method, other): the surrogate says that the method is better than the other, the truth says worse.
        Ties are no order.
    """
    found = []
    for screen, part in points.groupby("screen", sort=False):
        values: Mapping[str, tuple[float, float]] = {
            row["method"]: (row[surrogate.name], row[surrogate.truth]) for _, row in part.iterrows()
        }
        for first, second in combinations(values, 2):
            said, true = (values[first][side] - values[second][side] for side in (0, 1))
            if said * true < 0:
                found.append((str(screen), *((first, second) if said > 0 else (second, first))))
    return found


def list_wrong(points: "pd.DataFrame") -> "pd.DataFrame":
    """List every conclusion that a surrogate would have got wrong, with what each side says.

    Args:
        points: What `tabulate_points` gave.
    """
    import pandas as pd

    columns = ["surrogate", "screen", "method", "other", "said", "true"]
    rows = []
    for surrogate in SURROGATES:
        for screen, method, other in wrong_orders(points, surrogate):
            part = points[points["screen"] == screen].set_index("method")
            one, two = (part.loc[name, [surrogate.name, surrogate.truth]].to_numpy(float) for name in (method, other))
            said, true = (one - two).tolist()
            rows.append((f"{surrogate.name} for {surrogate.truth}", screen, method, other, said, true))
    return pd.DataFrame(rows, columns=columns)


def _score(counted: Counted, screen: str, method: str) -> dict[str, float]:
    truth = counted.table(TRUTH, test=True).select(plate=screen, method=method)
    named = {metric.name: metric for metric in data_set_metrics(truth.classes)}
    found = found_share(truth.classes, "", iou=0.1)
    scores = {f"{name}, truth": _of(named[name], truth) for name in ("MeanIoU", "MeanAccuracy", "MeanBFScore")}
    scores |= {"found@0.1, truth": _of(found, truth)}
    scores |= {"quality, truth": float(np.mean(list(measure_quality(truth)[method].values())))}
    for reference in (CORRECTED, REDRAWN):
        table = counted.table(reference, test=True).select(plate=screen, method=method)
        for name in ("MeanIoU", "MeanAccuracy", "MeanBFScore"):
            scores[f"{name}, {reference} maps"] = _of(named[name], table)
    boxes = counted.table(BOXES, test=True).select(plate=screen, method=method)
    for group in ("group A", "group B", "all"):
        people = [expert.name for expert in EXPERTS if group in (expert.group, "all")]
        scores[f"found@0.1, boxes of {group}"] = _of_experts(found, boxes, people)
    given = counted.ratings
    own = (given.method == method) & np.char.startswith(given.image, f"{screen} ")
    return scores | {"rating, simulated": float(given.score[own].mean())}


def _of(metric: Metric, table: CountTable) -> float:
    return metric.of_data_set(table)


def _of_experts(metric: Metric, table: CountTable, people: Sequence[str]) -> float:
    """The mean over experts, as the paper's Fig. 3B; who drew no box is left out, nan if nobody drew one."""
    return _mean([metric.of_data_set(table.select(reference=name)) for name in people])


def _mean(values: ArrayLike) -> float:
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else float("nan")


def _ranks(values: ArrayLike) -> ArrayLike:
    from scipy import stats

    ranks: ArrayLike = stats.rankdata(values, nan_policy="omit")
    return ranks


def _correlation(one: ArrayLike, other: ArrayLike) -> float:
    first, second = np.asarray(one, float), np.asarray(other, float)
    known = ~(np.isnan(first) | np.isnan(second))
    first, second = first[known], second[known]
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])

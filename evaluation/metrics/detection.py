"""Detection scores and their tables: IoU bands, thresholds, panoptic quality, confusion and errors of events.

Two modes stand side by side everywhere: `paper` (each event of the reference takes its best overlap, many-to-one) and
`one_to_one` (optimal assignment); see `evaluation.metrics.matching`. The normaliser is always the events of
the reference.
"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.metrics.counts import ERRORS, Counts, CountTable
from evaluation.metrics.matching import PANOPTIC_STEP
from evaluation.metrics.pixels import FloatArray, divide
from evaluation.metrics.settings import IOU_THRESHOLDS
from evaluation.metrics.tables import group_entries
from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ALL = "all events"
MODES = ("paper", "one_to_one")
PAPER_BANDS = (0.1, 0.5)
"""Lower edges of the paper's bands, [0.1, 0.5) and [0.5, 1]."""

N_REFERENCE, N_PREDICTION = ERRORS.index("n_reference"), ERRORS.index("n_prediction")


def score_detection(hits: ArrayLike, n_reference: ArrayLike, n_prediction: ArrayLike) -> dict[str, FloatArray]:
    """Score matched events.

    Args:
        hits: Matched pairs, TP.
        n_reference: Events of the reference, TP + FN.
        n_prediction: Predicted events, TP + FP.

    Returns:
        `recall`, `precision`, `f1` and `accuracy` = TP / (TP + FP + FN), which the 2018 Data Science Bowl, StarDist and
        Cellpose call average precision; nan where 0/0.

    Examples:
        >>> scores = score_detection(1, 2, 3)
        >>> {name: round(float(value), 3) for name, value in scores.items()}
        {'recall': 0.5, 'precision': 0.333, 'f1': 0.4, 'accuracy': 0.25}
    """
    pairs, truths, found = (np.asarray(value, float) for value in (hits, n_reference, n_prediction))
    return {
        "recall": divide(pairs, truths),
        "precision": divide(pairs, found),
        "f1": divide(2 * pairs, truths + found),
        "accuracy": divide(pairs, truths + found - pairs),
    }


def tabulate_thresholds(table: CountTable) -> "pd.DataFrame":
    """Score detection at every IoU threshold, in both modes.

    Args:
        table: Counts of one or more methods.

    Returns:
        One row per reference, method, class (and all events together), mode and threshold. The paper's mode has a
        recall only: a predicted event may serve many, so that its hits are no share of the predicted events.
    """
    import pandas as pd

    rows = []
    for head, counts in _by_class(table):
        scores = score_detection(counts["one_to_one"], counts["n_reference"], counts["n_prediction"])
        recall = divide(counts["paper"], counts["n_reference"])
        for place, iou in enumerate(IOU_THRESHOLDS):
            number = {"n_reference": counts["n_reference"], "n_prediction": counts["n_prediction"]}
            paper = {"n_found": int(counts["paper"][place]), "recall": float(recall[place])}
            pairs: dict[str, Any] = {"n_found": int(counts["one_to_one"][place])}
            pairs |= {name: float(values[place]) for name, values in scores.items()}
            rows += [
                head | {"mode": mode, "iou": iou} | number | values
                for mode, values in (("paper", paper), ("one_to_one", pairs))
            ]
    columns = [*_HEAD, "mode", "iou", "n_reference", "n_prediction", "n_found", "recall", "precision", "f1", "accuracy"]
    return pd.DataFrame(rows, columns=columns)


def tabulate_bands(table: CountTable, *, edges: Sequence[float] = PAPER_BANDS) -> "pd.DataFrame":
    """Share the events of the reference out among bands of IoU, as the paper's Fig. 3B, in both modes.

    Args:
        table: Counts of one or more methods.
        edges: Lower edges of the bands, ascending multiples of 0.05; the last band includes an IoU of 1.

    Returns:
        One row per reference, method, class (and all events together), mode and band, `band` being "[0.1, 0.5)", and at
        last "any" for all bands together: `n_found`, `n_reference` and `share`.

    Raises:
        InputError: If an edge is not a counted threshold.
    """
    import pandas as pd

    places = [_place(edge) for edge in edges]
    names = [f"[{low:g}, {high:g})" for low, high in itertools.pairwise(edges)] + [f"[{edges[-1]:g}, 1]"]
    rows = []
    for head, counts in _by_class(table):
        for mode in MODES:
            at_least = [int(counts[mode][place]) for place in places]
            found = [low - high for low, high in zip(at_least, [*at_least[1:], 0], strict=True)]
            for band, number in [*zip(names, found, strict=True), ("any", at_least[0])]:
                share = float(divide(number, counts["n_reference"]))
                about = {"mode": mode, "band": band, "n_found": number, "n_reference": counts["n_reference"]}
                rows.append(head | about | {"share": share})
    return pd.DataFrame(rows, columns=[*_HEAD, "mode", "band", "n_found", "n_reference", "share"])


def tabulate_panoptic(table: CountTable) -> "pd.DataFrame":
    """Return the panoptic quality at IoU 0.5 (Kirillov et al. 2019, arXiv:1801.00868) and the mean accuracy.

    Args:
        table: Counts of one or more methods, counted with `overlap="mask"` for the usual definition.

    Returns:
        One row per reference, method and class (and all events together): `SQ` (mean IoU of the pairs), `RQ` (F1),
        `PQ` = SQ x RQ, and `mean_accuracy`, TP / (TP + FP + FN) averaged over the thresholds 0.5, 0.55, ..., 0.95.
    """
    import pandas as pd

    rows = []
    for head, counts in _by_class(table):
        scores = score_detection(counts["one_to_one"], counts["n_reference"], counts["n_prediction"])
        at_half = PANOPTIC_STEP - 1
        segmentation = divide(counts["iou_sum"], counts["one_to_one"][at_half])
        panoptic = divide(2 * counts["iou_sum"], counts["n_reference"] + counts["n_prediction"])
        values = {"SQ": segmentation, "RQ": scores["f1"][at_half], "PQ": panoptic}
        values["mean_accuracy"] = scores["accuracy"][at_half:].mean()
        rows.append(head | {name: float(value) for name, value in values.items()})
    return pd.DataFrame(rows, columns=[*_HEAD, "SQ", "RQ", "PQ", "mean_accuracy"])


def tabulate_event_confusion(table: CountTable) -> "dict[tuple[str, str], pd.DataFrame]":
    """Return the pooled confusion matrix of events: found, of another class, missed, spurious.

    Events are matched within their class first, then what is left across classes (IoU at least `found_iou`).

    Args:
        table: Counts of one or more methods.

    Returns:
        By (reference, method): rows = class in the reference, and "spurious"; columns = class in the prediction, and
        "missed". The corner, events that neither has, is 0.
    """
    import pandas as pd

    names = list(table.classes.foreground)
    order = [*range(1, len(table.classes)), 0]
    return {
        (head["reference"], head["method"]): pd.DataFrame(
            part.detection.sum(0)[np.ix_(order, order)], index=[*names, "spurious"], columns=[*names, "missed"]
        )
        for head, part in group_entries(table)
    }


def tabulate_errors(table: CountTable) -> "pd.DataFrame":
    """Count each kind of error per class, and as a share of the events that can have it.

    Args:
        table: Counts of one or more methods.

    Returns:
        One row per reference, method, class (and all events together) and kind: `n_events`, `n_errors`, `rate`.
        Spurious and merged are shares of the predicted events, the others of the events of the reference.
    """
    import pandas as pd

    rows = []
    for head, counts in _by_class(table):
        for column, kind in enumerate(ERRORS[2:], start=2):
            side = "n_prediction" if kind in ("spurious", "merged") else "n_reference"
            number, events = int(counts["errors"][column]), counts[side]
            rate = float(divide(number, events))
            rows.append(head | {"kind": kind, "n_events": events, "n_errors": number, "rate": rate})
    return pd.DataFrame(rows, columns=[*_HEAD, "kind", "n_events", "n_errors", "rate"])


_HEAD = ("reference", "method", "class_name")


def _by_class(table: CountTable) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Pooled counts of each reference, method and foreground class, then of all classes together."""
    found = []
    for head, part in group_entries(table):
        for name in (*table.classes.foreground, ALL):
            rows = slice(1, None) if name == ALL else slice(table.classes.index(name), table.classes.index(name) + 1)
            errors = _pool(part.errors, rows)
            counts: dict[str, Any] = {mode: _pool(getattr(part, mode), rows) for mode in MODES}
            counts |= {"errors": errors, "iou_sum": float(part.iou_sum[:, rows].sum())}
            counts |= {"n_reference": int(errors[N_REFERENCE]), "n_prediction": int(errors[N_PREDICTION])}
            found.append((head | {"class_name": name}, counts))
    return found


def _pool(counts: Counts, rows: slice) -> NDArray[np.int64]:
    pooled: Counts = counts[:, rows].sum((0, 1))
    return pooled


def _place(edge: float) -> int:
    near = np.flatnonzero(np.isclose(IOU_THRESHOLDS, edge, rtol=0, atol=1e-9))
    if not len(near):
        msg = f"A band edge must be one of 0.05, 0.1, ..., 0.95, got {edge}. Those thresholds were counted."
        raise InputError(msg)
    return int(near[0])

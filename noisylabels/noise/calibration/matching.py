"""Matching: which weak event stands for which true event."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from noisylabels.data.events import InstanceMap

MIN_IOU = 0.1


class Matches(NamedTuple):
    """One-to-one pairs of true and weak events, and how all of them overlap.

    Args:
        partner: (true event,) id of the matched weak event, 0 = none.
        iou: (true event,) intersection over union with the partner, 0 = none.
        overlap: (true event,) pixels shared with the partner.
        under: (true event,) id of the weak event that holds more than half of its pixels, 0 = none.
        matched: (weak event,) whether it is anyone's partner.
        on: (weak event,) id of the true event that holds more than half of its pixels, 0 = none.
    """

    partner: NDArray[np.int32]
    iou: NDArray[np.float64]
    overlap: NDArray[np.int64]
    under: NDArray[np.int32]
    matched: NDArray[np.bool_]
    on: NDArray[np.int32]


def match_events(truth: InstanceMap, weak: InstanceMap, *, min_iou: float = MIN_IOU) -> Matches:
    """Pair true with weak events, whatever their class, so that the sum of their IoU is largest.

    Args:
        truth: (row, column) ids of the true events 1..n.
        weak: (row, column) ids of the weak events 1..m.
        min_iou: Pairs below this IoU are no pairs; 0.1 as in FedSegNoiseBench's instance confusion.

    Examples:
        >>> found = match_events(np.array([[1, 1, 0, 2]]), np.array([[1, 0, 0, 0]]))
        >>> found.partner, found.iou
        (array([1, 0], dtype=int32), array([0.5, 0. ]))
    """
    n_true, n_weak = int(truth.max(initial=0)), int(weak.max(initial=0))
    areas_true = np.bincount(truth.ravel(), minlength=n_true + 1)[1:]
    areas_weak = np.bincount(weak.ravel(), minlength=n_weak + 1)[1:]
    both = (truth > 0) & (weak > 0)
    pairs, overlaps = np.unique(np.stack([truth[both], weak[both]]) - 1, axis=1, return_counts=True)
    rows, columns = pairs
    ious = overlaps / (areas_true[rows] + areas_weak[columns] - overlaps)
    chosen = _best_pairs(rows, columns, ious, n_true, n_weak, min_iou)
    partner, iou, overlap = np.zeros(n_true, np.int32), np.zeros(n_true), np.zeros(n_true, np.int64)
    partner[rows[chosen]], iou[rows[chosen]], overlap[rows[chosen]] = (
        columns[chosen] + 1,
        ious[chosen],
        overlaps[chosen],
    )
    matched = np.zeros(n_weak, bool)
    matched[columns[chosen]] = True
    under, on = np.zeros(n_true, np.int32), np.zeros(n_weak, np.int32)
    mostly_true, mostly_weak = 2 * overlaps > areas_true[rows], 2 * overlaps > areas_weak[columns]
    under[rows[mostly_true]] = columns[mostly_true] + 1
    on[columns[mostly_weak]] = rows[mostly_weak] + 1
    return Matches(partner, iou, overlap, under, matched, on)


def _best_pairs(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    ious: NDArray[np.float64],
    n_true: int,
    n_weak: int,
    min_iou: float,
) -> NDArray[np.int64]:
    good = np.flatnonzero(ious >= min_iou)
    if len(good) == 0:
        return good
    graph = coo_array((np.ones(len(good)), (rows[good], columns[good] + n_true)), shape=(n_true + n_weak,) * 2)
    group = connected_components(graph, directed=False)[1][rows[good]]
    order = np.argsort(group, kind="stable")
    chosen: list[int] = []
    for members in np.split(good[order], np.flatnonzero(np.diff(group[order])) + 1):
        chosen += (
            members.tolist() if len(members) == 1 else _assign(rows[members], columns[members], ious[members], members)
        )
    return np.array(chosen, np.int64)


def _assign(
    rows: NDArray[np.int64], columns: NDArray[np.int64], ious: NDArray[np.float64], members: NDArray[np.int64]
) -> list[int]:
    (true_ids, at_row), (weak_ids, at_column) = (np.unique(ids, return_inverse=True) for ids in (rows, columns))
    gain, which = np.zeros((len(true_ids), len(weak_ids))), np.full((len(true_ids), len(weak_ids)), -1)
    gain[at_row, at_column], which[at_row, at_column] = ious, members
    picked = which[linear_sum_assignment(gain, maximize=True)]
    return [int(member) for member in picked if member >= 0]

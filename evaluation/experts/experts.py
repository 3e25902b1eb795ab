"""Several experts: each one's own reference, their consensus, and one against another as the ceiling."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.counts import CountTable, FieldCounts, FieldKey
from evaluation.metrics.detection import tabulate_bands, tabulate_thresholds
from evaluation.metrics.events import Events
from evaluation.metrics.fields import count_boxes
from evaluation.metrics.matching import assign
from evaluation.metrics.overlaps import pair_boxes
from evaluation.metrics.settings import THRESHOLD_STEPS, EvaluationSettings
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable

if TYPE_CHECKING:
    import pandas as pd

CONSENSUS = "consensus"
CEILING = "expert against expert"


def count_experts(
    experts: Mapping[str, Mapping[str, Events]],
    methods: Mapping[str, Mapping[str, Events]],
    *,
    classes: ClassTable,
    settings: EvaluationSettings | None = None,
    clusters: Mapping[str, str] | None = None,
) -> CountTable:
    """Count methods against every expert and the experts' consensus, and experts against each other.

    Args:
        experts: Boxes by expert and field; a field counts for an expert if it has an entry, even an empty one.
        methods: Events (found in label maps, or boxes) by method and field.
        classes: The class table.
        settings: Thresholds. The overlap is that of boxes.
        clusters: The independent unit of each field; the field itself where it has none.

    Returns:
        One entry per reference (expert, or "consensus"), method (or other expert) and field that both have. The
        consensus is made of all experts who looked at the field, where at least two did.

    Raises:
        InputError: If a method is called as an expert is, or an expert "consensus".
    """
    shared = sorted((set(experts) & set(methods)) | ({CONSENSUS} & {*experts, *methods}))
    if shared:
        msg = f"Experts, methods and {CONSENSUS!r} must have different names, got {', '.join(shared)} twice. Rename it."
        raise InputError(msg)
    how = settings or EvaluationSettings()

    def entries() -> Iterator[tuple[FieldKey, FieldCounts]]:
        for reference, prediction in _pairings(experts, methods):
            truths = _consensus_of(experts) if reference == CONSENSUS else experts[reference]
            found = methods.get(prediction) or experts[prediction]
            for name in truths:
                if name in found:
                    key = FieldKey(name, prediction, reference, (clusters or {}).get(name, ""))
                    yield key, count_boxes(truths[name], found[name], classes=classes, settings=how)

    return CountTable.stack(entries(), classes=classes, settings=how)


def find_consensus(experts: Sequence[Events], *, iou: float = 0.5, votes: int | None = None) -> Events:
    """Find the boxes that most experts agree on.

    The boxes of each two experts are matched one to one within their class; boxes connected by matches are one event,
    which is kept if enough different experts drew it. Its corners are the medians of theirs.

    Args:
        experts: One expert's boxes of the same field each; at least one expert.
        iou: From which IoU two boxes are the same event; a multiple of 0.05.
        votes: How many experts must have drawn it; more than half when None.

    Returns:
        The consensus boxes, class by class in the order of the experts' boxes.

    Examples:
        >>> first = Events.from_boxes([[0, 0, 4, 4], [8, 8, 9, 9]], [1, 1])
        >>> second = Events.from_boxes([[0, 0, 4, 5]], [1])
        >>> third = Events.from_boxes([[0, 0, 4, 6]], [1])
        >>> find_consensus([first, second, third]).boxes
        array([[0., 0., 4., 5.]])
    """
    needed = len(experts) // 2 + 1 if votes is None else votes
    starts = np.cumsum([0, *(len(expert) for expert in experts)])
    group = np.arange(starts[-1])
    for one, other in itertools.combinations(range(len(experts)), 2):
        for first, second in _same_events(experts[one], experts[other], iou):
            ends = group[starts[one] + first], group[starts[other] + second]
            group[np.isin(group, ends)] = min(ends)
    boxes = np.concatenate([expert.boxes for expert in experts]).reshape(-1, 4)
    kinds = np.concatenate([expert.class_index for expert in experts])
    drawn_by = np.repeat(np.arange(len(experts)), np.diff(starts))
    kept = [np.flatnonzero(group == one) for one in np.unique(group)]
    kept = [members for members in kept if len(set(drawn_by[members].tolist())) >= needed]
    kept.sort(key=lambda members: (kinds[members[0]], members[0]))
    corners = np.array([np.median(boxes[members], axis=0) for members in kept]).reshape(-1, 4)
    return Events.from_boxes(corners, [int(kinds[members[0]]) for members in kept])


def summarise_experts(table: CountTable) -> "pd.DataFrame":
    """Average the detection bands of each method over experts, as the paper's Fig. 3B, beside the ceiling.

    Args:
        table: What `count_experts` (or label maps of several experts, counted with each as the reference) gave.

    Returns:
        One row per method, class, mode and band: `mean` and `sd` (n - 1) of the share over experts, `n_experts`, and
        the share against the `consensus` where there is one. The method "expert against expert" is the ceiling: mean
        and SD over experts of what the others find of their events, averaged over the others.
    """
    bands = tabulate_bands(table).rename(columns={"share": "value"})
    return _over_experts(bands, ["class_name", "mode", "band"], experts=_experts_of(table))


def summarise_agreement(table: CountTable, *, iou: float = 0.5) -> "pd.DataFrame":
    """Average the F1 of each method over experts, beside the F1 of expert against expert as the ceiling.

    Args:
        table: As for `summarise_experts`.
        iou: One of the counted thresholds.

    Returns:
        One row per method and class: `mean`, `sd`, `n_experts`, `consensus`, as `summarise_experts` has them.
    """
    frame = tabulate_thresholds(table)
    frame = frame[(frame["mode"] == "one_to_one") & np.isclose(frame["iou"], iou)].rename(columns={"f1": "value"})
    return _over_experts(frame, ["class_name"], experts=_experts_of(table))


def _pairings(experts: Mapping[str, object], methods: Mapping[str, object]) -> list[tuple[str, str]]:
    against = list(itertools.product(experts, methods)) + list(itertools.permutations(experts, 2))
    return against + [(CONSENSUS, method) for method in methods]


def _consensus_of(experts: Mapping[str, Mapping[str, Events]]) -> dict[str, Events]:
    names = dict.fromkeys(name for boxes in experts.values() for name in boxes)
    drawn = {name: [boxes[name] for boxes in experts.values() if name in boxes] for name in names}
    return {name: find_consensus(boxes) for name, boxes in drawn.items() if len(boxes) > 1}


def _same_events(one: Events, other: Events, iou: float) -> NDArray[np.intp]:
    """(pair, 2) positions of the boxes that two experts drew around the same event."""
    pairs = pair_boxes(one, other)
    pairs = pairs.select(one.class_index[pairs.reference] == other.class_index[pairs.prediction])
    chosen = pairs.select(assign(pairs, step=round(iou * THRESHOLD_STEPS)))
    return np.column_stack([chosen.reference, chosen.prediction])


def _experts_of(table: CountTable) -> list[str]:
    return [name for name in table.references if name != CONSENSUS]


def _over_experts(frame: "pd.DataFrame", keys: list[str], *, experts: list[str]) -> "pd.DataFrame":
    own = frame[frame["reference"].isin(experts)]
    is_expert = own["method"].isin(experts)
    ceiling = own[is_expert].groupby(["reference", *keys], sort=False)["value"].mean().reset_index()
    values = own[~is_expert][["reference", "method", *keys, "value"]]
    import pandas as pd

    values = pd.concat([values, ceiling.assign(method=CEILING)], ignore_index=True)
    heads = ["method", *keys]
    summary = values.groupby(heads, sort=False)["value"].agg(mean="mean", sd="std", n_experts="count").reset_index()
    together = frame[frame["reference"] == CONSENSUS][[*heads, "value"]].rename(columns={"value": CONSENSUS})
    return summary.merge(together, on=heads, how="left")

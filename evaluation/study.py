"""A study: methods compared with a reference on the fields of a data set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal

import numpy as np

from evaluation.experts.consensus import staple, vote
from evaluation.experts.experts import CONSENSUS
from evaluation.metrics.counts import CountTable, FieldCounts, FieldKey
from evaluation.metrics.fields import examine_field
from evaluation.metrics.settings import EvaluationSettings
from evaluation.metrics.taxonomy import EventErrors
from evaluation.sources import FieldSource, LabelReader, method_name
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.labels import LabelMap
from noisylabels.data.wells import find_well

Consensus = Literal["majority", "staple"]


@dataclass(frozen=True)
class Study:
    """What was counted, and on what.

    Args:
        table: The counts.
        events: One row per event: `method`, `reference`, `field`, `side` ("reference" or "prediction"),
            `class_index`, `area_px` and `fate` (found, incomplete, misclassified, missed; or found, spurious).
        hashes: SHA-256 over all label maps, by label set.
        skipped: Why a field was left out, by "method/field".
    """

    table: CountTable
    events: EventTable
    hashes: Mapping[str, str]
    skipped: Mapping[str, str] = field(default_factory=dict)


def evaluate_methods(
    source: FieldSource,
    methods: Sequence[str],
    *,
    references: Sequence[str],
    consensus: Consensus | None = None,
    split: str | None = None,
    settings: EvaluationSettings | None = None,
    on_field: Callable[[str], None] = lambda _: None,
) -> Study:
    """Count every method on every field against every reference; one field is in memory at a time.

    Several references are experts: each is counted against every other too, which tells how well a method can do.

    A label map that is missing or unreadable is left out and reported in `skipped`; the rest is counted.

    Args:
        source: The data set.
        methods: Label sets of the methods, baseline first. A method is called by its label set in capitals.
        references: Label sets to hold them against: the truth, or one per expert.
        consensus: Also hold them against the experts' consensus, by "majority" or by "staple"; None: not.
        split: Which fields; None: all.
        settings: How to count.
        on_field: Called with each field's name once it is counted.

    Raises:
        InputError: If a label set does not exist or is named twice, the split is empty, nothing could be counted, or
            a consensus is asked of one reference.
    """
    sets = [*references, *methods]
    if len(set(sets)) < len(sets):
        msg = f"References and methods must be different label sets, got {', '.join(sets)}. Name each once."
        raise InputError(msg)
    if consensus not in (None, "majority", "staple") or (consensus and len(references) < 2):
        got = f"{consensus!r} of {', '.join(references)}"
        msg = f"consensus must be majority or staple of two or more references, got {got}. Name the experts."
        raise InputError(msg)
    for name in sets:
        source.require_labels(name)
    fields = source.ids(split)
    if not fields:
        msg = f"Split {split!r} must hold at least one field, got none. Name another, or evaluate all."
        raise InputError(msg)
    chosen = settings or EvaluationSettings()
    reader = LabelReader(source, ignore_index=chosen.ignore_index)
    events: list[EventTable] = []
    entries = _entries(reader, fields, methods, references, consensus, chosen, events, on_field)
    table = CountTable.stack(entries, classes=source.classes, settings=chosen)
    if not len(table):
        msg = f"At least one field must be countable, got none. The first fault: {next(iter(reader.skipped.values()))}"
        raise InputError(msg)
    digests = {name: reader.digests[name].value for name in sets}
    return Study(table, _join(events), digests, reader.skipped)


def _entries(
    reader: LabelReader,
    fields: Sequence[str],
    methods: Sequence[str],
    references: Sequence[str],
    consensus: Consensus | None,
    settings: EvaluationSettings,
    events: list[EventTable],
    on_field: Callable[[str], None],
) -> Iterator[tuple[FieldKey, FieldCounts]]:
    classes = reader.source.classes
    for case_id in fields:
        plate, well = find_well(case_id)
        cluster = reader.source.case(case_id).group
        maps = reader.maps(references, methods, case_id)
        experts = {name: maps[name] for name in references if name in maps}
        if consensus and len(experts) > 1:
            maps[CONSENSUS] = fuse(list(experts.values()), by=consensus, ignore_index=settings.ignore_index)
        for reference, prediction in _pairings(list(experts), methods, fused=CONSENSUS in maps):
            if prediction in maps:
                name = prediction if prediction in experts else method_name(prediction)
                key = FieldKey(case_id, name, reference, cluster, well, plate)
                truth, found = maps[reference], maps[prediction]
                counts, errors = examine_field(truth, found, classes=classes, settings=settings)
                if prediction not in experts:
                    events.append(_fates(key, errors))
                yield key, counts
        on_field(case_id)


def _pairings(experts: Sequence[str], methods: Sequence[str], *, fused: bool) -> list[tuple[str, str]]:
    """(reference, prediction): methods against experts, experts against each other, methods against the consensus."""
    against = [(expert, method) for method in methods for expert in experts]
    return [*against, *permutations(experts, 2), *((CONSENSUS, method) for method in methods if fused)]


def fuse(label_maps: Sequence[LabelMap], *, by: Consensus, ignore_index: int | None = None) -> LabelMap:
    """Fuse experts' label maps of one field into one.

    Args:
        label_maps: One (row, column) map per expert. Not modified.
        by: "majority" or "staple".
        ignore_index: Value of pixels that are ignored, in the fused map too where any expert has it; or None.
    """
    if ignore_index is not None:
        ignored = np.any([one == ignore_index for one in label_maps], axis=0)
        fused = fuse([np.where(ignored, np.uint8(0), one) for one in label_maps], by=by)
        return np.where(ignored, np.uint8(ignore_index), fused)
    return vote(label_maps) if by == "majority" else staple(label_maps).label_map


def _fates(key: FieldKey, errors: EventErrors) -> EventTable:
    """Say what became of every event of a field, on both sides."""
    truth, found = errors.reference, errors.prediction
    kinds = ("missed", "misclassified", "incomplete")  # the first that holds: each event has one fate
    fate = np.select([truth[kind] for kind in kinds], kinds, "found")
    n = len(truth) + len(found)
    texts = {"method": key.method, "reference": key.reference, "field": key.field}
    return EventTable(
        {
            **{name: np.full(n, text, object) for name, text in texts.items()},
            "side": np.repeat(np.array(["reference", "prediction"], object), [len(truth), len(found)]),
            "class_index": np.concatenate([truth["class_index"], found["class_index"]]),
            "area_px": np.concatenate([truth["area_px"], found["area_px"]]),
            "fate": np.concatenate([fate, np.where(found["spurious"], "spurious", "found")]).astype(object),
        }
    )


def _join(tables: Sequence[EventTable]) -> EventTable:
    names = tables[0] if tables else ()
    return EventTable({name: np.concatenate([table[name] for table in tables]) for name in names})

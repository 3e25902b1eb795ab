"""A study: methods compared with a reference on the fields of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal, NamedTuple

import numpy as np

from evaluation.experts.consensus import staple, vote
from evaluation.experts.experts import CONSENSUS
from evaluation.metrics.counts import CountTable, FieldCounts, FieldKey
from evaluation.metrics.events import Events, find_events
from evaluation.metrics.fields import check_pair, examine_field, find_both
from evaluation.metrics.instances import find_instances
from evaluation.metrics.precision_recall import PAIRED, PROBABILITY, UNASKED, find_probabilities, pair_events
from evaluation.metrics.settings import EvaluationSettings
from evaluation.metrics.taxonomy import EventErrors
from evaluation.sources import FieldSource, LabelReader, method_name
from noisylabels.data.errors import InputError
from noisylabels.data.event_files import NUMBERS
from noisylabels.data.events import EventTable, InstanceMap
from noisylabels.data.labels import LabelMap
from noisylabels.data.wells import find_well

Consensus = Literal["majority", "staple"]


@dataclass(frozen=True)
class Study:
    """What was counted, and on what.

    Args:
        table: The counts.
        events: One row per event: `method`, `reference`, `field`, `side` ("reference" or "prediction"),
            `class_index`, `area_px` and `fate` (found, incomplete, misclassified, missed; or found, spurious); where
            probabilities were given also `probability` (nan of the reference's) and `paired` (1: one to one at an IoU
            of 0.5, 0: not, -1: its field has no probabilities).
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
    probabilities: Mapping[str, Mapping[str, EventTable]] | None = None,
    on_field: Callable[[str], None] = lambda _: None,
) -> Study:
    """Count every method on every field against every reference; one field is in memory at a time.

    Several references are experts: each is counted against every other too, which tells how well a method can do.

    A label map that is missing or unreadable is left out and reported in `skipped`; the rest is counted.

    Args:
        source: The data set.
        methods: Label sets of the methods, baseline first. A method is called by its label set in capitals.
        references: Label sets to compare them with: the truth, or one per expert.
        consensus: Also compare them with the experts' consensus, by "majority" or by "staple"; None: not.
        split: Which fields; None: all.
        settings: How to count; with `instances` the events are the objects of the instance maps of every label set.
        probabilities: By label set, by field: the events of its label map with their `probability`, as
            `noisylabels predict` writes them; a table of another label map is left out and reported in `skipped`.
        on_field: Called with each field's name once it is counted.

    Raises:
        InputError: If a label set does not exist or is named twice, the split is empty, nothing could be counted, or
            a consensus is asked of one reference or of instances.
    """
    sets = [*references, *methods]
    if len(set(sets)) < len(sets):
        msg = f"References and methods must be different label sets, got {', '.join(sets)}. Name each once."
        raise InputError(msg)
    if consensus not in (None, "majority", "staple") or (consensus and len(references) < 2):
        got = f"{consensus!r} of {', '.join(references)}"
        msg = f"consensus must be majority or staple of two or more references, got {got}. Name the experts."
        raise InputError(msg)
    chosen = settings or EvaluationSettings()
    if consensus and chosen.instances:
        msg = (
            f"References must be fused as label maps, got --consensus {consensus} of instances. Leave one of them out."
        )
        raise InputError(msg)
    for name in sets:
        source.require_labels(name)
    fields = source.ids(split)
    if not fields:
        msg = f"Split {split!r} must hold at least one field, got none. Name another, or evaluate all."
        raise InputError(msg)
    reader = LabelReader(source, ignore_index=chosen.ignore_index)
    events: list[EventTable] = []
    sure = _Sureness(reader, chosen, probabilities or {})
    entries = _entries(reader, fields, methods, references, consensus, chosen, sure, events, on_field)
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
    sure: _Sureness,
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
                pair = _Pair(truth, found)
                try:
                    if settings.instances:
                        numbered = [reader.instance_map(name, case_id) for name in (reference, prediction)]
                        pair = _Pair(truth, found, (numbered[0], numbered[1]))
                    counts, errors = examine_field(
                        truth, found, classes=classes, settings=settings, source=case_id, instances=pair.instances
                    )
                except (InputError, OSError) as error:
                    if not settings.instances:
                        raise
                    reader.skipped[f"instances of {prediction}/{case_id}"] = str(error)
                    continue
                if prediction not in experts:
                    events.append(_fates(key, errors).joined(**sure.columns(prediction, case_id, pair)))
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


class _Pair(NamedTuple):
    """The label maps of a field, and its instance maps where those count."""

    truth: LabelMap
    found: LabelMap
    instances: tuple[InstanceMap, InstanceMap] | None = None


@dataclass(frozen=True)
class _Sureness:
    """The columns that probabilities add to the events of a study; none where no method has any."""

    reader: LabelReader
    settings: EvaluationSettings
    tables: Mapping[str, Mapping[str, EventTable]]

    def columns(self, name: str, case_id: str, maps: _Pair) -> dict[str, np.ndarray]:
        if not self.tables:
            return {}
        classes = self.reader.source.classes
        pair = check_pair(maps.truth, maps.found, classes=classes, settings=self.settings)
        one, other = find_both(*pair, settings=self.settings, instances=maps.instances)
        chances = self._chances(name, case_id, maps, other)
        if chances is None:
            unasked = np.full(len(one) + len(other), UNASKED, np.int8)
            return {PROBABILITY: np.full(len(unasked), np.nan), PAIRED: unasked}
        paired = np.concatenate(pair_events(one, other, settings=self.settings)).astype(np.int8)
        return {PROBABILITY: np.concatenate([np.full(len(one), np.nan), chances]), PAIRED: paired}

    def _chances(self, name: str, case_id: str, maps: _Pair, counted: Events) -> np.ndarray | None:
        if name not in self.tables:
            return None
        table = self.tables[name].get(case_id, _NO_EVENTS)
        found = np.where(maps.found < len(self.reader.source.classes), maps.found, np.uint8(0))
        whole = find_instances(maps.instances[1], found) if maps.instances else find_events(found)
        try:
            return find_probabilities(whole, counted, table, source=f"{name} of {case_id}")
        except InputError as error:
            self.reader.skipped[f"probabilities of {name}/{case_id}"] = str(error)
            return None


_NO_EVENTS = EventTable({name: np.zeros(0) for name in (*NUMBERS, PROBABILITY)})


def _fates(key: FieldKey, errors: EventErrors) -> EventTable:
    """Return what became of every event of a field, on both sides."""
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

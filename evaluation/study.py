"""A study: methods held against a reference on the fields of a data set."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from evaluation.counts import CountTable, FieldCounts, FieldKey
from evaluation.fields import examine_field
from evaluation.settings import EvaluationSettings
from evaluation.taxonomy import EventErrors
from noisylabels.errors import InputError
from noisylabels.events import EventTable
from noisylabels.labels import ClassTable, LabelMap, check_label_map

WELL = re.compile(r"(?:(?P<plate>.*?)[_-])?(?P<well>[A-P](?:0?[1-9]|1\d|2[0-4]))(?=[_-]|$)")
"""A well within a field's name, as in `plate1_B07_f3`: rows A to P, columns 1 to 24."""


class FieldSource(Protocol):
    """What a study needs of a dataset folder. The rooms hand each other folders; the command opens this one."""

    @property
    def classes(self) -> ClassTable:
        """The class table of every label map."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """One name per channel."""

    def ids(self, split: str | None = None) -> list[str]:
        """List the fields of one split, or of all."""

    def case(self, case_id: str) -> Any:
        """Give the entry of a field; its `group` is what must stay together."""

    def image(self, case_id: str) -> Any:
        """Read an image, (channel, row, column)."""

    def label_map(self, name: str, case_id: str) -> LabelMap:
        """Read a label map of a label set."""

    def require_labels(self, name: str) -> None:
        """Refuse an unknown label set."""


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
    split: str | None = None,
    settings: EvaluationSettings | None = None,
    on_field: Callable[[str], None] = lambda _: None,
) -> Study:
    """Count every method on every field against every reference; one field is in memory at a time.

    A label map that is missing or unreadable is left out and reported in `skipped`; the rest is counted.

    Args:
        source: The data set.
        methods: Label sets of the methods, baseline first. A method is called by its label set in capitals.
        references: Label sets to hold them against: the truth, or one per expert.
        split: Which fields; None: all.
        settings: How to count.
        on_field: Called with each field's name once it is counted.

    Raises:
        InputError: If a label set does not exist or is named twice, the split is empty, or nothing could be counted.
    """
    sets = [*references, *methods]
    if len(set(sets)) < len(sets):
        msg = f"References and methods must be different label sets, got {', '.join(sets)}. Name each once."
        raise InputError(msg)
    for name in sets:
        source.require_labels(name)
    fields = source.ids(split)
    if not fields:
        msg = f"Split {split!r} must hold at least one field, got none. Name another, or evaluate all."
        raise InputError(msg)
    reader = _Reader(source)
    chosen = settings or EvaluationSettings()
    events: list[EventTable] = []
    entries = _entries(reader, fields, methods, references, chosen, events, on_field)
    table = CountTable.stack(entries, classes=source.classes, settings=chosen)
    if not len(table):
        msg = f"At least one field must be countable, got none. The first fault: {next(iter(reader.skipped.values()))}"
        raise InputError(msg)
    digests = {name: reader.digests[name].hexdigest() for name in sets}
    return Study(table, _join(events), digests, reader.skipped)


def method_name(label_set: str) -> str:
    """Call a method by its label set: short names in capitals, as CIP, CDL, MDL.

    Examples:
        >>> method_name("cip"), method_name("expert_1")
        ('CIP', 'expert_1')
    """
    return label_set.upper() if len(label_set) <= 4 and label_set.isalpha() else label_set


def find_well(name: str) -> tuple[str, str]:
    """Find plate and well in the name of a field; both empty when it names none.

    Examples:
        >>> find_well("plate1_B07_f3"), find_well("B07-2"), find_well("img_0001")
        (('plate1', 'B07'), ('', 'B07'), ('', ''))
    """
    match = WELL.match(name)
    if match is None:
        return "", ""
    well = match["well"]
    return match["plate"] or "", f"{well[0]}{int(well[1:]):02d}"


class _Reader:
    """Reads label maps, remembers what could not be read, and hashes what was."""

    def __init__(self, source: FieldSource) -> None:
        self.source = source
        self.skipped: dict[str, str] = {}
        self.digests: defaultdict[str, Any] = defaultdict(hashlib.sha256)

    def label_map(self, name: str, case_id: str, like: tuple[int, int] | None = None) -> LabelMap | None:
        try:
            label_map = self.source.label_map(name, case_id)
            if like is not None:
                check_label_map(label_map, self.source.classes, source=f"{name} of {case_id}", like=like)
        except (InputError, OSError) as error:
            self.skipped[f"{name}/{case_id}"] = str(error)
            return None
        self.digests[name].update(f"{case_id} {label_map.shape}".encode())
        self.digests[name].update(np.ascontiguousarray(label_map).data)
        return label_map


def _entries(
    reader: _Reader,
    fields: Sequence[str],
    methods: Sequence[str],
    references: Sequence[str],
    settings: EvaluationSettings,
    events: list[EventTable],
    on_field: Callable[[str], None],
) -> Iterator[tuple[FieldKey, FieldCounts]]:
    for case_id in fields:
        plate, well = find_well(case_id)
        truths = {name: reader.label_map(name, case_id) for name in references}
        size = next(((truth.shape[0], truth.shape[1]) for truth in truths.values() if truth is not None), None)
        for method in methods:
            prediction = reader.label_map(method, case_id, like=size)
            for name, truth in truths.items():
                if truth is None or prediction is None:
                    continue
                key = FieldKey(case_id, method_name(method), name, reader.source.case(case_id).group, well, plate)
                classes = reader.source.classes
                counts, errors = examine_field(truth, prediction, classes=classes, settings=settings)
                events.append(_fates(key, errors))
                yield key, counts
        on_field(case_id)


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

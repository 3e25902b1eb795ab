"""Screens without a reference: what methods found, where they disagree, and which images to distrust."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.events import find_events
from evaluation.metrics.pixels import count_pixels, mean_defined, score_classes
from evaluation.screens.quality import measure_focus, share_saturated
from evaluation.sources import FieldSource, method_name
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.labels import ClassTable, LabelMap, check_label_map
from noisylabels.data.wells import find_well

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Survey:
    """What was seen on n fields of a screen, without a reference.

    Args:
        classes: The class table.
        methods: Methods, in order.
        channel_names: One name per channel.
        fields: (n,) names.
        plates: (n,) plate names, empty where a field names none.
        wells: (n,) well names, empty where a field names none.
        counts: (n, method, class) events.
        events: One row per event: `method`, `class_index`, `area_px`.
        disagreement: (n,) 1 - mean IoU over event classes of the first and the last method, in [0, 1]; 0 where neither
            has an event, nan with one method.
        focus: (n, channel) fine structure; see `evaluation.screens.quality.measure_focus`.
        saturated: (n, channel) share of pixels at the end of the scale.
    """

    classes: ClassTable
    methods: tuple[str, ...]
    channel_names: tuple[str, ...]
    fields: NDArray[np.str_]
    plates: NDArray[np.str_]
    wells: NDArray[np.str_]
    counts: NDArray[np.int64]
    events: EventTable
    disagreement: FloatArray
    focus: FloatArray
    saturated: FloatArray

    def areas(self, method: str, index: int) -> NDArray[np.int64]:
        """Return the areas of one method's events of a class, (event,) pixels."""
        rows = (self.events["method"] == method) & (self.events["class_index"] == index)
        return np.asarray(self.events["area_px"][rows], np.int64)


def survey_screen(
    source: FieldSource,
    methods: Sequence[str],
    *,
    split: str | None = None,
    on_field: Callable[[str], None] = lambda _: None,
) -> Survey:
    """Compute of every field of a screen: events of every method, disagreement, focus, saturation.

    One field is in memory at a time.

    Args:
        source: The data set.
        methods: Label sets, baseline first.
        split: Which fields; None: all.
        on_field: Called with each field's name once it is done.

    Raises:
        InputError: If a label set does not exist, a label map has not the size of its image, or there is no field.
    """
    for name in methods:
        source.require_labels(name)
    fields = source.ids(split)
    if not fields:
        msg = f"A screen must have at least one field, got none in split {split!r}. Name another split, or all."
        raise InputError(msg)
    names = [method_name(name) for name in methods]
    n_classes = len(source.classes)
    seen, columns = [], {"method": [], "class_index": [], "area_px": []}  # type: ignore[var-annotated]
    for field in fields:
        image = np.asarray(source.image(field))
        maps = [_label_map(source, name, field, like=image) for name in methods]
        found = [find_events(label_map) for label_map in maps]
        for name, events in zip(names, found, strict=True):
            columns["method"].append(np.full(len(events), name, object))
            columns["class_index"].append(events.class_index)
            columns["area_px"].append(events.area_px)
        channels = image.max(1) if image.ndim == 4 else image
        seen.append(
            (
                [np.bincount(events.class_index, minlength=n_classes) for events in found],
                disagree(maps[0], maps[-1], n_classes=n_classes) if len(maps) > 1 else float("nan"),
                [measure_focus(channel) for channel in channels],
                [share_saturated(channel) for channel in channels],
            )
        )
        on_field(field)
    counts, disagreement, focus, saturated = zip(*seen, strict=True)
    places = [find_well(field) for field in fields]
    return Survey(
        classes=source.classes,
        methods=tuple(names),
        channel_names=tuple(source.channel_names),
        fields=np.array(fields, np.str_),
        plates=np.array([plate for plate, _ in places], np.str_),
        wells=np.array([well for _, well in places], np.str_),
        counts=np.array(counts, np.int64),
        events=EventTable({name: np.concatenate(parts) for name, parts in columns.items()}),
        disagreement=np.array(disagreement, float),
        focus=np.array(focus, float),
        saturated=np.array(saturated, float),
    )


def _label_map(source: FieldSource, name: str, field: str, *, like: RealArray) -> LabelMap:
    size = (like.shape[-2], like.shape[-1])
    return check_label_map(source.label_map(name, field), source.classes, source=f"{name} of {field}", like=size)


def disagree(first: LabelMap, second: LabelMap, *, n_classes: int) -> float:
    """Return how far two label maps of a field differ: 1 - mean IoU over the event classes that either has.

    Args:
        first: (row, column) class indices. Not modified.
        second: (row, column) class indices. Not modified.
        n_classes: Classes, background included.

    Returns:
        A value in [0, 1]; 0 when neither has an event.

    Examples:
        >>> disagree(np.array([[0, 1, 1]], np.uint8), np.array([[0, 1, 0]], np.uint8), n_classes=3)
        0.5
    """
    confusion = count_pixels(first, second, n_classes=n_classes)
    mean = float(mean_defined(score_classes(confusion)["iou"][1:]))
    return 0.0 if np.isnan(mean) else 1 - mean

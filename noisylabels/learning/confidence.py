"""How sure a network is of each event: tables, probability maps and instance maps beside its label maps.

A network's arrays are MONAI's (class, x, y); what is measured and written here is (class, row, column).
"""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.transforms.transform import MapTransform
from numpy.typing import NDArray

from noisylabels.data.atomic import replacing
from noisylabels.data.event_files import EVENT_FILE, NUMBERS, write_event_file
from noisylabels.data.events import EventTable, InstanceMap, find_small_events, label_events, measure_events
from noisylabels.data.instances import split_touching, write_instance_map
from noisylabels.data.labels import LabelMap
from noisylabels.learning.monai_io import LabelLayout

EVENTS, INSTANCES = "events", "instances"
"""Entries of an item that hold its tables."""


def measure_confidence(instances: InstanceMap, classes: LabelMap, probabilities: NDArray[np.float32]) -> EventTable:
    """Measure the place and size of each event, and the mean probability of its class over its pixels.

    Args:
        instances: (row, column) ids 1, 2, ...; 0 for background. Not modified.
        classes: (event,) class index of each id.
        probabilities: (class, row, column) in [0, 1]. Not modified.

    Returns:
        One row per event: the columns of `noisylabels.data.event_files`.

    Examples:
        >>> label_map = np.array([[1, 1, 0]], np.uint8)
        >>> chances = np.array([[[0.2, 0.4, 0.9]], [[0.8, 0.6, 0.1]]], np.float32)
        >>> measure_confidence(*label_events(label_map), chances)["probability"].round(3)
        array([0.7])
    """
    table = measure_events(instances, classes, wanted=())
    own = np.concatenate([[0], classes]).astype(np.intp)[instances]
    chances = np.take_along_axis(probabilities, own[None], axis=0)[0]
    sums = np.bincount(instances.ravel(), weights=chances.ravel(), minlength=len(classes) + 1)[1:]
    mean = np.clip(sums / np.maximum(table["area_px"], 1), 0, 1)
    return EventTable({**{name: table[name] for name in NUMBERS}, "probability": mean})


class SmallEventsDropd(MapTransform):
    """Make background of predicted events that are too small: specks that a network sees in noise.

    The logits of the event's class and of the background change places there, so that label maps, probabilities and
    tables agree.

    Args:
        keys: The entry of (class, x, y) logits; it is replaced.
        min_area_px: Events with fewer pixels are dropped.

    Examples:
        >>> logits = torch.tensor([[[0.0, 2.0, 0.0, 0.0]], [[1.0, 0.0, 1.0, 1.0]]])
        >>> SmallEventsDropd("pred", min_area_px=2)({"pred": logits})["pred"].argmax(0)
        tensor([[0, 0, 1, 1]])
    """

    def __init__(self, keys: Sequence[Hashable] | Hashable, min_area_px: int) -> None:
        super().__init__(keys)
        self.min_area_px = min_area_px

    def __call__(self, data: Mapping[Hashable, object]) -> dict[Hashable, object]:
        """Drop in every key."""
        item = dict(data)
        for key in self.key_iterator(item):
            logits = torch.as_tensor(item[key])
            winner = logits.argmax(dim=0)
            found = find_small_events(np.asarray(winner.cpu().numpy(), np.uint8), self.min_area_px)
            small = torch.as_tensor(found, device=logits.device)
            changed = logits.clone()
            changed[0] = torch.where(small, logits.amax(dim=0), logits[0])
            changed.scatter_(0, winner[None], torch.where(small, logits[0], logits.amax(dim=0))[None])
            item[key] = changed
        return item


class EventConfidenced(MapTransform):
    """Measure the events that logits hold: the item gets the entries `field` and `events`, and files where asked for.

    Args:
        keys: The entry of (class, x, y) logits, without padding; it stays as it is.
        dataset_dir: Where datalist.json tells the ids of images.
        temperature: Logits are divided by it before they become probabilities.
        probabilities_dir: Where class probabilities go, `<id>.npy`, (class, row, column) float16; None: nowhere.
        instances_dir: Where instance maps go, `<id>.tif`, the item then gets `instances` too; None: nowhere.
    """

    def __init__(
        self,
        keys: Sequence[Hashable] | Hashable,
        dataset_dir: str | None = None,
        temperature: float = 1.0,
        probabilities_dir: str | None = None,
        instances_dir: str | None = None,
    ) -> None:
        super().__init__(keys)
        self.temperature = temperature
        self.layout = LabelLayout("", dataset_dir=dataset_dir)
        self.probabilities_dir = probabilities_dir
        self.instances_dir = instances_dir

    def __call__(self, data: Mapping[Hashable, object]) -> dict[Hashable, object]:
        """Measure every key."""
        item = dict(data)
        for key in self.key_iterator(item):
            self._measure(item, item[key])
        return item

    def _measure(self, item: dict[Hashable, object], prediction: object) -> None:
        logits = torch.as_tensor(prediction).detach().as_subclass(torch.Tensor).float()  # without its history
        label_map = np.ascontiguousarray(logits.argmax(dim=0).cpu().numpy().T, np.uint8)
        chances = torch.softmax(logits / self.temperature, dim=0).cpu().numpy().swapaxes(1, 2)
        item["field"] = field = self._name(prediction)
        item[EVENTS] = measure_confidence(*label_events(label_map), chances)
        if self.probabilities_dir is not None:
            with replacing(Path(self.probabilities_dir) / f"{field}.npy") as path, path.open("wb") as file:
                np.save(file, chances.astype(np.float16))
        if self.instances_dir is not None:
            instances, classes = split_touching(label_map)
            write_instance_map(Path(self.instances_dir) / f"{field}.tif", instances)
            item[INSTANCES] = measure_confidence(instances, classes, chances)

    def _name(self, prediction: object) -> str:
        meta = getattr(prediction, "meta", {})
        return self.layout.filename(subject=meta.get("filename_or_obj", "field")).stem


class EventTableSaver:
    """Write the tables of all fields when an evaluator has seen them: handler of a MONAI config.

    Args:
        class_names: One name per class index, the background first.
        path: The table of events; None: none.
        instances_dir: The folder of instance maps, whose table lies beside them; None: none.
    """

    def __init__(self, class_names: Sequence[str], path: str | None = None, instances_dir: str | None = None) -> None:
        self.class_names = tuple(class_names)
        self.paths = {EVENTS: path, INSTANCES: instances_dir and str(Path(instances_dir) / EVENT_FILE)}
        self.tables: dict[str, dict[str, EventTable]] = {EVENTS: {}, INSTANCES: {}}

    def attach(self, engine: Engine) -> None:
        """Collect after every iteration, write at the end."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.collect)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def collect(self, engine: Engine) -> None:
        """Keep the tables of the last fields."""
        items = engine.state.output if isinstance(engine.state.output, list) else []
        for item in items:
            for kind, tables in self.tables.items():
                if isinstance(item.get(kind), EventTable):
                    tables[str(item["field"])] = item[kind]

    def write(self, engine: Engine) -> None:  # noqa: ARG002
        """Write what there is."""
        for kind, path in self.paths.items():
            if path is not None and self.tables[kind]:
                write_event_file(path, self.tables[kind], self.class_names)

"""A trained network from its files: weights, and the record beside them that tells how to build it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Image
from noisylabels.data.errors import InputError
from noisylabels.data.events import find_small_events
from noisylabels.data.images import check_pixels
from noisylabels.data.labels import ClassTable, LabelMap

if TYPE_CHECKING:
    from noisylabels.learning.launch import Launch
    from noisylabels.learning.records import Record

WEIGHTS = "model.pt"


class Plan(NamedTuple):
    """What a trained network is: the prediction that builds it, its weights, its classes and channels."""

    launch: Launch
    weights: Path
    classes: ClassTable
    channel_names: tuple[str, ...]


class _Parts(NamedTuple):
    network: Any
    prepare: Any
    inferer: Any
    device: Any


class Model:
    """A trained network: images in, label maps or probabilities out.

    Inside MONAI the axis order is (channel, x, y); outside it is (channel, row, column). Here one becomes the other.

    Args:
        launch: A prediction, planned: its config builds the network, the preprocessing and the inferer.
        weights: The checkpoint.
        classes: What its class indices mean.
        channel_names: What it was trained on, in order.

    Attributes:
        min_event_px: Predicted events with fewer pixels become background, as in `noisylabels predict`; weights bring
            their own, 20 those of nuclei, and most of them 0, which drops none.
    """

    def __init__(self, launch: Launch, weights: Path, classes: ClassTable, channel_names: Sequence[str]) -> None:
        self.weights = weights
        self.classes = classes
        self.channel_names = tuple(channel_names)
        self._parts, self.min_event_px = _build(launch, weights)

    @property
    def network(self) -> Any:
        """The bare network, a torch module: (batch, channel, x, y) in, logits out."""
        return self._parts.network

    def __repr__(self) -> str:
        """Return one short line for a notebook."""
        return f"Model({str(self.weights)!r}, {', '.join(self.channel_names)} -> {', '.join(self.classes)})"

    def predict(self, image: Image) -> LabelMap:
        """Return the label map of an image, without the events that are smaller than `min_event_px`.

        Args:
            image: (channel, row, column) of any number type. Not modified.

        Returns:
            (row, column) uint8 class indices.

        Raises:
            InputError: If it has another shape or number of channels, no pixels, or holds NaN or infinity.
        """
        return self.predict_batch([image])[0]

    def predict_batch(self, images: Sequence[Image]) -> list[LabelMap]:
        """Return the label maps of images of one size, given to the network together."""
        logits, ready = self._run(images)
        classes = logits.argmax(dim=1, keepdim=True).to(dtype=_torch().uint8).cpu()
        pairs = zip(classes, ready, strict=True)
        label_maps = [np.ascontiguousarray(self._unpadded(one, tensor)[0], np.uint8) for one, tensor in pairs]
        for label_map in label_maps:
            label_map[find_small_events(label_map, self.min_event_px)] = 0
        return label_maps

    def probabilities(self, image: Image) -> NDArray[np.float32]:
        """Return the class probabilities of an image, (class, row, column) float32 that sum to 1.

        Where `predict` drops a small event, those of its class and of the background have changed places.

        Args:
            image: (channel, row, column). Not modified.
        """
        torch = _torch()
        logits: object = self.logits(image)
        if self.min_event_px > 1:
            from noisylabels.learning.confidence import SmallEventsDropd

            logits = SmallEventsDropd("pred", self.min_event_px)({"pred": logits})["pred"]
        return np.ascontiguousarray(torch.softmax(torch.as_tensor(logits), dim=0).numpy(), np.float32)

    def logits(self, image: Image) -> NDArray[np.float32]:
        """Return what the network gives before the softmax, (class, row, column) float32, small events included.

        Args:
            image: (channel, row, column). Not modified.
        """
        logits, (ready,) = self._run([image])
        return np.ascontiguousarray(self._unpadded(logits[0].float().cpu(), ready), np.float32)

    def _run(self, images: Sequence[Image]) -> tuple[Any, list[Any]]:
        from monai.data import MetaTensor

        torch, parts = _torch(), self._parts
        for image in images:
            self._check(image)
        given = [MetaTensor(np.ascontiguousarray(np.asarray(image).swapaxes(1, 2), np.float32)) for image in images]
        ready = [parts.prepare({"image": tensor})["image"] for tensor in given]
        batch = torch.stack([tensor.as_tensor() for tensor in ready]).to(parts.device)
        with torch.inference_mode():
            return parts.inferer(batch, parts.network), ready

    def _check(self, image: Image) -> None:
        shape = np.shape(image)
        if len(shape) != 3 or shape[0] != len(self.channel_names):
            msg = (
                f"An image must be (channel, row, column) with {len(self.channel_names)} channels "
                f"({', '.join(self.channel_names)}), got shape {shape}. Add the channel axis, or choose channels."
            )
            raise InputError(msg)
        if 0 in shape:
            msg = f"An image must have rows and columns, got shape {shape}. Leave empty ones out."
            raise InputError(msg)
        check_pixels(np.asarray(image), source="the image")

    def _unpadded(self, answer: Any, prepared: Any) -> NDArray[Any]:
        from monai.data import MetaTensor

        padded = MetaTensor(answer, applied_operations=prepared.applied_operations)
        inverted = self._parts.prepare.inverse({"image": padded})["image"]
        turned: NDArray[Any] = np.asarray(inverted).swapaxes(1, 2)
        return turned


def load_model(path: str | Path, *, bundle: str | None = None, device: str = "cpu") -> Model:
    """Load a trained network.

    Args:
        path: `model.pt`, or the run folder that holds it, or the name of weights that come along (cdl, mdl, nuclei).
            The record beside it (run.json) tells which network it is; without one it is that of the bundle as it comes.
        bundle: cdl, mdl, or a bundle's folder; what the record says when None, else cdl.
        device: `cpu`, `cuda`, ...

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there are no weights.
        InputError: If they do not fit the network, or the record holds what a config would evaluate.
    """
    from noisylabels.learning.devices import check_device

    check_device(device)
    plan = plan_model(path, bundle=bundle, device=device)
    return Model(plan.launch, plan.weights, plan.classes, plan.channel_names)


def plan_model(path: str | Path, *, bundle: str | None = None, device: str = "cpu") -> Plan:
    """Read what a trained network is, without building it; arguments and errors as in `load_model`."""
    from noisylabels.learning import channels, launcher
    from noisylabels.learning.launch import bundle_homes
    from noisylabels.learning.records import bundle_of, read_record
    from noisylabels.learning.shipped import find_shipped, rule_of_models

    come_along = find_shipped(str(path), bundle_homes())
    weights = come_along or (Path(path) / WEIGHTS if Path(path).is_dir() else Path(path))
    if not weights.is_file():
        msg = f"{rule_of_models(bundle_homes())}, got {path}. Name one of them, or train one."
        raise FileNotFoundError(msg)
    record = read_record(weights)
    named = bundle or bundle_of(record) or "cdl"
    launch = launcher.plan_prediction(named, (), {"ckpt_path": str(weights), "device": f"$torch.device({device!r})"})
    names = launch.values().get("class_names") or channels.class_names(launch.bundle)
    return Plan(launch, weights, ClassTable(tuple(names)), tuple(_channels(launch, record)))


def predict(image: Image, model: Model | str | Path) -> LabelMap:
    """Return the label map that a trained network gives an image.

    Args:
        image: (channel, row, column) in the order of the channels it was trained on. Not modified.
        model: A model, or `model.pt`, or the run folder that holds it; for many images load it once.

    Returns:
        (row, column) uint8 class indices: the map that `noisylabels predict` writes with the same weights, without
        the small events that these drop.

    Raises:
        FileNotFoundError: If there are no weights.
        InputError: If the image or the weights do not fit.
    """
    loaded = model if isinstance(model, Model) else load_model(model)
    return loaded.predict(image)


def _channels(launch: Launch, record: Record | None) -> list[str]:
    from noisylabels.learning import channels

    known = channels.expected_channels(launch.bundle, record.channel_names if record else ())
    number = int(launch.values().get("n_channels", len(known)))
    return known if len(known) == number else [f"channel {place + 1}" for place in range(number)]


def _build(launch: Launch, weights: Path) -> tuple[_Parts, int]:
    """Build the network and what surrounds it, and tell the smallest event that it gives."""
    from noisylabels.learning.checkpoints import load_weights
    from noisylabels.learning.launch import parse

    parser = parse(launch)
    steps = parser["preprocessing"]["transforms"]
    parser["preprocessing"]["transforms"] = [step for step in steps if step["_target_"] != "LoadImaged"]
    parser.parse()
    names = ("network", "preprocessing", "inferer", "device")
    network, prepare, inferer, device = (parser.get_parsed_content(name) for name in names)
    load_weights(network, weights, map_location=device)
    network.eval()
    return _Parts(network, prepare, inferer, device), int(parser.get("min_event_px", 0))


def _torch() -> Any:
    import torch

    return torch

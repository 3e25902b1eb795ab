"""What turns images into label maps: a threshold, the CIP, a bundle's network, an exported network.

A method is a small frozen description that travels to workers; `load` builds the heavy thing behind it there, once
per process.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from noisylabels.data.arrays import Image
from noisylabels.data.errors import InputError
from noisylabels.data.hashes import hash_code, hash_files, hash_values
from noisylabels.data.labels import ROSELLA, ClassTable, LabelMap
from noisylabels.plates.fields import Projection

Predict = Callable[[Sequence[Image]], list[LabelMap]]


class Method(Protocol):
    """A way to label fields."""

    @property
    def name(self) -> str:
        """Short name; a column of every table."""

    @property
    def classes(self) -> ClassTable:
        """The classes of its label maps."""

    @property
    def z(self) -> Projection | int:
        """Which focal planes it wants."""

    @property
    def needs_counts(self) -> bool:
        """Whether its thresholds are counts of a 16-bit camera, so that images of another scale give nothing."""

    def fingerprint(self) -> str:
        """Return the hash of settings, model files and code: what decides the pixels."""

    def load(self) -> Predict:
        """Build it: (channel, row, column) images, or stacks, to label maps of the same rows and columns."""


@dataclass(frozen=True)
class Threshold:
    """Label what stands out of a smoothed background: the simplest method, for trials and for checking a plate.

    Args:
        sigma_px: Radius of the blur that makes the background, in pixels.
        factor: How many robust standard deviations above it an event begins.
        smallest_px: Fewer pixels are no event.
    """

    sigma_px: float = 8.0
    factor: float = 4.0
    smallest_px: int = 5

    name = "threshold"
    classes = ClassTable(("background", "event"))
    needs_counts = False
    z: Projection = "max"

    def __post_init__(self) -> None:
        if self.sigma_px <= 0 or self.factor <= 0:
            msg = f"sigma_px and factor must be above 0, got {self.sigma_px} and {self.factor}. Give positive numbers."
            raise InputError(msg)

    def fingerprint(self) -> str:
        """Return the hash of settings and this file."""
        return hash_values({**dataclasses.asdict(self), "code": hash_code(("noisylabels.screening.methods",))})

    def load(self) -> Predict:
        """Return the function."""
        return lambda images: [self._segment(image) for image in images]

    def _segment(self, image: Image) -> LabelMap:
        from scipy import ndimage as ndi

        plane = image.mean(axis=0, dtype=np.float32)
        difference = plane - ndi.gaussian_filter(plane, self.sigma_px)
        spread = 1.4826 * np.median(np.abs(difference - np.median(difference)))
        labels, _ = ndi.label(difference > self.factor * max(float(spread), 1e-6), np.ones((3, 3)))
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        mask: LabelMap = (sizes >= self.smallest_px)[labels].astype(np.uint8)
        return mask


@dataclass(frozen=True)
class Bundle:
    """The network of a MONAI bundle, with the bundle's own preprocessing and inferer.

    Args:
        folder: The bundle.
        checkpoint: Its weights.
        device: `cpu` or `cuda`.
        name: What to call the method; the bundle's folder name when left empty.
    """

    folder: str
    checkpoint: str
    device: str = "cpu"
    name: str = ""
    z: Projection = "max"

    needs_counts = False

    def __post_init__(self) -> None:
        for path, rule in ((self._config, "be the folder of a bundle"), (Path(self.checkpoint), "be a checkpoint")):
            if not path.is_file():
                msg = f"{path} must {rule}, but there is no such file. Check --model and --checkpoint."
                raise FileNotFoundError(msg)
        if not self.name:
            object.__setattr__(self, "name", Path(self.folder).resolve().name)

    @property
    def classes(self) -> ClassTable:
        """The classes that the weights were trained on."""
        from noisylabels.learning.models import plan_model

        return plan_model(self.checkpoint, bundle=self.folder).classes

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The channels that the weights were trained on, in order."""
        from noisylabels.learning.models import plan_model

        return plan_model(self.checkpoint, bundle=self.folder).channel_names

    @property
    def _config(self) -> Path:
        return Path(self.folder) / "configs" / "inference.yaml"

    def fingerprint(self) -> str:
        """Return the hash of weights, their record, config and code; the device does not count."""
        record = Path(self.checkpoint).with_name("run.json")
        files = hash_files([path for path in (Path(self.checkpoint), self._config, record) if path.is_file()])
        return hash_values(
            {
                "files": files,
                "z": self.z,
                "code": hash_code(("noisylabels.screening.methods", "noisylabels.learning.models")),
            }
        )

    def load(self) -> Predict:
        """Build the network and load its weights."""
        from noisylabels.learning.models import load_model

        return load_model(self.checkpoint, bundle=self.folder, device=self.device).predict_batch


@dataclass(frozen=True)
class Exported:
    """A network exported from a bundle, by `noisylabels export` (all its formats) or by MONAI (`.ts`, `.pt`, `.onnx`).

    Files of `noisylabels export` tell their classes and prepare images themselves. For others images are z-scored per
    channel and padded to a multiple of 8 by reflection, as the bundles here are trained.

    Args:
        model: The file.
        class_names: Names of the classes, background first, where the file tells none; Rosella's when None.
        device: `cpu` or `cuda`.
        name: What to call the method.
    """

    model: str
    class_names: tuple[str, ...] | None = None
    device: str = "cpu"
    name: str = "exported"
    z: Projection = "max"

    needs_counts = False

    def __post_init__(self) -> None:
        if self.class_names is not None:
            object.__setattr__(self, "class_names", tuple(self.class_names))
        if not Path(self.model).is_file():
            msg = f"{self.model} must be an exported model (.ts, .pt, .onnx, .xml, .zip), but there is no such file. "
            raise FileNotFoundError(msg + "Check --model.")

    @property
    def classes(self) -> ClassTable:
        """The classes that were named, or that the file tells.

        Raises:
            InputError: If both do, and differ.
        """
        from noisylabels.screening.networks import read_classes

        stored = read_classes(Path(self.model))
        if stored and self.class_names and stored != self.class_names:
            msg = f"class_names of {self.model} must be {', '.join(stored)}, got {', '.join(self.class_names)}. "
            raise InputError(msg + "Leave --set class_names out: the file tells them.")
        return ClassTable(stored or self.class_names or ROSELLA.names)

    def fingerprint(self) -> str:
        """Return the hash of the file and the code; the device does not count."""
        code = hash_code(("noisylabels.screening.methods", "noisylabels.screening.networks"))
        files = [path for path in (Path(self.model), Path(self.model).with_suffix(".bin")) if path.is_file()]
        return hash_values({"file": hash_files(files), "z": self.z, "code": code})

    def load(self) -> Predict:
        """Load the network."""
        from noisylabels.screening.networks import label_with, load_network

        path = Path(self.model)
        return label_with(load_network(path, self.device), path, len(self.classes.names))


_LOADED: dict[tuple[str, str], Predict] = {}


def loaded(method: Method, method_hash: str) -> Predict:
    """Load a method once per process.

    Args:
        method: The method.
        method_hash: Its fingerprint, worked out once by whoever made the job.
    """
    key = (method_hash, repr(method))  # the device is in no fingerprint, but a network lies on one
    if key not in _LOADED:
        _LOADED[key] = method.load()
    return _LOADED[key]


def _conventional(settings: Mapping[str, object] | None = None, *, phases: bool = False) -> Method:
    from noisylabels.cip.labelling import Labeller, choose_pipeline

    return Labeller.alone(choose_pipeline(settings or {}), phases=phases)


METHODS: dict[str, Callable[..., Method]] = {
    "threshold": Threshold,
    "cip": _conventional,
    "bundle": Bundle,
    "exported": Exported,
}


def method_of(declaration: Mapping[str, object]) -> Method:
    """Make a method of what was declared.

    Args:
        declaration: `kind` (threshold, cip, bundle, exported) and the settings of that kind.

    Raises:
        InputError: If the kind or a setting is unknown.

    Examples:
        >>> method_of({"kind": "threshold", "factor": 3.0}).factor
        3.0
        >>> method_of({"kind": "treshold"})
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: A method must be one of threshold, cip, bundle, exported, got 'treshold'. \
Choose one of them.
    """
    settings = dict(declaration)
    kind = settings.pop("kind", None)
    if kind not in METHODS:
        msg = f"A method must be one of {', '.join(METHODS)}, got {kind!r}. Choose one of them."
        raise InputError(msg)
    try:
        return METHODS[kind](**settings)
    except TypeError as error:
        msg = f"Settings of the method {kind} must be known to it, got {settings} ({error}). Correct the name."
        raise InputError(msg) from error

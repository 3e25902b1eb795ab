"""Exported networks behind methods: images in, label maps out, several fields of one size at a time.

Files of `noisylabels export` tell their classes; they take raw counts, (channel, row, column). A file that tells
nothing was exported by MONAI alone: it takes z-scored images in MONAI's axis order (channel, x, y), and one becomes the
other here, as in `noisylabels.learning.models` for bundles.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Image
from noisylabels.data.errors import InputError
from noisylabels.data.events import find_small_events
from noisylabels.data.labels import LabelMap

DIVISOR = 8  # three down-samplings
ABOUT = "noisylabels"
AXES = "bcyx"
WEIGHTS_IN_PACKAGE = "weights.ts"

Answer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Network(NamedTuple):
    """An exported network.

    Attributes:
        answer: (batch, channel, ...) to (batch, class, ...).
        class_names: What its file tells; None if it tells nothing.
        min_event_px: Events with fewer pixels become background; 0 drops none.
    """

    answer: Answer
    class_names: tuple[str, ...] | None
    min_event_px: int = 0


def load_network(model: Path, device: str) -> Network:
    """Load an exported network: TorchScript, ONNX, OpenVINO, or a package of bioimage.io.

    ONNX and OpenVINO need `pip install noisylabels[export]`.

    Args:
        model: `.ts`, `.pt`, `.onnx`, `.xml` with `.bin` beside it, or `.zip`.
        device: `cpu` or `cuda`; OpenVINO runs on the CPU.

    Raises:
        InputError: If it cannot be loaded.
    """
    load = {".onnx": _load_onnx, ".xml": _load_openvino}.get(model.suffix, _load_torchscript)
    try:
        return load(model, device)
    except ImportError:
        raise
    except Exception as error:  # what their readers raise shares no base class
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        msg = f"{model} must be an exported network, but it cannot be loaded ({first}). Export it again."
        raise InputError(msg) from error


def read_classes(model: Path) -> tuple[str, ...] | None:
    """Read the class names that an exported network tells; None if it tells nothing.

    Raises:
        InputError: If it cannot be loaded.
    """
    return _read_classes(model, model.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read_classes(model: Path, _: int) -> tuple[str, ...] | None:
    return load_network(model, "cpu").class_names


def label_with(network: Network, model: Path, n_classes: int) -> Callable[[Sequence[Image]], list[LabelMap]]:
    """Return the function that labels images of one size with an exported network.

    Args:
        network: The network.
        model: Its file, for messages.
        n_classes: How many classes it must give.
    """
    if network.class_names:
        return _label_counts(network.answer, network.min_event_px)
    return _label_scaled(network.answer, model, n_classes)


def normalise(image: Image) -> NDArray[np.float32]:
    """Z-score each channel; a flat channel becomes zeros.

    Examples:
        >>> normalise(np.array([[[1, 3]], [[5, 5]]]))
        array([[[-1.,  1.]],
        <BLANKLINE>
               [[ 0.,  0.]]], dtype=float32)
    """
    values = image.astype(np.float32)
    means = values.mean(axis=(1, 2), keepdims=True)
    spreads = values.std(axis=(1, 2), keepdims=True)
    scaled: NDArray[np.float32] = (values - means) / np.where(spreads == 0, 1, spreads)
    return scaled


def _load_torchscript(model: Path, device: str) -> Network:
    import io
    import zipfile

    import torch

    about = {ABOUT: ""}
    source: io.BytesIO | str = str(model)
    if model.suffix == ".zip":
        with zipfile.ZipFile(model) as package:
            source = io.BytesIO(package.read(WEIGHTS_IN_PACKAGE))
    network = torch.jit.load(source, map_location=device, _extra_files=about).eval()  # type: ignore[no-untyped-call]

    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = network(torch.from_numpy(batch).to(device)).cpu().numpy()
        return found

    return Network(answer, *_read_about(about[ABOUT]))


def _load_onnx(model: Path, device: str) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _n_threads()
    providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(str(model), options, providers=providers)
    name = session.get_inputs()[0].name
    about = session.get_modelmeta().custom_metadata_map.get(ABOUT, "")
    return Network(lambda batch: session.run(None, {name: batch})[0], *_read_about(about))


def _load_openvino(model: Path, _: str) -> Network:
    import openvino

    core = openvino.Core()
    read = core.read_model(model)
    about = read.get_rt_info(ABOUT).astype(str) if read.has_rt_info([ABOUT]) else ""
    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": _n_threads()}
    compiled = core.compile_model(read, "CPU", hints)
    return Network(lambda batch: compiled(batch)[0], *_read_about(about))


def _read_about(text: str | bytes) -> tuple[tuple[str, ...] | None, int]:
    """Read the classes and the smallest event that a file of `noisylabels export` tells."""
    if not text:
        return None, 0
    about = json.loads(text)
    if about["axes"] != AXES:
        msg = f"its axes must be {AXES}, got {about['axes']}"
        raise ValueError(msg)
    return tuple(str(name) for name in about["classes"]), int(about.get("min_event_px", 0))


def _label_counts(answer: Answer, min_event_px: int) -> Callable[[Sequence[Image]], list[LabelMap]]:
    def predict(images: Sequence[Image]) -> list[LabelMap]:
        batch = np.stack([np.ascontiguousarray(image, np.float32) for image in images])
        label_maps = list(answer(batch).argmax(axis=1).astype(np.uint8))
        for label_map in label_maps:
            label_map[find_small_events(label_map, min_event_px)] = 0
        return label_maps

    return predict


def _label_scaled(answer: Answer, model: Path, n_classes: int) -> Callable[[Sequence[Image]], list[LabelMap]]:
    def predict(images: Sequence[Image]) -> list[LabelMap]:
        rows, columns = images[0].shape[1:]
        margins = [(0, 0), _margin(rows), _margin(columns)]
        batch = np.stack([np.pad(normalise(image), margins, mode="reflect") for image in images])
        logits = answer(np.ascontiguousarray(batch.swapaxes(2, 3)))
        if logits.shape[1] != n_classes:
            msg = f"{model} must give {n_classes} classes, got {logits.shape[1]}. Name them: --set class_names=[...]."
            raise InputError(msg)
        classes = logits.argmax(axis=1).astype(np.uint8).swapaxes(1, 2)
        (top, _), (left, _) = margins[1:]
        return [np.ascontiguousarray(one[top : top + rows, left : left + columns]) for one in classes]

    return predict


def _margin(side: int) -> tuple[int, int]:
    lacking = -side % DIVISOR
    return lacking // 2, lacking - lacking // 2


def _n_threads() -> int:
    import os

    return int(os.environ.get("OMP_NUM_THREADS", "0"))

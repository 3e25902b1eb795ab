"""Networks behind methods: images in, label maps out, several fields of one size at a time.

Exported networks take MONAI's axis order (channel, x, y); outside it is (channel, row, column). Here one becomes the
other, as in `noisylabels.learning.models` for bundles.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Image
from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap

DIVISOR = 8  # three down-samplings

Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def load_torchscript(model: Path, n_classes: int, device: str) -> Callable[[Sequence[Image]], list[LabelMap]]:
    """Load a TorchScript file.

    Raises:
        InputError: If it cannot be loaded.
    """
    import torch

    try:
        network = torch.jit.load(str(model), map_location=device).eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise InputError(_no_model(model, error)) from error

    def logits(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            answer: NDArray[np.float32] = network(torch.from_numpy(batch).to(device)).cpu().numpy()
        return answer

    return _labeller(logits, n_classes, model)


def load_onnx(model: Path, n_classes: int, device: str) -> Callable[[Sequence[Image]], list[LabelMap]]:
    """Load an ONNX file; needs `pip install noisylabels[export]`.

    Raises:
        InputError: If it cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _n_threads()
    providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else ["CPUExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=providers)
    except Exception as error:  # its exceptions share no base class
        raise InputError(_no_model(model, error)) from error
    name = session.get_inputs()[0].name

    def logits(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        answer: NDArray[np.float32] = session.run(None, {name: batch})[0]
        return answer

    return _labeller(logits, n_classes, model)


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


def _labeller(logits: Logits, n_classes: int, model: Path) -> Callable[[Sequence[Image]], list[LabelMap]]:
    def predict(images: Sequence[Image]) -> list[LabelMap]:
        rows, columns = images[0].shape[1:]
        margins = [(0, 0), _margin(rows), _margin(columns)]
        batch = np.stack([np.pad(normalise(image), margins, mode="reflect") for image in images])
        answer = logits(np.ascontiguousarray(batch.swapaxes(2, 3)))
        if answer.shape[1] != n_classes:
            msg = f"{model} must give {n_classes} classes, got {answer.shape[1]}. Name them: --set class_names=[...]."
            raise InputError(msg)
        classes = answer.argmax(axis=1).astype(np.uint8).swapaxes(1, 2)
        (top, _), (left, _) = margins[1:]
        return [np.ascontiguousarray(one[top : top + rows, left : left + columns]) for one in classes]

    return predict


def _margin(side: int) -> tuple[int, int]:
    lacking = -side % DIVISOR
    return lacking // 2, lacking - lacking // 2


def _n_threads() -> int:
    import os

    return int(os.environ.get("OMP_NUM_THREADS", "0"))


def _no_model(model: Path, error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"{model} must be an exported network, but it cannot be loaded ({first}). Export it again."

"""What trained networks can be exported to; nothing heavy is imported here."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

Format = Literal["bioimageio", "onnx", "torchscript", "openvino"]
ENDINGS: Mapping[Format, str] = {"bioimageio": ".zip", "onnx": ".onnx", "torchscript": ".ts", "openvino": ".xml"}
"""Ending of the file of each format."""

NEEDS: Mapping[Format, tuple[str, ...]] = {
    "bioimageio": ("onnx", "onnxruntime", "bioimageio"),
    "onnx": ("onnx", "onnxruntime"),
    "torchscript": (),
    "openvino": ("onnx", "onnxruntime", "openvino"),
}
"""Packages of the extra `export` that each format takes."""

INPUT, OUTPUT = "image", "probabilities"
"""Names of what goes in and what comes out."""


def require_packages(to: Format) -> None:
    """Check that what a format takes is installed, before the seconds that torch takes.

    Raises:
        ModuleNotFoundError: If a package is not.
    """
    for package in NEEDS[to]:
        if find_spec(package) is None:
            msg = f"No module named {package!r}"
            raise ModuleNotFoundError(msg, name=package)


def example_image(n_channels: int, rows: int = 64, columns: int = 80) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Draw an image of spots on a background, as a test of an exported network: the same one each time.

    Returns:
        (batch of 1, channel, row, column) float32 counts.
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:rows, :columns]
    image = rng.poisson(200, (n_channels, rows, columns)).astype(np.float32)
    for row, column in rng.uniform((0, 0), (rows, columns), (12, 2)):
        image += 1500 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 18).astype(np.float32)
    return image.round()[None]

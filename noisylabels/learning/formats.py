"""What trained networks can be exported to; nothing heavy is imported here."""

from collections.abc import Mapping
from typing import Literal

Format = Literal["bioimageio", "onnx", "torchscript", "openvino"]
ENDINGS: Mapping[Format, str] = {"bioimageio": ".zip", "onnx": ".onnx", "torchscript": ".ts", "openvino": ".xml"}
"""Ending of the file of each format."""

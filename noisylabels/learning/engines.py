"""What runs a network: PyTorch; or, on a processor, ONNX Runtime and OpenVINO, which need less time for the same.

Nothing heavy is imported before it is needed: exported networks run without PyTorch.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

Run: TypeAlias = "Callable[[Tensor], Tensor]"
"""(batch, channel, x, y) to (batch, class, x, y)."""

OPSET = 20


def check_engine(engine: str) -> None:
    """Check that an engine is known and installed.

    Raises:
        InputError: If it is not.

    Examples:
        >>> check_engine("pytorch")
    """
    if engine not in list(ENGINES):
        msg = f"engine must be one of {', '.join(ENGINES)}, got {engine!r}. Take openvino on a processor, else pytorch."
        raise InputError(msg)
    lacking = [package for package in _NEEDS.get(engine, ()) if find_spec(package) is None]
    if lacking:
        msg = (
            f"The engine {engine} must have the package {lacking[0]}, got an installation without it. "
            "pip install 'noisylabels[export]'"
        )
        raise InputError(msg)


def prepare(network: nn.Module, engine: str, n_channels: int) -> Run:
    """Hand a network over to an engine.

    Args:
        network: In `eval()`; the caller gives it away.
        engine: One of `ENGINES`; all but pytorch compute on the processor, wherever the images lie.
        n_channels: Of the images.

    Returns:
        What gives the network's logits, up to rounding.

    Raises:
        InputError: If the engine cannot run a network of this kind.
    """
    try:
        return ENGINES[engine](network, n_channels)
    except Exception as error:  # what the engines raise shares no base class
        first = str(error).strip().partition("\n")[0]
        msg = f"The network must be one that {engine} can run, but it cannot ({first}). Take --engine pytorch."
        raise InputError(msg) from error


def to_onnx(network: nn.Module, example: Tensor, *, names: tuple[str, str]) -> bytes:
    """Write a network as ONNX, for any number of images of any size that the network takes.

    Args:
        network: In `eval()`; it must be possible to script it.
        example: (batch, channel, ..., ...) with more than one image.
        names: Of what goes in and what comes out.
    """
    import torch

    axes = {0: "batch", 2: "row", 3: "column"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "network.onnx"
        # torch recommends its exporter through torch.export: the same logits, in ten seconds instead of half of one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            torch.jit.script(network),
            (example,),
            str(file),
            dynamo=False,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes=dict.fromkeys(names, axes),
            opset_version=OPSET,
        )
        return file.read_bytes()


def open_onnx(model: Path | bytes, device: str = "cpu") -> Any:
    """Open an ONNX file, or its bytes, in ONNX Runtime: an `InferenceSession` on OMP_NUM_THREADS threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _n_threads()
    providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(model, options, providers=providers)


def compile_openvino(model: Any) -> Any:
    """Compile an `openvino.Model`, or the file of one, for the processor: a `CompiledModel` on OMP_NUM_THREADS threads.

    It computes in float32 throughout: the default may be bfloat16 on processors that have it.
    """
    import openvino

    hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": _n_threads()}
    return openvino.Core().compile_model(model, "CPU", hints)


def _prepare_pytorch(network: nn.Module, _: int) -> Run:
    import torch

    ready: Run = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ready


def _prepare_onnx(network: nn.Module, n_channels: int) -> Run:
    session = open_onnx(_as_onnx(network, n_channels))
    return _on_arrays(lambda images: session.run(None, {"image": images})[0])


def _prepare_openvino(network: nn.Module, n_channels: int) -> Run:
    import openvino

    compiled = compile_openvino(openvino.Core().read_model(io.BytesIO(_as_onnx(network, n_channels))))
    return _on_arrays(lambda images: compiled(images)[0])


def _as_onnx(network: nn.Module, n_channels: int) -> bytes:
    import torch

    example = torch.zeros(2, n_channels, 64, 64)  # a multiple of what any bundle's network divides by
    return to_onnx(network.cpu(), example, names=("image", "pred"))


def _on_arrays(answer: Callable[[Any], Any]) -> Run:
    from monai.utils import convert_to_dst_type

    def run(images: Tensor) -> Tensor:
        logits: Tensor = convert_to_dst_type(answer(images.cpu().contiguous().numpy()), images)[0]  # with its meta data
        return logits

    return run


def _n_threads() -> int:
    """Read OMP_NUM_THREADS, which may tell a number for each level of nesting; 0 leaves it to the engine."""
    return int(os.environ.get("OMP_NUM_THREADS", "0").partition(",")[0])


ENGINES: Mapping[str, Callable[[nn.Module, int], Run]] = {
    "pytorch": _prepare_pytorch,
    "onnx": _prepare_onnx,
    "openvino": _prepare_openvino,
}
_NEEDS = {"onnx": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino")}

"""Trained networks for other programs: TorchScript, ONNX, OpenVINO and packages of bioimage.io."""

import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.learning.formats import ENDINGS, INPUT, OUTPUT, Format, example_image
from noisylabels.learning.models import Model

if TYPE_CHECKING:
    from noisylabels.learning.whole import WholeNetwork

ABOUT = "noisylabels"
"""Key under which a file tells its channels, classes and axes."""

OPSET = 20


def export_model(model: Model, out: str | Path, *, to: Format) -> Path:
    """Write a trained network as a file that other programs run.

    It takes (batch, channel, row, column) float32 raw counts and gives (batch, class, row, column) probabilities:
    normalisation, padding and softmax are inside. The file tells its channel and class names, and the smallest event
    that `predict` keeps: dropping smaller ones is left to who runs it.

    Args:
        model: The network, as `load_model` gives it.
        out: The file to write; its ending is `.zip`, `.onnx`, `.ts` or `.xml`, with `.bin` beside it.
        to: The format.

    Returns:
        The file.

    Raises:
        InputError: If the ending is another or the file is there; if the written file gives other label maps than
            the network: then nothing is left.
    """
    path = Path(out)
    if path.suffix != ENDINGS[to]:
        msg = f"A file for {to} must end in {ENDINGS[to]}, got {path.name}. Rename it."
        raise InputError(msg)
    if path.exists():
        msg = f"{path} must not exist: nothing is replaced. Name another file, or remove it."
        raise InputError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        made = _WRITERS[to](model, Path(folder) / path.name)
        for one in sorted(made, reverse=True):  # .bin before .xml: the file that is opened comes last
            shutil.move(one, path.parent / one.name)
    return path


def describe_model(model: Model) -> str:
    """Write what a file tells of itself, as JSON: the order of axes, channels and classes, and the smallest event."""
    about = {"axes": "bcyx", "channels": list(model.channel_names), "classes": list(model.classes.names)}
    return json.dumps(about | ({"min_event_px": model.min_event_px} if model.min_event_px else {}))


def whole_network(model: Model) -> "WholeNetwork":
    """Return the network of a model with everything that it needs inside, on the CPU."""
    from noisylabels.learning.whole import WholeNetwork

    return WholeNetwork(model.network.cpu())


def _write_torchscript(model: Model, path: Path) -> list[Path]:
    import torch

    scripted = torch.jit.script(whole_network(model))
    scripted.save(str(path), _extra_files={ABOUT: describe_model(model)})
    loaded = torch.jit.load(str(path))

    def run(image: Any) -> Any:
        with torch.inference_mode():
            return loaded(torch.from_numpy(image)).numpy()

    _check_same(model, run, path)
    return [path]


def _write_onnx(model: Model, path: Path) -> list[Path]:
    import onnx
    import onnxruntime
    import torch

    images = torch.from_numpy(np.concatenate([example_image(len(model.channel_names))] * 2))
    axes = {0: "batch", 2: "row", 3: "column"}
    scripted = torch.jit.script(whole_network(model))
    with warnings.catch_warnings():
        # torch recommends its exporter through torch.export: the same logits, in ten seconds instead of half of one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            scripted,
            (images,),
            str(path),
            dynamo=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: axes, OUTPUT: axes},
            opset_version=OPSET,
        )
    written = onnx.load(path)
    onnx.helper.set_model_props(written, {ABOUT: describe_model(model)})
    onnx.save(written, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    _check_same(model, lambda image: session.run([OUTPUT], {INPUT: image})[0], path)
    return [path]


def _write_openvino(model: Model, path: Path) -> list[Path]:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        (onnx_file,) = _write_onnx(model, Path(folder) / "model.onnx")
        converted = openvino.convert_model(onnx_file)
        converted.set_rt_info(describe_model(model), [ABOUT])
        openvino.save_model(converted, path, compress_to_fp16=False)
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    _check_same(model, lambda image: compiled(image)[0], path)
    return [path, path.with_suffix(".bin")]


def _write_bioimageio(model: Model, path: Path) -> list[Path]:
    from noisylabels.learning.bioimageio import write_package

    with tempfile.TemporaryDirectory() as folder:
        script, onnx_file = Path(folder) / "weights.ts", Path(folder) / "weights.onnx"
        _write_torchscript(model, script)
        _write_onnx(model, onnx_file)
        write_package(model, whole_network(model), path, script=script, onnx_file=onnx_file, opset=OPSET)
    return [path]


def _check_same(model: Model, run: Callable[[Any], Any], path: Path) -> None:
    """Compare what was written with the network, on sides that are multiples of 8 and on others."""
    for rows, columns in ((64, 80), (61, 83)):
        image = example_image(len(model.channel_names), rows, columns)
        differing = int((run(image)[0].argmax(0) != model.logits(image[0]).argmax(0)).sum())
        if differing:
            msg = (
                f"{path.name} must give the label map of {model.weights}, but {differing} pixels of {rows} x {columns} "
                "differ. Do not use it; report it as a fault of the program."
            )
            raise InputError(msg)


_WRITERS: Mapping[Format, Callable[[Model, Path], list[Path]]] = {
    "bioimageio": _write_bioimageio,
    "onnx": _write_onnx,
    "torchscript": _write_torchscript,
    "openvino": _write_openvino,
}

"""Packages of bioimage.io: one zip that Fiji's deepImageJ, QuPath, ilastik and bioimageio.core open."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from noisylabels import __version__
from noisylabels.learning.formats import INPUT, OUTPUT, example_image
from noisylabels.learning.models import Model
from noisylabels.learning.whole import WholeNetwork

SMALLEST, STEP = 32, 8
"""Sides of tiles that hosts may choose; what is no multiple of 8 is padded inside the network all the same."""

PAPER = ("García Santa Cruz et al., Generalising from conventional pipelines using deep learning in high-throughput "
         "screening workflows. Scientific Reports 12, 2022.", "10.1038/s41598-022-15623-7")  # fmt: skip
UNET = ("Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation. MICCAI 2015.",
        "10.1007/978-3-319-24574-4_28")  # fmt: skip


def write_package(
    model: Model, network: WholeNetwork, path: Path, *, script: Path, onnx_file: Path, opset: int
) -> None:
    """Write a model description of format 0.5 with both weights, test images, a cover and a page of documentation.

    Args:
        model: The trained network.
        network: The same, made whole.
        path: The zip to write.
        script: Its TorchScript, which programs in Java run.
        onnx_file: Its ONNX.
        opset: Of the ONNX file.
    """
    import torch
    from bioimageio.spec import save_bioimageio_package
    from bioimageio.spec.model import v0_5

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        image = example_image(len(model.channel_names), 256, 320)
        with torch.inference_mode():
            chances = network(torch.from_numpy(image)).numpy()
        np.save(root / "test_image.npy", image)
        np.save(root / "test_probabilities.npy", chances)
        _draw_cover(image[0], chances[0], root / "cover.png")
        (root / "documentation.md").write_text(_documentation(model), encoding="utf-8")

        def file(name: str) -> Any:
            return v0_5.FileDescr(source=root / name)

        size = v0_5.ParameterizedSize(min=SMALLEST, step=STEP)
        identifiers = [_identifier(name) for name in model.channel_names]
        inside = v0_5.InputTensorDescr(
            id=v0_5.TensorId(INPUT),
            description="Raw counts; normalised inside, over the whole image.",
            axes=[
                v0_5.BatchAxis(),
                v0_5.ChannelAxis(channel_names=_distinct(identifiers)),
                v0_5.SpaceInputAxis(id=v0_5.AxisId("y"), size=size),
                v0_5.SpaceInputAxis(id=v0_5.AxisId("x"), size=size),
            ],
            data=v0_5.IntervalOrRatioDataDescr(type="float32"),
            test_tensor=file("test_image.npy"),
        )
        outside = v0_5.OutputTensorDescr(
            id=v0_5.TensorId(OUTPUT),
            description="Class probabilities; the class of a pixel is the most probable one.",
            axes=[
                v0_5.BatchAxis(),
                v0_5.ChannelAxis(channel_names=_distinct([_identifier(name) for name in model.classes.names])),
                *(
                    v0_5.SpaceOutputAxis(
                        id=v0_5.AxisId(axis),
                        size=v0_5.SizeReference(tensor_id=v0_5.TensorId(INPUT), axis_id=v0_5.AxisId(axis)),
                    )
                    for axis in "yx"
                ),
            ],
            data=v0_5.IntervalOrRatioDataDescr(type="float32", range=(0.0, 1.0)),
            test_tensor=file("test_probabilities.npy"),
        )
        described = v0_5.ModelDescr(
            name=f"noisylabels {' and '.join(model.classes.names[1:])}"[:128],
            description=f"Segments {', '.join(model.classes.names[1:])} in {', '.join(model.channel_names)}.",
            authors=[v0_5.Author(name="The noisylabels developers")],
            cite=[v0_5.CiteEntry(text=text, doi=v0_5.Doi(doi)) for text, doi in (PAPER, UNET)],
            license=v0_5.LicenseId("Apache-2.0"),
            documentation=file("documentation.md"),
            covers=[file("cover.png")],
            tags=["segmentation", "semantic-segmentation", "fluorescence-light-microscopy", "2d", "unet", "pytorch"],
            version=v0_5.Version(__version__),
            inputs=[inside],
            outputs=[outside],
            weights=v0_5.WeightsDescr(
                torchscript=v0_5.TorchscriptWeightsDescr(
                    source=script, pytorch_version=v0_5.Version(torch.__version__.split("+")[0])
                ),
                onnx=v0_5.OnnxWeightsDescr(source=onnx_file, opset_version=opset, parent="torchscript"),
            ),
        )
        save_bioimageio_package(described, output_path=path)


def _documentation(model: Model) -> str:
    channels, classes = ", ".join(model.channel_names), ", ".join(model.classes.names)
    specks = (
        f"Drop objects under {model.min_event_px} pixels afterwards: the program that made these weights does.\n\n"
        if model.min_event_px
        else ""
    )
    return (
        f"# Segmentation of {', '.join(model.classes.names[1:])}\n\n"
        f"Channels, in this order: {channels}. Classes, in this order: {classes}.\n\n"
        "Give it raw counts. Each channel is normalised inside to mean 0 and deviation 1 over the image, sides are\n"
        "padded to multiples of 8, and the answer is class probabilities. Give it whole fields: a tile would be\n"
        "normalised by itself, and QuPath normalises by tile as well unless tiles are as large as the image.\n\n"
        f"{specks}"
        "## Validation\n\n"
        "Compare its label maps with some of your own, drawn by hand, before you trust a number: "
        "`noisylabels evaluate`. For research only.\n"
    )


def _draw_cover(image: Any, chances: Any, path: Path) -> None:
    from PIL import Image

    shown = image.mean(axis=0)
    grey = np.clip(255 * (shown - shown.min()) / max(float(np.ptp(shown)), 1.0), 0, 255).astype(np.uint8)
    answer = (255 * (1 - chances[0])).astype(np.uint8)
    Image.fromarray(np.hstack([grey, answer])).save(path)


def _identifier(name: str) -> str:
    word = "".join(sign if sign.isalnum() else "_" for sign in name).strip("_").lower()
    return word if word and not word[0].isdigit() else f"c_{word}"


def _distinct(names: Iterable[str]) -> list[str]:
    """Number what would be the same twice."""
    taken: list[str] = []
    for name in names:
        taken.append(name if name not in taken else f"{name}_{len(taken)}")
    return taken

"""Pictures for TensorBoard: a few fields, each beside its labels and its prediction, as rows and columns."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from numpy.typing import NDArray

from noisylabels.data.arrays import RealArray
from noisylabels.data.labels import IGNORE_INDEX

COLOURS = np.array([[0, 0, 0], [86, 180, 233], [230, 159, 0], [0, 158, 115], [204, 121, 167]], np.uint8)
"""Colour by class index, told apart by colour-blind readers (Okabe and Ito); further classes take turns."""


class FieldPanels:
    """Show the first fields of each validation in TensorBoard: image, label map, prediction.

    Args:
        log_dir: Folder of the TensorBoard events.
        n_fields: How many fields; always the same ones, so that epochs can be compared.
    """

    def __init__(self, log_dir: str | Path, n_fields: int = 3) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(log_dir)
        self.n_fields = n_fields
        self._panels: list[NDArray[np.uint8]] = []

    def attach(self, engine: Engine) -> None:
        """Collect while `engine` runs, write when its epoch is over."""
        engine.add_event_handler(Events.EPOCH_STARTED, lambda _: self._panels.clear())
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def collect(self, engine: Engine) -> None:
        """Keep the panels of the first fields."""
        for field in engine.state.output:
            if len(self._panels) < self.n_fields:
                image, label, prediction = (_rows_and_columns(field[key]) for key in ("image", "label", "pred"))
                self._panels.append(draw_panel(image, label[0], prediction[0]))

    def write(self, engine: Engine) -> None:
        """Write the panels of this epoch."""
        for number, panel in enumerate(self._panels):
            self.writer.add_image(f"validation field {number + 1}", panel, engine.state.epoch, dataformats="HWC")
        self.writer.flush()


def draw_panel(image: RealArray, label_map: RealArray, prediction: RealArray) -> NDArray[np.uint8]:
    """Put an image, its label map and its prediction side by side.

    Args:
        image: (channel, row, column); the first channel is drawn red, the second green, a single one grey. Scaled so
            that 0.5 % of the pixels are black and 0.5 % are at full brightness, per channel.
        label_map: (row, column) class indices.
        prediction: (row, column) class indices.

    Returns:
        (row, 3 x column, 3) uint8 colours.

    Examples:
        >>> panel = draw_panel(np.zeros((2, 1, 1)), np.array([[1]]), np.array([[0]]))
        >>> panel.tolist()
        [[[0, 0, 0], [86, 180, 233], [0, 0, 0]]]
    """
    low, high = (np.percentile(image, share, axis=(1, 2), keepdims=True) for share in (0.5, 99.5))
    scaled = (np.clip((image - low) / np.maximum(high - low, 1e-12), 0, 1) * 255).astype(np.uint8)
    picture = np.zeros((*image.shape[1:], 3), np.uint8)
    if len(scaled) == 1:
        picture[...] = scaled[0][..., None]
    else:
        picture[..., : min(len(scaled), 3)] = np.moveaxis(scaled[:3], 0, -1)
    return np.concatenate([picture, _coloured(label_map), _coloured(prediction)], axis=1)


def _coloured(label_map: RealArray) -> NDArray[np.uint8]:
    index = np.where(label_map == IGNORE_INDEX, 0, label_map).astype(np.intp)
    colours: NDArray[np.uint8] = COLOURS[np.where(index > 0, (index - 1) % (len(COLOURS) - 1) + 1, 0)]
    return colours


def _rows_and_columns(tensor: torch.Tensor) -> RealArray:
    array: NDArray[Any] = np.swapaxes(np.asarray(tensor.detach().cpu()), -1, -2)
    return array

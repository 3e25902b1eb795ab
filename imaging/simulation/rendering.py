"""From events to light and truth: each is drawn in a small oversampled patch, layer by layer, and imaged exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.simulation.optics import Optics, blur_matrices
from imaging.simulation.phases import HARMONICS, Event, Shape
from imaging.simulation.randomness import Map
from noisylabels.events import InstanceMap
from noisylabels.labels import LabelMap

LAYER_UM = 0.15
"""Thickness of the slices an event is cut into."""
LEAST_WEIGHT = 0.002
"""Slices that send less than this share of their light through the pinholes are left out."""
REACH_SIGMAS = 3.0
"""Blur is followed this far."""

Masks = NDArray[np.bool_]
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Patch:
    """One event as it appears in one plane.

    Args:
        window: Rows and columns of the canvas.
        light: (channel, row, column) counts that the event adds (or takes) there.
        coverage: (row, column) share of each pixel inside the event's section in the plane, before any blur.
    """

    window: Window
    light: NDArray[np.float64]
    coverage: NDArray[np.float64]


def render_event(
    event: Event, optics: Optics, *, height_um: float, oversampling: int, shape: tuple[int, int]
) -> Patch | None:
    """Image one event in one plane.

    The event is cut into slices of equal thickness. Each slice is blurred by its distance from focus, weighted by
    the optical section, shifted with its channel and integrated into pixels.

    Args:
        event: What to draw.
        optics: How it is imaged.
        height_um: Height in the sample of the plane that the label map describes.
        oversampling: Samples per pixel and axis.
        shape: (rows, columns) of the canvas.

    Returns:
        The patch, cut at the canvas, or None if nothing of the event reaches the plane or the canvas.
    """
    edges = _slices(event)
    foci = [height_um + offset for offset in optics.chromatic_um]
    weights = [optics.section_weights(edges - focus, channel) for channel, focus in enumerate(foci)]
    seen = np.maximum(*weights) > LEAST_WEIGHT
    if not seen.any():
        return None
    middles = ((edges[1:] + edges[:-1]) / 2)[seen]
    sigmas = [optics.sigma_px(middles - focus, channel) for channel, focus in enumerate(foci)]
    reach_px = event.shape.reach_um / optics.pixel_size_um + REACH_SIGMAS * max(s.max() for s in sigmas) + 1
    corner = int(np.floor(event.row - reach_px)), int(np.floor(event.column - reach_px))
    length = int(np.ceil(2 * reach_px)) + 1
    sections = _Sections(event, corner, length, oversampling, optics.pixel_size_um)
    inner, outer = sections.at(middles)
    light = np.stack(
        [
            _image(event, channel, inner, outer, weights[channel][seen], sigmas[channel], optics, oversampling)
            for channel in range(2)
        ]
    )
    return _cut(corner, length, light, sections.coverage(height_um), shape)


def paint_truth(
    events: Sequence[Event], patches: Sequence[Patch | None], shape: tuple[int, int]
) -> tuple[LabelMap, InstanceMap]:
    """Paint the sections of all events in one plane: pixels that are covered by half or more.

    Small events are painted over large ones.

    Args:
        events: The events.
        patches: Their patches in this plane, in the same order.
        shape: (rows, columns) of the canvas.

    Returns:
        (row, column) phases, indices of `ROSELLA_PHASES`, and (row, column) instance map: event i has id i + 1.
    """
    phases = np.zeros(shape, np.uint8)
    instances = np.zeros(shape, np.int32)
    for index in sorted(range(len(events)), key=lambda i: -events[i].shape.diameter_um):
        patch = patches[index]
        if patch is None:
            continue
        covered = patch.coverage >= 0.5
        phases[patch.window][covered] = events[index].class_index
        instances[patch.window][covered] = index + 1
    return phases, instances


def add_light(planes: Map, patches: Sequence[Patch | None]) -> Map:
    """Add the light of events to both channels of a plane.

    Args:
        planes: (channel, row, column) counts. Not modified.
        patches: Events in this plane.
    """
    lit = planes.copy()
    for patch in patches:
        if patch is not None:
            lit[(slice(None), *patch.window)] += patch.light
    return np.maximum(lit, 0)


class _Sections:
    """Sections of one event through a square patch of samples."""

    def __init__(
        self, event: Event, corner: tuple[int, int], length: int, oversampling: int, pixel_size_um: float
    ) -> None:
        samples = (np.arange(length * oversampling) + 0.5) / oversampling
        down = (samples + corner[0] - event.row)[:, None] * pixel_size_um
        right = (samples + corner[1] - event.column) * pixel_size_um
        cosine, sine = np.cos(event.shape.angle), np.sin(event.shape.angle)
        along, across = down * cosine + right * sine, right * cosine - down * sine
        self._event, self._length, self._oversampling = event, length, oversampling
        self._outer = _level(along, across, event.shape, 0.0)
        self._inner = _level(along, across, event.shape, event.shape.membrane_um)

    def at(self, heights_um: NDArray[np.float64]) -> tuple[Masks, Masks]:
        """(slice, sample, sample) masks: the lumen, and the whole with its shell."""
        half_height, membrane = self._event.shape.half_axes_um[2], self._event.shape.membrane_um
        above = (heights_um - self._event.height_um)[:, None, None]
        outer = self._outer < 1 - (above / half_height) ** 2
        inner = outer if membrane == 0 else self._inner < 1 - (above / (half_height - membrane)) ** 2
        return inner, outer

    def coverage(self, height_um: float) -> NDArray[np.float64]:
        """(row, column) share of each pixel inside the section at a height."""
        _, outer = self.at(np.array([height_um]))
        size, fine = self._length, self._oversampling
        share: NDArray[np.float64] = outer[0].reshape(size, fine, size, fine).mean(axis=(1, 3))
        return share


def _level(
    along: NDArray[np.float64], across: NDArray[np.float64], shape: Shape, inset_um: float
) -> NDArray[np.float64]:
    """Squared distance from the centre in units of the outline, `inset_um` inside of it: 1 on the outline."""
    u, v = along / (shape.half_axes_um[0] - inset_um), across / (shape.half_axes_um[1] - inset_um)
    if inset_um > 0 or not any(amplitude for amplitude, _ in shape.outline):
        return u**2 + v**2
    around = np.arctan2(v, u)
    waves = [a * np.cos(wave * around + phase) for wave, (a, phase) in zip(HARMONICS, shape.outline)]
    level: NDArray[np.float64] = (u**2 + v**2) / (1 + np.sum(waves, axis=0)) ** 2
    return level


def _slices(event: Event) -> NDArray[np.float64]:
    """Heights of the edges of an event's slices."""
    half_height = event.shape.half_axes_um[2]
    n_slices = int(np.ceil(2 * half_height / LAYER_UM))
    return event.height_um + np.linspace(-half_height, half_height, n_slices + 1)


def _image(
    event: Event,
    channel: int,
    inner: Masks,
    outer: Masks,
    weights: NDArray[np.float64],
    sigmas_px: NDArray[np.float64],
    optics: Optics,
    oversampling: int,
) -> NDArray[np.float64]:
    """(row, column) counts of one event in one channel."""
    length = inner.shape[1] // oversampling
    rows, columns = (
        blur_matrices(length, oversampling=oversampling, sigmas_px=sigmas_px, shift_px=shift)
        for shift in optics.shifts_px[channel]
    )
    lumen, membrane = event.lumen_counts[channel], event.membrane_counts[channel]
    light = inner * lumen if inner is outer else inner * (lumen - membrane) + outer * membrane
    imaged = rows @ light @ columns.transpose(0, 2, 1)
    summed: NDArray[np.float64] = np.tensordot(weights, imaged, axes=1)
    return summed


def _cut(
    corner: tuple[int, int],
    length: int,
    light: NDArray[np.float64],
    coverage: NDArray[np.float64],
    shape: tuple[int, int],
) -> Patch | None:
    """Cut a patch at the edges of the canvas."""
    window = tuple(slice(max(0, start), min(side, start + length)) for start, side in zip(corner, shape))
    if any(part.start >= part.stop for part in window):
        return None
    rows, columns = (slice(part.start - start, part.stop - start) for part, start in zip(window, corner))
    return Patch((window[0], window[1]), light[:, rows, columns], coverage[rows, columns])

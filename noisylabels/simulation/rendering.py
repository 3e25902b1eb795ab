"""From events to light and truth: each is drawn in a small oversampled patch, layer by layer, and imaged exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import InstanceMap
from noisylabels.data.labels import LabelMap
from noisylabels.simulation.optics import Optics, blur_matrices
from noisylabels.simulation.phases import HARMONICS, Event, Shape
from noisylabels.simulation.settings import Pair
from noisylabels.simulation.texture import Map

LAYER_UM = 0.15
"""Thickness of the slices an event is cut into."""
LEAST_WEIGHT = 0.002
"""Slices that send less than this share of their light through the pinholes are left out."""
REACH_SIGMAS = 3.0
"""Blur is followed this far."""
MOST_SHIFT_PX = 1.0
"""Room for the shift of a channel; half of the distance of the cameras."""

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
    margin_px = int(np.ceil(REACH_SIGMAS * max(sigma.max() for sigma in sigmas) + MOST_SHIFT_PX))
    sections = _Sections(event, oversampling, optics.pixel_size_um)
    imaged = [
        np.tensordot(
            weights[channel][seen],
            _blurred(
                slices,
                optics.shifts_px[channel],
                oversampling=oversampling,
                sigmas_px=sigmas[channel],
                margin_px=margin_px,
            ),
            axes=1,
        )
        for channel, slices in enumerate(sections.light(middles))
    ]
    return _cut(sections.corner, margin_px, np.stack(imaged), sections.coverage(height_um), shape)


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
    """Sections of one event through the square of samples around it."""

    def __init__(self, event: Event, oversampling: int, pixel_size_um: float) -> None:
        reach_px = event.shape.reach_um / pixel_size_um
        self.corner = int(np.floor(event.row - reach_px)), int(np.floor(event.column - reach_px))
        self.length = int(np.ceil(2 * reach_px)) + 1
        samples = (np.arange(self.length * oversampling) + 0.5) / oversampling
        down = (samples + self.corner[0] - event.row)[:, None] * pixel_size_um
        right = (samples + self.corner[1] - event.column) * pixel_size_um
        cosine, sine = np.cos(event.shape.angle), np.sin(event.shape.angle)
        along, across = down * cosine + right * sine, right * cosine - down * sine
        self._event, self._oversampling = event, oversampling
        self._whole = _level(along, across, event.shape)
        self._lumen = _lumen_level(along, across, event.shape)

    def light(self, heights_um: NDArray[np.float64]) -> Iterator[NDArray[np.floating]]:
        """Per channel, (slice, sample, sample) counts that the event adds at these heights."""
        event, whole = self._event, self._inside(self._whole, heights_um, inset_um=0.0)
        if event.shape.membrane_um == 0:
            yield from (whole * counts for counts in event.lumen_counts)
            return
        lumen = self._inside(self._lumen, heights_um, inset_um=event.shape.membrane_um)
        for inside, shell in zip(event.lumen_counts, event.membrane_counts, strict=True):
            yield whole * shell + lumen * (inside - shell)

    def coverage(self, height_um: float) -> NDArray[np.float64]:
        """(row, column) share of each pixel inside the section at a height."""
        whole = self._inside(self._whole, np.array([height_um]), inset_um=0.0)[0]
        size, fine = self.length, self._oversampling
        share: NDArray[np.float64] = whole.reshape(size, fine, size, fine).mean(axis=(1, 3))
        return share

    def _inside(
        self, level: NDArray[np.float64], heights_um: NDArray[np.float64], *, inset_um: float
    ) -> NDArray[np.bool_]:
        relative = (heights_um - self._event.height_um) / (self._event.shape.half_axes_um[2] - inset_um)
        return level < (1 - relative**2)[:, None, None]


def _level(along: NDArray[np.float64], across: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """Squared distance from the centre in units of the outline at half height: 1 on the outline."""
    u, v = along / shape.half_axes_um[0], across / shape.half_axes_um[1]
    if not any(amplitude for amplitude, _ in shape.outline):
        return u**2 + v**2
    around = np.arctan2(v, u)
    waves = [a * np.cos(wave * around + phase) for wave, (a, phase) in zip(HARMONICS, shape.outline, strict=True)]
    level: NDArray[np.float64] = (u**2 + v**2) / (1 + np.sum(waves, axis=0)) ** 2
    return level


def _lumen_level(along: NDArray[np.float64], across: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """The same for the inner side of the shell."""
    return (along / (shape.half_axes_um[0] - shape.membrane_um)) ** 2 + (
        across / (shape.half_axes_um[1] - shape.membrane_um)
    ) ** 2


def _slices(event: Event) -> NDArray[np.float64]:
    """Heights of the edges of an event's slices."""
    half_height = event.shape.half_axes_um[2]
    n_slices = int(np.ceil(2 * half_height / LAYER_UM))
    return event.height_um + np.linspace(-half_height, half_height, n_slices + 1)


def _blurred(
    light: NDArray[np.floating],
    shifts_px: Pair,
    *,
    oversampling: int,
    sigmas_px: NDArray[np.float64],
    margin_px: int,
) -> NDArray[np.float64]:
    """(slice, row, column) counts: slices of samples imaged in one channel, each with its own blur."""
    rows, columns = (
        blur_matrices(
            light.shape[1] // oversampling,
            margin_px=margin_px,
            oversampling=oversampling,
            sigmas_px=sigmas_px,
            shift_px=shift,
        )
        for shift in shifts_px
    )
    imaged: NDArray[np.float64] = rows @ light @ columns.transpose(0, 2, 1)
    return imaged


def _cut(
    corner: tuple[int, int],
    margin_px: int,
    light: NDArray[np.float64],
    coverage: NDArray[np.float64],
    shape: tuple[int, int],
) -> Patch | None:
    """Cut a patch at the edges of the canvas."""
    start = corner[0] - margin_px, corner[1] - margin_px
    length = light.shape[1]
    spans = [slice(max(0, first), min(side, first + length)) for first, side in zip(start, shape, strict=True)]
    if any(span.start >= span.stop for span in spans):
        return None
    rows, columns = (slice(span.start - first, span.stop - first) for span, first in zip(spans, start, strict=True))
    return Patch((spans[0], spans[1]), light[:, rows, columns], np.pad(coverage, margin_px)[rows, columns])

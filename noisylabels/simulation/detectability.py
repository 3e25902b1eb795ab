"""The table of a field's events, and which of them somebody could see in the picture."""

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.events import EventTable
from noisylabels.data.labels import LabelMap
from noisylabels.simulation.camera import noise_counts
from noisylabels.simulation.microscope import Plane, illumination
from noisylabels.simulation.rendering import Patch
from noisylabels.simulation.scene import MARGIN_PX, Scene
from noisylabels.simulation.settings import DetectabilitySettings

CHANNELS = ("DsRed", "pHluorin")


def tabulate_events(scene: Scene, plane: Plane) -> EventTable:
    """List every event of a scene with what a plane shows of it.

    Args:
        scene: The scene.
        plane: Its plane, usually the middle one.

    Returns:
        One row per event: `event` (id in the instance map), `class_index`, `cell`, `row` and `column` of the centre in
        pixels of the frame, `height_um` over the plane, `diameter_um`, `ph`, `area_px` (visible in the plane),
        `signal_<channel>` (mean counts that it adds over its pixels), `contrast_<channel>` (signal over the light
        around), `snr_<channel>` (of the whole event) and `detectable`.
    """
    events = scene.events
    seen = np.array([_visibility(scene, plane, index) for index in range(len(events))]).reshape(-1, 7)
    area_px = seen[:, 0].astype(np.int32)
    signal, contrast, snr = seen[:, 1:3], seen[:, 3:5], seen[:, 5:7]
    columns: dict[str, NDArray[np.generic]] = {
        "event": np.arange(1, len(events) + 1, dtype=np.int32),
        "class_index": np.array([event.class_index for event in events], np.uint8),
        "cell": np.array([event.cell for event in events], np.int32),
        "row": np.array([event.row - MARGIN_PX for event in events], float),
        "column": np.array([event.column - MARGIN_PX for event in events], float),
        "height_um": np.array([event.height_um - scene.optics.focus_um for event in events], float),
        "diameter_um": np.array([event.shape.diameter_um for event in events], float),
        "ph": np.array([event.ph for event in events], float),
        "area_px": area_px,
    }
    for index, channel in enumerate(CHANNELS):
        columns[f"signal_{channel}"] = signal[:, index]
        columns[f"contrast_{channel}"] = contrast[:, index]
        columns[f"snr_{channel}"] = snr[:, index]
    columns["detectable"] = is_detectable(area_px, contrast, snr, scene.settings.detectability)
    return EventTable(columns)


def is_detectable(
    area_px: NDArray[np.integer],
    contrast: NDArray[np.float64],
    snr: NDArray[np.float64],
    settings: DetectabilitySettings,
) -> NDArray[np.bool_]:
    """Return which events could be seen: large enough, and in one channel clear of noise and of their surroundings.

    Args:
        area_px: (event,) pixels in the plane.
        contrast: (event, channel) signal over surroundings, of either sign.
        snr: (event, channel) signal over noise of the whole event, >= 0.
        settings: The cut.

    Examples:
        >>> cut = DetectabilitySettings(min_area_px=4, min_snr=5, min_contrast=0.25)
        >>> contrast, snr = np.array([[0.1, 2.0], [2.0, 0.1], [-0.5, 0.0]]), np.array([[9.0, 9.0]] * 3)
        >>> is_detectable(np.array([4, 3, 9]), contrast, snr, cut)
        array([ True, False,  True])
    """
    clear = (snr >= settings.min_snr) & (np.abs(contrast) >= settings.min_contrast)
    detectable: NDArray[np.bool_] = (area_px >= settings.min_area_px) & clear.any(axis=1)
    return detectable


def keep_detectable(plane: Plane, events: EventTable) -> LabelMap:
    """Erase the events that could not be seen from the truth of a plane.

    Args:
        plane: Truth and instance map.
        events: Its table, with `detectable`.

    Returns:
        (row, column) phases.
    """
    kept = np.append(False, events["detectable"])
    phases: LabelMap = np.where(kept[plane.instances], plane.phases, 0).astype(np.uint8)
    return phases


def _visibility(scene: Scene, plane: Plane, index: int) -> NDArray[np.float64]:
    """Area, then signal, contrast and SNR per channel, of one event over its visible pixels."""
    patch = plane.patches[index]
    if patch is None:
        return np.zeros(7)
    rows, columns, light = _in_frame(patch, plane)
    own = plane.instances[rows, columns] == index + 1
    if not own.any():
        return np.zeros(7)
    received = light[:, own] * (1 - scene.optics.haze) * illumination(scene)[:, rows, columns][:, own]
    whole = plane.light[:, rows, columns][:, own]
    noise = noise_counts(whole, scene.settings.camera)
    signal = received.mean(axis=1)
    contrast = signal / np.maximum((whole - received).mean(axis=1), 1.0)
    snr = np.sqrt(((received / noise) ** 2).sum(axis=1))
    return np.concatenate([[own.sum()], signal, contrast, snr])


def _in_frame(patch: Patch, plane: Plane) -> tuple[slice, slice, NDArray[np.float64]]:
    """Rows and columns of the frame that a patch reaches, and its light there."""
    spans, inside = [], []
    for part, side in zip(patch.window, plane.phases.shape, strict=True):
        start, stop = max(0, part.start - MARGIN_PX), max(0, min(side, part.stop - MARGIN_PX))
        spans.append(slice(start, max(start, stop)))
        inside.append(slice(start - (part.start - MARGIN_PX), max(start, stop) - (part.start - MARGIN_PX)))
    return spans[0], spans[1], patch.light[:, inside[0], inside[1]]

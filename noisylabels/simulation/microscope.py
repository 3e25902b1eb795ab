"""Taking a plane of a scene: the light that reaches the cameras, the picture, and the truth in that plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.arrays import Value
from noisylabels.data.events import InstanceMap
from noisylabels.data.keys import combine_keys, generator
from noisylabels.data.labels import LabelMap
from noisylabels.simulation.camera import expose, mix_channels
from noisylabels.simulation.optics import FWHM_PER_SIGMA, add_haze, shifted_blur, vignetting
from noisylabels.simulation.rendering import Patch, add_light, paint_truth, render_event
from noisylabels.simulation.scene import MARGIN_PX, Scene
from noisylabels.simulation.texture import Map


@dataclass(frozen=True)
class Plane:
    """One plane of a field.

    Args:
        picture: (channel, row, column) counts of the cameras.
        light: (channel, row, column) expected counts above offset: the picture without noise.
        phases: (row, column) truth in the plane before any blur, indices of `ROSELLA_PHASES`.
        instances: (row, column) event ids.
        patches: What each event of the scene adds, on the canvas; None where it is not seen.
    """

    picture: NDArray[np.uint16]
    light: Map
    phases: LabelMap
    instances: InstanceMap
    patches: Sequence[Patch | None]


def take_plane(scene: Scene, height_um: float) -> Plane:
    """Focus, expose and keep the truth.

    Args:
        scene: What lies under the microscope.
        height_um: Height of the plane over the field's middle plane.
    """
    frame = scene.settings.frame
    focus_um = scene.optics.focus_um + height_um
    patches = [
        render_event(event, scene.optics, height_um=focus_um, oversampling=frame.oversampling, shape=scene.shape)
        for event in scene.events
    ]
    phases, instances = paint_truth(scene.events, patches, scene.shape)
    light = _light_at_cameras(scene, add_light(_light_of_cells(scene, focus_um), patches))
    rng = generator(combine_keys(*scene.key, "exposure", round(height_um * 1000)))
    picture = expose(light, scene.settings.camera, rng)
    return Plane(picture, light, framed(phases), framed(instances), patches)


def framed(canvas: NDArray[Value]) -> NDArray[Value]:
    """Cut the frame out of a canvas, in its last two axes."""
    return np.ascontiguousarray(canvas[..., MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX])


def illumination(scene: Scene) -> Map:
    """(channel, row, column) factors of the illumination over the frame."""
    optics = scene.settings.optics
    shape = scene.settings.frame.shape
    return np.stack([vignetting(shape, profile, optics.vignetting_strength) for profile in optics.vignetting])


def _light_of_cells(scene: Scene, focus_um: float) -> Map:
    """(channel, row, column) light of cells, debris and medium on the canvas, before haze."""
    cells, optics = scene.settings.cells, scene.optics
    height_px = focus_um / optics.pixel_size_um
    levels = scene.colony.levels(cells, counts=scene.cytosol_counts, height_px=height_px) + _light_of_debris(scene)
    levels = levels + _light_of_tubes(scene, height_px)
    return np.stack(
        [
            shifted_blur(level, sigma_px=optics.blur_of_thick_layer_px(channel), shift_px=shift) + np.float32(medium)
            for channel, (level, shift, medium) in enumerate(
                zip(levels, optics.shifts_px, cells.medium_counts, strict=True)
            )
        ]
    )


def _light_of_tubes(scene: Scene, height_px: float) -> Map:
    """(channel, row, column) light of the mitochondria; nothing where the sensor does not label them."""
    if not len(scene.tubes.points):
        return np.zeros((2, 1, 1), np.float32)
    counts = np.array(scene.settings.cells.tube_counts) * scene.effects.brightness
    section_px = np.mean(scene.settings.optics.section_fwhm_um) / FWHM_PER_SIGMA / scene.optics.pixel_size_um
    density = scene.tubes.density(height_px=height_px, section_px=float(section_px), shape=scene.shape)
    return np.stack([np.float32(count) * density for count in counts])


def _light_of_debris(scene: Scene) -> Map:
    rows, columns = (np.arange(length, dtype=np.float32) for length in scene.shape)
    light = np.zeros(scene.shape, np.float32)
    for row, column, sigma, counts in scene.debris.astype(np.float32):
        down, right = np.exp(-(((rows - row) / sigma) ** 2) / 2), np.exp(-(((columns - column) / sigma) ** 2) / 2)
        light += counts * np.outer(down, right)
    return light


def _light_at_cameras(scene: Scene, light: Map) -> Map:
    """Add haze, mix the channels, cut to the frame and shade by the illumination."""
    sigma_px = scene.settings.optics.haze_sigma_px
    hazy = np.stack([add_haze(plane, share=scene.optics.haze, sigma_px=sigma_px) for plane in light])
    return framed(mix_channels(hazy, scene.settings.camera)) * illumination(scene)

"""The CIP as one function: a two-channel field in, a label map of the autophagy phases out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.cip.acidity import find_low_ph, ratio_image
from noisylabels.cip.autophagosomes import find_circle_rings, find_hole_rings, validate_autophagosomes
from noisylabels.cip.components import Labels, Mask
from noisylabels.cip.decisions import decide_phases
from noisylabels.cip.deconvolution import blind_richardson_lucy, richardson_lucy, theoretical_psf
from noisylabels.cip.filters import Stack
from noisylabels.cip.settings import LCSB, CipSettings, Deconvolution
from noisylabels.cip.spots import find_green_spots, find_red_spots, green_contrast
from noisylabels.cip.vesicles import find_vesicles, measure_vesicles
from noisylabels.data.arrays import RealArray
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.labels import LabelMap

FULL_SCALE = 65535.0


@dataclass(frozen=True)
class CipMasks:
    """What the steps found, (plane, row, column) booleans each; for pictures and for checks."""

    red_spots: Mask
    green_spots: Mask
    low_ph: Mask
    autophagosomes: Mask


@dataclass(frozen=True)
class CipResult:
    """The CIP's answer for one field.

    Args:
        label_stack: (plane, row, column) uint8 class indices of ROSELLA_PHASES; unclassified vesicles are background.
        vesicle_stack: (plane, row, column) int32 vesicle ids, those of unclassified vesicles too.
        vesicles: One row per vesicle; see `measure_vesicles` and `decide_phases`.
        masks: The masks that the vesicles come from.
    """

    label_stack: LabelMap
    vesicle_stack: Labels
    vesicles: EventTable
    masks: CipMasks

    @property
    def label_map(self) -> LabelMap:
        """(row, column) class indices of ROSELLA_PHASES in the middle plane."""
        middle: LabelMap = self.label_stack[len(self.label_stack) // 2]
        return middle

    @property
    def unclassified(self) -> NDArray[np.bool_]:
        """(vesicle,) true where no test of step 14 held."""
        return np.asarray(self.vesicles["class_index"] == 0)


def segment_field(
    image: RealArray, settings: CipSettings = LCSB, *, sharp: tuple[Stack, Stack] | None = None
) -> CipResult:
    """Label the autophagy phases of one field with the conventional pipeline.

    Args:
        image: (channel, row, column) or (channel, plane, row, column) raw counts, channel 0 DsRed, 1 pHluorin; uint16
            or any real numbers, at least 0. Not modified. Illumination is corrected before (`correct_flatfield`).
        settings: The numbers of all steps.
        sharp: The channels as `sharpen` gave them with the same settings of deconvolution; None: made here.

    Returns:
        Label maps, vesicles and masks.

    Raises:
        InputError: If the image has other than two channels, holds NaN or negative values, or is smaller than the
            PSF.

    Examples:
        >>> result = segment_field(np.full((2, 32, 40), 100, np.uint16))
        >>> result.label_map.shape, len(result.vesicles)
        ((32, 40), 0)
    """
    red_counts, green_counts = split_channels(image)
    red, green = sharp or sharpen(image, settings.deconvolution)
    red_spots, green_spots = find_red_spots(red, settings.red), find_green_spots(green, settings.green)
    ratio = ratio_image(red_counts, green_counts, settings.acidity)
    low_ph = find_low_ph(ratio, green, settings.acidity)
    candidates = find_hole_rings(green_contrast(green, settings.green), settings.hole_rings)
    candidates |= find_circle_rings(green_counts, red_counts, green_spots, settings.circle_rings)
    autophagosomes = validate_autophagosomes(candidates, ratio, red, red_spots, settings.autophagosome)
    masks = CipMasks(red_spots, green_spots, low_ph, autophagosomes)
    labels, count = find_vesicles(autophagosomes, red_spots, low_ph, red_counts, settings.vesicles)
    measured = measure_vesicles(
        labels,
        count,
        red=red,
        green=green,
        ratio=ratio,
        red_spots=red_spots,
        green_spots=green_spots,
        low_ph=low_ph,
        autophagosomes=autophagosomes,
        decisions=settings.decisions,
    )
    vesicles = decide_phases(measured, settings.decisions, settings.vesicles)
    by_id = np.concatenate([[0], vesicles["class_index"]]).astype(np.uint8)
    return CipResult(by_id[labels], labels, vesicles, masks)


def sharpen(image: RealArray, settings: Deconvolution) -> tuple[Stack, Stack]:
    """Deconvolve both channels: the slow step, which runs with other thresholds share.

    Args:
        image: As `segment_field` takes it. Not modified.
        settings: Of the deconvolution.

    Returns:
        DsRed and pHluorin, (plane, row, column) float32 on the scale of the thresholds.

    Raises:
        InputError: See `segment_field`.
    """
    red, green = split_channels(image)
    return deconvolve(red, settings, settings.red_emission_nm), deconvolve(green, settings, settings.green_emission_nm)


def split_channels(image: RealArray) -> tuple[Stack, Stack]:
    """Check an image and give its two channels as (plane, row, column) float32 stacks of raw counts.

    Raises:
        InputError: See `segment_field`.
    """
    array = np.asarray(image)
    if array.ndim not in (3, 4) or array.shape[0] != 2:
        msg = (
            "The image must be (2, row, column) or (2, plane, row, column), DsRed then pHluorin, "
            f"got shape {array.shape}. Choose the two channels."
        )
        raise InputError(msg)
    if array.size == 0 or not np.isfinite(array).all() or array.min() < 0:
        n_bad = int(array.size - np.count_nonzero(np.isfinite(array) & (array >= 0)))
        msg = f"Pixels must be finite counts of at least 0, got {n_bad} of {array.size} that are not. Drop the image."
        raise InputError(msg)
    stacks = array.reshape(2, -1, *array.shape[-2:]).astype(np.float32)
    return stacks[0], stacks[1]


def deconvolve(counts: Stack, settings: Deconvolution, emission_nm: float) -> Stack:
    """Step 2: deconvolve one channel and bring it to the scale 0..65535 of the thresholds.

    Args:
        counts: (plane, row, column) raw counts. Not modified.
        settings: Optics, iterations and scale.
        emission_nm: Wavelength of the channel in nm.

    Returns:
        (plane, row, column) float32; above 65535 only with a fixed scale.
    """
    psf = theoretical_psf(
        n_planes=len(counts) - (len(counts) + 1) % 2,
        radius_px=settings.psf_radius_px,
        pixel_um=settings.pixel_um,
        plane_step_um=settings.plane_step_um,
        emission_nm=emission_nm,
        numerical_aperture=settings.numerical_aperture,
        refractive_index=settings.refractive_index,
    )
    if settings.blind:
        sharp, _ = blind_richardson_lucy(counts, psf, iterations=settings.iterations)
    else:
        sharp = richardson_lucy(counts, psf, iterations=settings.iterations)
    full_scale = settings.full_scale_counts or float(sharp.max()) or 1.0
    return sharp * np.float32(FULL_SCALE / full_scale)

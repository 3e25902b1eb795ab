"""The microscope: frame, optics, cameras, and what can be seen through them.

Pairs of numbers are (DsRed, pHluorin), in the order of the image's channels, unless a name ends in `_range`, which is
(lowest, highest). Sources stand beside the numbers; see `noisylabels.simulation.settings`.
"""

from dataclasses import dataclass

from noisylabels.data.errors import InputError
from noisylabels.simulation.settings.base import Pair, Settings


@dataclass(frozen=True, kw_only=True)
class FrameSettings(Settings):
    """The camera frame and the stack.

    Args:
        rows: Height in pixels, >= 16.
        columns: Width in pixels, >= 16.
        planes: Number of z-planes, odd; the middle one is the plane that the label maps describe.
        pixel_size_um: Side of a pixel in the sample [CIP].
        plane_step_um: Distance of the planes [assumed; the original does not say].
        oversampling: Samples per pixel and axis when objects are drawn; Nyquist needs 2 at this pixel size.

    Raises:
        InputError: If a number is out of its range.
    """

    rows: int = 512
    columns: int = 680
    planes: int = 1
    pixel_size_um: float = 0.2152
    plane_step_um: float = 0.4
    oversampling: int = 4

    def __post_init__(self) -> None:
        if min(self.shape) < 16:
            msg = f"A field must have at least 16 rows and 16 columns, got {self.shape}. Ask for a larger field."
            raise InputError(msg)
        if self.planes < 1 or self.planes % 2 == 0:
            msg = f"planes must be odd and at least 1, got {self.planes}. Use 1 or 5: the middle plane is labelled."
            raise InputError(msg)
        if min(self.pixel_size_um, self.plane_step_um, self.oversampling) <= 0:
            msg = f"Pixel size, plane step and oversampling must be above 0, got {self}. Give lengths in um."
            raise InputError(msg)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def plane_heights_um(self) -> tuple[float, ...]:
        """Height of every plane over the middle one."""
        middle = self.planes // 2
        return tuple((plane - middle) * self.plane_step_um for plane in range(self.planes))


@dataclass(frozen=True, kw_only=True)
class OpticsSettings(Settings):
    """A spinning-disk confocal with a 60x water objective of NA 1.2 and two cameras.

    Args:
        sigma_range_um: Lateral standard deviation in focus, drawn per field: 0.55-0.8 pixels [assumed].
        defocus_um: Distances from focus at which `defocus_sigma_um` holds [PSF].
        defocus_sigma_um: Per channel, the ideal lateral standard deviation at those distances [PSF]; beyond the last
            it goes on as a straight line.
        section_fwhm_um: Per channel, thickness of the optical section (full width at half maximum) [PSF].
        haze_range: Share of the light that the pinholes let through from elsewhere, drawn per field [assumed].
        haze_sigma_px: Blur of that light [assumed].
        focus_sigma_um: Spread of the height of focus between fields [assumed].
        channel_shift_range_px: Distance of the two cameras' images, drawn per plate [assumed]; labels lie midway.
        chromatic_shift_range_um: Distance of the two channels' planes of focus, drawn per plate [assumed].
        vignetting: Per channel, coefficients c[n][k] of x^(n-k) y^k, x and y in [-0.5, 0.5] along columns and rows:
            real profiles of two instruments [profile].
        vignetting_strength: Share of that profile's departure from 1; a 60x objective sees less of it [assumed].
    """

    sigma_range_um: Pair = (0.118, 0.172)
    defocus_um: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    defocus_sigma_um: tuple[tuple[float, ...], tuple[float, ...]] = (
        (0.1117, 0.1184, 0.1872, 0.3551, 0.5251, 0.7145),
        (0.0978, 0.1076, 0.2066, 0.3766, 0.5466, 0.7360),
    )
    section_fwhm_um: Pair = (0.7, 0.6)
    haze_range: Pair = (0.08, 0.18)
    haze_sigma_px: float = 6.0
    focus_sigma_um: float = 0.3
    channel_shift_range_px: Pair = (0.0, 1.5)
    chromatic_shift_range_um: Pair = (0.0, 0.3)
    vignetting: tuple[tuple[tuple[float, ...], ...], tuple[tuple[float, ...], ...]] = (
        (
            (1.1406,),
            (0.1859, -0.1243),
            (-1.5559, -0.034, -0.1101),
            (-0.3558, 0.0603, -0.3186, 0.4267),
            (0.8569, -0.1592, 0.8817, 0.2324, -1.4908),
        ),
        (
            (1.3708,),
            (-0.3709, -0.2522),
            (-1.9677, 0.0603, -2.7414),
            (0.4256, 0.1765, 0.6162, 0.0444),
            (-0.5242, 0.1835, 1.4438, 0.2333, 1.4528),
        ),
    )
    vignetting_strength: float = 0.4


@dataclass(frozen=True, kw_only=True)
class CameraSettings(Settings):
    """Two binned 12-bit CCD cameras.

    Args:
        bleed_through: (green light in the DsRed channel, red light in the pHluorin channel), as shares [assumed].
        counts_per_electron: Gain [assumed].
        read_noise_counts: Standard deviation of the read noise [assumed].
        offset_counts: Mean of a dark pixel [assumed].
        hot_pixel_rate: Share of the pixels that stand at a random level [assumed].
        full_scale_counts: Largest count: 12 bits [CIP].
    """

    bleed_through: Pair = (0.02, 0.004)
    counts_per_electron: float = 0.4
    read_noise_counts: float = 4.5
    offset_counts: float = 100.0
    hot_pixel_rate: float = 1e-5
    full_scale_counts: int = 4095


@dataclass(frozen=True, kw_only=True)
class DetectabilitySettings(Settings):
    """Which events of the plane somebody could see: all three must hold in at least one channel.

    Args:
        min_area_px: Pixels of the event in the plane.
        min_snr: Signal over noise of the whole event, sqrt(sum over pixels of (signal / noise)^2): 5 is Rose's
            criterion (1948, doi:10.1364/JOSA.38.000196).
        min_contrast: |signal of the event| over signal of its surroundings, mean over its pixels.
    """

    min_area_px: int = 4
    min_snr: float = 5.0
    min_contrast: float = 0.25

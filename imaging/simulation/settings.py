"""What a simulated field depends on: frozen settings with units, which refuse unknown keys.

Pairs of numbers are (DsRed, pHluorin), in the order of the image's channels, unless a name ends in `_range`, which
is (lowest, highest). The sources of the numbers are named beside them: [CIP] is the published source of the original
pipeline (github.com/LCSB-DVB/Jarazo_2021), [PSF] was computed with vectorial models (NA 1.2, 511 and 584 nm),
[tuned] was chosen so that class frequencies and the CIP's error rates come out as in the paper, [assumed] is
microscopist's knowledge without one source.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from noisylabels.errors import InputError

Pair = tuple[float, float]

FULL_FRAME_PX = 512 * 680
"""Area of the paper's field; numbers of events are given for it and scale with the area of the field."""


class Settings:
    """Base of all settings: made from plain dictionaries and turned back into them."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from a (nested) dictionary; what it does not name keeps its default.

        Args:
            values: Setting values by name, as JSON or YAML gives them.

        Raises:
            InputError: If it names a setting that does not exist; the message lists those that do.

        Examples:
            >>> FrameSettings.from_dict({"rows": 64, "columns": 80}).shape
            (64, 80)
        """
        return cls().replaced(values)

    def replaced(self, values: Mapping[str, Any]) -> Self:
        """Copy the settings with other values, at any depth.

        Args:
            values: New values by name; a dictionary for settings within settings.

        Raises:
            InputError: If it names a setting that does not exist; the message lists those that do.

        Examples:
            >>> EventSettings().replaced({"phagophore": {"count_per_frame": 12}}).phagophore.diameter_um
            1.05
        """
        known = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(known))
        if unknown:
            msg = f"Settings of {type(self).__name__} must be among {sorted(known)}, got {unknown}. Correct the name."
            raise InputError(msg)
        changed = {name: _replaced(getattr(self, name), value) for name, value in values.items()}
        return dataclasses.replace(self, **changed)  # type: ignore[type-var]

    def to_dict(self) -> dict[str, Any]:
        """Copy the settings into a nested dictionary of plain values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]


def _replaced(old: Any, value: Any) -> Any:
    return old.replaced(value) if isinstance(old, Settings) and isinstance(value, Mapping) else _as_tuple(value)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list | tuple) else value


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
class CellSettings(Settings):
    """A packed colony of induced pluripotent stem cells that express Rosella-LC3 in cytosol and nucleus.

    Args:
        diameter_um: Mean distance of neighbouring cells [assumed: iPSC].
        cover_range: Share of the field that the colony covers, drawn per field [assumed].
        gap_rate: Probability that a cell is missing from the colony [assumed].
        cytosol_counts: Camera counts above offset of the cytosol: raw ratio 2.3 with an offset of 100 [CIP].
        expression_sigma: Spread of the logarithm of cells' brightness: clonal 0.3, transient 0.5-0.8 [assumed].
        unevenness: Relative standard deviation of the cytosol within a cell [assumed].
        nucleus_diameter_um: Mean diameter of a nucleus [assumed].
        nucleus_level: Brightness of the nucleus relative to its cytosol [assumed].
        border_dip: Relative loss of light where two cells meet [assumed].
        medium_counts: Counts above offset outside the cells [assumed].
        height_um: Thickness of the layer in which organelles lie, centred on the plane of good focus [tuned].
    """

    diameter_um: float = 12.0
    cover_range: Pair = (0.60, 0.95)
    gap_rate: float = 0.01
    cytosol_counts: Pair = (140.0, 450.0)
    expression_sigma: float = 0.3
    unevenness: float = 0.08
    nucleus_diameter_um: float = 7.5
    nucleus_level: Pair = (0.68, 0.92)
    border_dip: float = 0.3
    medium_counts: Pair = (4.0, 6.0)
    height_um: float = 1.85


@dataclass(frozen=True, kw_only=True)
class PhaseSettings(Settings):
    """Size, number, brightness and acidity of the events of one phase.

    Args:
        count_per_frame: Expected number whose centre lies in a full 680 x 512 frame covered by cells to four fifths.
        diameter_um: Median diameter.
        diameter_sigma: Spread of the logarithm of the diameter.
        diameter_range_um: Diameters are kept within.
        elongation_range: Long over short axis, uniform.
        roughness: Relative amplitude of the irregular outline.
        lumen_fold: Sensor inside, as multiples of the cytosol's counts, before the effect of pH on pHluorin.
        membrane_fold: Sensor in the shell, which lies in the neutral cytosol.
        membrane_um: Thickness of the shell; 0 = no shell.
        displaced: Share of the cytosol's signal that the object keeps out.
        fold_sigma: Spread of the logarithm of the folds between events.
        ph_range: pH inside, uniform.
    """

    count_per_frame: float = 0.0
    diameter_um: float = 1.0
    diameter_sigma: float = 0.3
    diameter_range_um: Pair = (0.4, 3.0)
    elongation_range: Pair = (1.0, 1.3)
    roughness: float = 0.0
    lumen_fold: Pair = (0.0, 0.0)
    membrane_fold: Pair = (0.0, 0.0)
    membrane_um: float = 0.0
    displaced: Pair = (0.0, 0.0)
    fold_sigma: float = 0.3
    ph_range: Pair = (7.2, 7.2)

    def __post_init__(self) -> None:
        if self.count_per_frame < 0:
            msg = f"count_per_frame must be 0 or more, got {self.count_per_frame}. Give the mean number of events."
            raise InputError(msg)
        thinnest_um = self.diameter_range_um[0] / 2 / self.elongation_range[1] ** 0.5
        if not 0 <= self.membrane_um < thinnest_um:
            msg = (
                f"membrane_um must be in [0, {thinnest_um:.3g}), half of the thinnest event, got {self.membrane_um}. "
                "Make the shell thinner or the events larger."
            )
            raise InputError(msg)


def _phagophore() -> PhaseSettings:
    return PhaseSettings(
        count_per_frame=190,
        diameter_um=1.05,
        diameter_sigma=0.33,
        diameter_range_um=(0.45, 2.2),
        elongation_range=(1.0, 2.2),
        roughness=0.14,
        lumen_fold=(3.0, 5.5),
        fold_sigma=0.55,
    )


def _autophagosome() -> PhaseSettings:
    return PhaseSettings(
        count_per_frame=1,
        diameter_um=1.7,
        diameter_sigma=0.2,
        diameter_range_um=(1.2, 2.4),
        membrane_fold=(0.6, 3.5),
        membrane_um=0.25,
        fold_sigma=0.2,
    )


def _early_autolysosome() -> PhaseSettings:
    return PhaseSettings(
        count_per_frame=3,
        diameter_um=1.6,
        diameter_sigma=0.2,
        diameter_range_um=(1.2, 2.2),
        lumen_fold=(4.0, 4.0),
        membrane_fold=(0.6, 3.5),
        membrane_um=0.25,
        displaced=(0.0, 0.75),
        ph_range=(5.5, 6.5),
    )


def _late_autolysosome() -> PhaseSettings:
    return PhaseSettings(
        count_per_frame=150,
        diameter_um=1.3,
        diameter_sigma=0.38,
        diameter_range_um=(0.5, 3.0),
        roughness=0.04,
        lumen_fold=(4.5, 4.5),
        displaced=(0.0, 0.75),
        fold_sigma=0.5,
        ph_range=(4.5, 5.5),
    )


@dataclass(frozen=True, kw_only=True)
class EventSettings(Settings):
    """The four phases and the sensor.

    Args:
        phagophore: Irregular, green and red [tuned].
        autophagosome: A green ring without bright red [CIP, tuned].
        early_autolysosome: A red lumen of falling pH in a green ring [tuned].
        late_autolysosome: Red only; green is quenched and the cytosol kept out [tuned].
        pka: Of pHluorin; DsRed does not answer to pH above 5 [assumed].
        cytosol_ph: pH outside, at which the cytosol's counts hold.
        activity_sigma: Spread of the logarithm of the number of events between cells [assumed].
    """

    phagophore: PhaseSettings = field(default_factory=_phagophore)
    autophagosome: PhaseSettings = field(default_factory=_autophagosome)
    early_autolysosome: PhaseSettings = field(default_factory=_early_autolysosome)
    late_autolysosome: PhaseSettings = field(default_factory=_late_autolysosome)
    pka: float = 7.1
    cytosol_ph: float = 7.2
    activity_sigma: float = 0.5

    @property
    def by_class(self) -> dict[int, PhaseSettings]:
        """The phases by class index of `noisylabels.labels.ROSELLA_PHASES`."""
        return {1: self.phagophore, 2: self.autophagosome, 3: self.early_autolysosome, 4: self.late_autolysosome}


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
            real profiles of two instruments.
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


@dataclass(frozen=True, kw_only=True)
class PlateSettings(Settings):
    """How wells of a plate differ although they were treated alike [assumed].

    Args:
        rows: Rows of the plate.
        columns: Columns of the plate.
        row_gradient: Relative change of brightness from the first to the last row.
        column_gradient: The same along columns.
        edge_cover: Factor on the colony's cover in wells at the edge.
        edge_focus_um: Additional spread of the focus in wells at the edge.
        well_sigma: Spread of the logarithm of brightness between wells, per channel.
        plate_sigma: Spread of the logarithm of brightness between plates, per channel.
        bleaching: Relative loss of brightness from the first to the last well, read row by row.
        empty_rate: Probability of a field without cells.
        defocused_rate: Probability of a field whose focus failed.
        debris_rate: Probability of a field with a bright piece of debris.
        failed_focus_um: Distance of a failed focus.
    """

    rows: int = 8
    columns: int = 12
    row_gradient: float = 0.08
    column_gradient: float = 0.05
    edge_cover: float = 0.8
    edge_focus_um: float = 0.2
    well_sigma: float = 0.12
    plate_sigma: float = 0.2
    bleaching: float = 0.05
    empty_rate: float = 0.01
    defocused_rate: float = 0.015
    debris_rate: float = 0.015
    failed_focus_um: float = 1.6


@dataclass(frozen=True, kw_only=True)
class SimulationSettings(Settings):
    """Everything that a simulated field depends on, apart from its key.

    Examples:
        >>> settings = SimulationSettings.from_dict({"frame": {"rows": 256, "columns": 340}})
        >>> settings.frame.shape, settings.camera.full_scale_counts
        ((256, 340), 4095)
        >>> SimulationSettings.from_dict({"frame": {"row": 256}})
        Traceback (most recent call last):
        ...
        noisylabels.errors.InputError: Settings of FrameSettings must be among ['columns', 'oversampling', \
'pixel_size_um', 'plane_step_um', 'planes', 'rows'], got ['row']. Correct the name.
    """

    frame: FrameSettings = field(default_factory=FrameSettings)
    cells: CellSettings = field(default_factory=CellSettings)
    events: EventSettings = field(default_factory=EventSettings)
    optics: OpticsSettings = field(default_factory=OpticsSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    detectability: DetectabilitySettings = field(default_factory=DetectabilitySettings)
    plate: PlateSettings = field(default_factory=PlateSettings)


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read settings that differ from a preset's, for `SimulationSettings.replaced`.

    Args:
        path: A YAML or JSON file: groups of settings, as `cells: {diameter_um: 14}`.

    Raises:
        FileNotFoundError: If there is no such file.
        InputError: If it cannot be decoded or is not a mapping.
    """
    import yaml

    source = Path(path)
    if not source.is_file():
        msg = f"{source} must be a file of settings, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    try:
        values = yaml.safe_load(source.read_text())
    except yaml.YAMLError as error:
        msg = f"{source} must be YAML or JSON, got a fault: {' '.join(str(error).split())}. Mend it."
        raise InputError(msg) from error
    if not isinstance(values, dict):
        msg = f"{source} must hold groups of settings, got {type(values).__name__}. Write for instance cells: {{...}}."
        raise InputError(msg)
    return values

"""What lies under the microscope: cells and the phases of autophagy.

Pairs of numbers are (DsRed, pHluorin), in the order of the image's channels, unless a name ends in `_range`, which is
(lowest, highest). Sources stand beside the numbers; see `noisylabels.simulation.settings`.
"""

from dataclasses import dataclass, field

from noisylabels.data.errors import InputError
from noisylabels.simulation.settings.base import Pair, Settings

FULL_FRAME_PX = 512 * 680
"""Area of the paper's field; numbers of events are given for it and scale with the area that cells cover."""


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
        layer_um: Thickness of the layer in which organelles lie, centred on the plane of good focus [tuned].
        tubes_per_cell: Mitochondria in a cell, where the sensor labels those [tuned]; 0 for Rosella-LC3.
        tube_length_range_um: Their lengths [tuned].
        tube_width_um: Their width: full width at half maximum before the optics [tuned].
        tube_counts: Counts above offset in the middle of a tube in focus [tuned].
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
    layer_um: float = 1.85
    tubes_per_cell: float = 0.0
    tube_length_range_um: Pair = (1.0, 5.0)
    tube_width_um: float = 0.4
    tube_counts: Pair = (0.0, 0.0)


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
        count_per_frame=200,
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
        count_per_frame=165,
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
        """The phases by class index of `noisylabels.data.labels.ROSELLA_PHASES`."""
        return {1: self.phagophore, 2: self.autophagosome, 3: self.early_autolysosome, 4: self.late_autolysosome}

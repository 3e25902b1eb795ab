"""How fields of a plate differ: places, batches and accidents."""

from dataclasses import dataclass

from noisylabels.simulation.settings.base import Settings


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
        failed_blur_um: Additional lateral standard deviation where focus failed, as 0.8 um out of focus [PSF].
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
    failed_blur_um: float = 0.5

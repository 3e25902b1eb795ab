"""Plates: where a well lies, what it was treated with and which accidents happened change its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.keys import combine_keys, generator
from noisylabels.data.wells import WellPosition
from noisylabels.simulation.settings import EventSettings, Pair, PlateSettings


@dataclass(frozen=True)
class Treatment:
    """What a compound or a mutation does at full dose.

    Args:
        factors: Factor on the number of events by class index of `ROSELLA_PHASES`.
        late_ph_range: pH of late autolysosomes, where the treatment changes it.
        cover: Factor on the colony's cover (toxicity).
    """

    factors: Mapping[int, float] = field(default_factory=dict)
    late_ph_range: Pair | None = None
    cover: float = 1.0


TREATMENTS: Mapping[str, Treatment] = MappingProxyType(
    {
        "untreated": Treatment(),
        # Induction: both classes up, 1.5- to 3-fold.
        "starvation": Treatment({1: 2.2, 2: 2.0, 3: 2.0, 4: 2.5}),
        "rapamycin": Treatment({1: 1.6, 2: 1.5, 3: 1.5, 4: 1.8}),
        # No acid, no fusion: late autolysosomes stay green, autophagosomes gather.
        "bafilomycin": Treatment({1: 1.2, 2: 10.0, 3: 2.0, 4: 1.2}, late_ph_range=(6.6, 7.1)),
        "chloroquine": Treatment({1: 1.2, 2: 6.0, 3: 2.0, 4: 1.4}, late_ph_range=(6.0, 6.8), cover=0.95),
        # No autophagosome formation: events down by more than 80 %.
        "atg5-knockout": Treatment({1: 0.12, 2: 0.05, 3: 0.1, 4: 0.15}),
        # Uncoupler: mitophagy up, some cells lost.
        "cccp": Treatment({1: 1.2, 2: 1.5, 3: 2.5, 4: 3.0}, cover=0.9),
    }
)
"""Treatments by name; directions and sizes are common knowledge of the field, not measurements."""


@dataclass(frozen=True)
class FieldEffects:
    """What plate, well, treatment and accidents do to one field.

    Args:
        condition: Name of the treatment.
        dose: Its strength, 0..1.
        accident: "none", "empty", "defocused" or "debris".
        brightness: Factor on the counts of cells, per channel.
        cover: Factor on the colony's cover.
        focus_um: Height of the plane in focus over the middle of the layer of events.
        blur_um: Additional lateral standard deviation of the blur, where focus failed.
        factors: Factor on the number of events by class index.
        late_ph_range: pH of late autolysosomes at full dose, None where unchanged.
    """

    condition: str
    dose: float
    accident: str
    brightness: Pair
    cover: float
    focus_um: float
    blur_um: float
    factors: Mapping[int, float]
    late_ph_range: Pair | None

    def treated(self, events: EventSettings) -> EventSettings:
        """Change the acidity of late autolysosomes as the treatment does."""
        if self.late_ph_range is None:
            return events
        low, high = (
            usual + self.dose * (treated - usual)
            for usual, treated in zip(events.late_autolysosome.ph_range, self.late_ph_range, strict=True)
        )
        return events.replaced({"late_autolysosome": {"ph_range": (low, high)}})


def draw_effects(
    settings: PlateSettings,
    *,
    seed: int,
    plate: str,
    well: str,
    field: int,
    focus_sigma_um: float,
    condition: str = "untreated",
    dose: float = 1.0,
) -> FieldEffects:
    """Draw how a field differs from the usual one because of where it is and what happened to it.

    Plate and well brightness, gradients over rows and columns, bleaching in the order of wells (row by row), edge
    wells with fewer cells and worse focus, and rare accidents. Keyed: other fields do not matter.

    Args:
        settings: Sizes of the effects.
        seed: Seed of the screen.
        plate: Name of the plate.
        well: Name of the well.
        field: Number of the field in its well.
        focus_sigma_um: Spread of the height of focus in wells off the edge.
        condition: Name of a treatment.
        dose: Its strength, in [0, 1].

    Raises:
        InputError: If there is no such treatment or well, or the dose is out of range.
    """
    treatment = _treatment(condition, dose)
    row, column = _position(settings, well)
    rng = generator(combine_keys(seed, plate, well, field, "effects"))
    focus_sigma = np.hypot(focus_sigma_um, settings.edge_focus_um * _at_edge(settings, row, column))
    focus = float(rng.normal(0, focus_sigma))
    accident = _draw_accident(settings, rng)
    edge_cover = settings.edge_cover if _at_edge(settings, row, column) else 1.0
    return FieldEffects(
        condition=condition,
        dose=dose,
        accident=accident,
        brightness=_brightness(settings, seed, plate, well, row, column),
        cover=0.0 if accident == "empty" else edge_cover * treatment.cover**dose,
        focus_um=focus,
        blur_um=settings.failed_blur_um if accident == "defocused" else 0.0,
        factors={index: factor**dose for index, factor in treatment.factors.items()},
        late_ph_range=treatment.late_ph_range,
    )


def _treatment(condition: str, dose: float) -> Treatment:
    if condition not in TREATMENTS:
        msg = (
            f"A condition must be one of {', '.join(TREATMENTS)}, got {condition!r}. Name a treatment of the simulator."
        )
        raise InputError(msg)
    if not 0 <= dose <= 1:
        msg = f"dose must be in [0, 1], got {dose}. 1 is the full effect of the treatment."
        raise InputError(msg)
    return TREATMENTS[condition]


def _position(settings: PlateSettings, well: str) -> tuple[int, int]:
    """Row and column of a well, from 0."""
    position = WellPosition.parse(well)
    row, column = position.row - 1, position.column - 1
    if row >= settings.rows or column >= settings.columns:
        last = WellPosition(settings.rows, settings.columns).name
        msg = f"A well of this plate must lie in A01..{last}, got {well!r}. Change the plate's rows and columns."
        raise InputError(msg)
    return row, column


def _at_edge(settings: PlateSettings, row: int, column: int) -> bool:
    return row in (0, settings.rows - 1) or column in (0, settings.columns - 1)


def _brightness(settings: PlateSettings, seed: int, plate: str, well: str, row: int, column: int) -> Pair:
    across_rows = row / max(1, settings.rows - 1) - 0.5
    across_columns = column / max(1, settings.columns - 1) - 0.5
    place = (1 + settings.row_gradient * across_rows) * (1 + settings.column_gradient * across_columns)
    order = (row * settings.columns + column) / max(1, settings.rows * settings.columns - 1)
    plate_spread = generator(combine_keys(seed, plate, "stain")).normal(0, settings.plate_sigma, 2)
    well_spread = generator(combine_keys(seed, plate, well, "stain")).normal(0, settings.well_sigma, 2)
    # One sensor carries both colours: most of the variation between wells and plates is common to them.
    shared = (plate_spread + well_spread).mean()
    red, green = np.exp(0.8 * shared + 0.2 * (plate_spread + well_spread))
    fading = place * (1 - settings.bleaching * order)
    return float(red * fading), float(green * fading)


def _draw_accident(settings: PlateSettings, rng: np.random.Generator) -> str:
    rates = [settings.empty_rate, settings.defocused_rate, settings.debris_rate]
    names = ["empty", "defocused", "debris", "none"]
    return str(rng.choice(names, p=[*rates, 1 - sum(rates)]))

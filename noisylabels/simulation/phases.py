"""The events of autophagy: phagophores, autophagosomes, early and late autolysosomes, drawn into a colony."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.simulation.cells import Colony
from noisylabels.simulation.settings import FULL_FRAME_PX, EventSettings, Pair, PhaseSettings

USUAL_COVER = 0.8
"""Cover of the field for which `count_per_frame` is meant."""
HARMONICS = (2, 3, 4)
"""Waves around the outline of an irregular event."""
MOST_TRIES = 12
"""Places tried for an event before it is left out because the cells are full."""
CLEARANCE_UM = 0.1
"""Least distance of two events: membranes do not cross."""


@dataclass(frozen=True)
class Shape:
    """An ellipsoid, perhaps with a shell or an irregular outline.

    Args:
        half_axes_um: Long and short half axis in the plane, half height.
        angle: Of the long axis against the direction of rows (down), in radians.
        outline: (amplitude, phase) of the waves of `HARMONICS` around the outline.
        membrane_um: Thickness of the shell, 0 = none.
    """

    half_axes_um: tuple[float, float, float]
    angle: float
    outline: tuple[Pair, ...]
    membrane_um: float

    @property
    def diameter_um(self) -> float:
        """Diameter of the circle with the area of the largest section."""
        return float(2 * np.sqrt(self.half_axes_um[0] * self.half_axes_um[1]))

    @property
    def reach_um(self) -> float:
        """No point of the outline is farther from the centre than this."""
        return self.half_axes_um[0] * (1 + sum(abs(amplitude) for amplitude, _ in self.outline))


@dataclass(frozen=True)
class Event:
    """One organelle of a phase at its place.

    Args:
        class_index: Phase, an index of `ROSELLA_PHASES`.
        cell: The cell that it lies in.
        row: Centre on the canvas in pixels; pixel i reaches from i to i + 1.
        column: The same along columns.
        height_um: Height of the centre.
        shape: Its form.
        ph: pH inside.
        lumen_counts: Counts above the cytosol inside, per channel; below 0 where the cytosol is kept out.
        membrane_counts: Counts above the cytosol in the shell, per channel.
    """

    class_index: int
    cell: int
    row: float
    column: float
    height_um: float
    shape: Shape
    ph: float
    lumen_counts: Pair
    membrane_counts: Pair


@dataclass(frozen=True)
class Habitat:
    """Where events can lie.

    Args:
        colony: The cells.
        cytosol_counts: Counts of the cytosol per channel.
        layer_um: Thickness of the layer in which centres lie, around height 0.
        pixel_size_um: Side of a pixel.
    """

    colony: Colony
    cytosol_counts: Pair
    layer_um: float
    pixel_size_um: float


def phluorin_brightness(ph: float, *, pka: float = 7.1, neutral_ph: float = 7.2) -> float:
    """Return how bright pHluorin is at a pH, relative to the cytosol: 1 / (1 + 10^(pKa - pH)), scaled.

    Args:
        ph: pH inside the organelle.
        pka: Of pHluorin.
        neutral_ph: pH of the cytosol, at which the brightness is 1.

    Examples:
        >>> [round(phluorin_brightness(ph), 3) for ph in (7.2, 6.5, 5.5, 4.5)]
        [1.0, 0.36, 0.044, 0.004]
    """
    return (1 + 10 ** (pka - neutral_ph)) / (1 + 10 ** (pka - ph))


def draw_events(
    settings: EventSettings, habitat: Habitat, *, factors: Mapping[int, float], rng: np.random.Generator
) -> list[Event]:
    """Draw the events of all phases into the cytosol of a colony.

    Numbers are Poisson, cells differ in activity, and events keep clear of each other, of nuclei and of the
    colony's outside. An event that finds no room is left out.

    Args:
        settings: The phases.
        habitat: Where they can lie.
        factors: Factor on the number of events by class index (treatments); 1 where none is given.
        rng: Source of randomness.

    Returns:
        The events, class by class.
    """
    cumulative = np.cumsum(_suitability(settings, habitat.colony, rng))
    covered_frames = float((habitat.colony.owner >= 0).sum()) / (USUAL_COVER * FULL_FRAME_PX)
    events: list[Event] = []
    taken = np.zeros((0, 4))
    for class_index, phase in settings.by_class.items():
        expected = phase.count_per_frame * covered_frames * factors.get(class_index, 1.0)
        for _ in range(rng.poisson(expected) if cumulative[-1] > 0 else 0):
            shape = _draw_shape(phase, rng)
            place = _find_place(shape, habitat, cumulative, taken, rng)
            if place is not None:
                events.append(_fill(class_index, phase, settings, shape, place, habitat, rng))
                taken = np.vstack([taken, _ball(shape, place, habitat.pixel_size_um)])
    return events


def _suitability(settings: EventSettings, colony: Colony, rng: np.random.Generator) -> NDArray[np.float64]:
    """How likely an event lies in each pixel, up to a factor: cytosol only, by the activity of its cell."""
    activity = np.append(np.exp(rng.normal(0, settings.activity_sigma, len(colony.expression))), 0.0)
    cytosol = (colony.presence > 0.75) & (colony.inside_nuclei(0.0) < 0.1)
    likely: NDArray[np.float64] = activity[colony.owner] * cytosol
    return likely


def _draw_shape(phase: PhaseSettings, rng: np.random.Generator) -> Shape:
    diameter = phase.diameter_um * np.exp(rng.normal(0, phase.diameter_sigma))
    radius = float(np.clip(diameter, *phase.diameter_range_um)) / 2
    stretch = np.sqrt(rng.uniform(*phase.elongation_range))
    amplitudes = rng.normal(0, phase.roughness / np.sqrt(len(HARMONICS)), len(HARMONICS)).clip(-0.3, 0.3)
    phases = rng.uniform(0, 2 * np.pi, len(HARMONICS))
    return Shape(
        half_axes_um=(float(radius * stretch), float(radius / stretch), radius),
        angle=float(rng.uniform(0, np.pi)),
        outline=tuple(zip(amplitudes.tolist(), phases.tolist(), strict=True)),
        membrane_um=phase.membrane_um,
    )


def _find_place(
    shape: Shape,
    habitat: Habitat,
    cumulative: NDArray[np.float64],
    taken: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[float, float, float] | None:
    """Row and column on the canvas and height of a free place, or None; `taken` are the balls of other events."""
    columns = habitat.colony.owner.shape[1]
    for _ in range(MOST_TRIES):
        pixel = int(np.searchsorted(cumulative, rng.uniform(0, cumulative[-1]), side="right"))
        row, column = np.array(divmod(min(pixel, cumulative.size - 1), columns)) + rng.random(2)
        place = float(row), float(column), float(rng.uniform(-0.5, 0.5) * habitat.layer_um)
        *centre, radius = _ball(shape, place, habitat.pixel_size_um)
        if (np.linalg.norm(taken[:, :3] - centre, axis=1) > taken[:, 3] + radius + CLEARANCE_UM).all():
            return place
    return None


def _ball(shape: Shape, place: tuple[float, float, float], pixel_size_um: float) -> tuple[float, float, float, float]:
    """Centre and radius of the room that an event takes, in micrometres."""
    row, column, height_um = place
    return row * pixel_size_um, column * pixel_size_um, height_um, shape.diameter_um / 2


def _fill(
    class_index: int,
    phase: PhaseSettings,
    settings: EventSettings,
    shape: Shape,
    place: tuple[float, float, float],
    habitat: Habitat,
    rng: np.random.Generator,
) -> Event:
    """Return an event its acidity and its brightness in the cell where it lies."""
    row, column, height_um = place
    pixel = int(row), int(column)
    cell = int(habitat.colony.owner[pixel])
    ph = float(rng.uniform(*phase.ph_range))
    spread = float(np.exp(rng.normal(0, phase.fold_sigma)))
    quenching = (1.0, phluorin_brightness(ph, pka=settings.pka, neutral_ph=settings.cytosol_ph))
    brightness = float(habitat.colony.expression[cell] * habitat.colony.unevenness[pixel])
    cytosol_red, cytosol_green = (brightness * counts for counts in habitat.cytosol_counts)
    lumen_red, lumen_green = (
        fold * spread * quenched - displaced
        for fold, quenched, displaced in zip(phase.lumen_fold, quenching, phase.displaced, strict=True)
    )
    membrane_red, membrane_green = (fold * spread for fold in phase.membrane_fold)
    return Event(
        class_index=class_index,
        cell=cell,
        row=row,
        column=column,
        height_um=height_um,
        shape=shape,
        ph=ph,
        lumen_counts=(lumen_red * cytosol_red, lumen_green * cytosol_green),
        membrane_counts=(membrane_red * cytosol_red, membrane_green * cytosol_green),
    )

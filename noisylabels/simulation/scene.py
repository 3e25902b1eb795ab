"""What lies under the microscope in one field, and the microscope as it stood."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.keys import combine_keys, generator
from noisylabels.simulation.cells import Colony, grow_colony
from noisylabels.simulation.mitochondria import Tubes, draw_tubes
from noisylabels.simulation.optics import Optics, draw_optics
from noisylabels.simulation.phases import Event, Habitat, draw_events
from noisylabels.simulation.plate import FieldEffects
from noisylabels.simulation.settings import Pair, SimulationSettings

MARGIN_PX = 16
"""The canvas is larger than the frame by this much on every side, so that the frame's edge is like its middle."""

Key = tuple[int, str, str, int]
"""Seed, plate, well, field."""


@dataclass(frozen=True)
class Scene:
    """Cells, events and optics of one field; positions count from the canvas' corner.

    Args:
        settings: What was asked for.
        key: Seed, plate, well and field.
        effects: What plate and treatment did.
        optics: The optics as drawn.
        colony: The cells.
        events: The events, class by class.
        tubes: The mitochondria, where the sensor labels those.
        debris: (piece, 4) row, column, standard deviation in pixels and counts.
    """

    settings: SimulationSettings
    key: Key
    effects: FieldEffects
    optics: Optics
    colony: Colony
    events: Sequence[Event]
    tubes: Tubes
    debris: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the canvas."""
        return self.colony.owner.shape[0], self.colony.owner.shape[1]

    @property
    def cytosol_counts(self) -> Pair:
        """Counts of a usual cell's cytosol on this plate and in this well, per channel."""
        return _cytosol_counts(self.settings, self.effects)


def draw_scene(settings: SimulationSettings, key: Key, effects: FieldEffects) -> Scene:
    """Draw everything about a field but its noise.

    Args:
        settings: What to simulate.
        key: Seed, plate, well and field; each part of the scene has a stream of its own.
        effects: What plate and treatment do to the field.
    """
    frame = settings.frame
    canvas = frame.rows + 2 * MARGIN_PX, frame.columns + 2 * MARGIN_PX
    rng = generator(combine_keys(*key, "colony"))
    cover = float(rng.uniform(*settings.cells.cover_range)) * effects.cover
    colony = grow_colony(settings.cells, shape=canvas, pixel_size_um=frame.pixel_size_um, cover=cover, rng=rng)
    habitat = Habitat(colony, _cytosol_counts(settings, effects), settings.cells.layer_um, frame.pixel_size_um)
    events = draw_events(
        effects.treated(settings.events), habitat, factors=effects.factors, rng=generator(combine_keys(*key, "events"))
    )
    optics = draw_optics(
        settings.optics,
        pixel_size_um=frame.pixel_size_um,
        focus_um=effects.focus_um,
        blur_um=effects.blur_um,
        plate_rng=generator(combine_keys(*key[:2], "alignment")),
        field_rng=generator(combine_keys(*key, "optics")),
    )
    tubes = draw_tubes(
        settings.cells, colony, pixel_size_um=frame.pixel_size_um, rng=generator(combine_keys(*key, "tubes"))
    )
    return Scene(settings, key, effects, optics, colony, events, tubes, _draw_debris(effects, canvas, key))


def _cytosol_counts(settings: SimulationSettings, effects: FieldEffects) -> Pair:
    red, green = (
        count * factor for count, factor in zip(settings.cells.cytosol_counts, effects.brightness, strict=True)
    )
    return red, green


def _draw_debris(effects: FieldEffects, canvas: tuple[int, int], key: Key) -> NDArray[np.float64]:
    if effects.accident != "debris":
        return np.zeros((0, 4))
    rng = generator(combine_keys(*key, "debris"))
    n_pieces = int(rng.integers(1, 4))
    places = rng.uniform(0, canvas, (n_pieces, 2))
    return np.column_stack([places, rng.uniform(6, 25, n_pieces), rng.uniform(1000, 6000, n_pieces)])

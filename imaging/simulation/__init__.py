"""Simulated Rosella fields with perfect truth: cells, events of autophagy, optics, cameras and plates."""

from imaging.simulation.field import SimulatedField, simulate_field
from imaging.simulation.plate import TREATMENTS, FieldEffects, Treatment
from imaging.simulation.settings import SimulationSettings

__all__ = [
    "TREATMENTS",
    "FieldEffects",
    "SimulatedField",
    "SimulationSettings",
    "Treatment",
    "simulate_field",
]

"""Simulated Rosella fields with perfect truth: cells, events of autophagy, optics, cameras and plates."""

from imaging.simulation.field import SimulatedField, simulate_field
from imaging.simulation.layout import PlannedField, lay_out, plan_fields
from imaging.simulation.plate import TREATMENTS, FieldEffects, Treatment
from imaging.simulation.presets import PRESETS, preset
from imaging.simulation.settings import SimulationSettings, read_settings
from imaging.simulation.writing import simulate_dataset

__all__ = [
    "PRESETS",
    "TREATMENTS",
    "FieldEffects",
    "PlannedField",
    "SimulatedField",
    "SimulationSettings",
    "Treatment",
    "lay_out",
    "plan_fields",
    "preset",
    "read_settings",
    "simulate_dataset",
    "simulate_field",
]

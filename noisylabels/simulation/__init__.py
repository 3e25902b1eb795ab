"""Simulated Rosella fields with perfect truth: cells, events of autophagy, optics, cameras and plates."""

from noisylabels.simulation.field import SimulatedField, simulate_field
from noisylabels.simulation.layout import PlannedField, lay_out, plan_fields, plan_plates
from noisylabels.simulation.plate import TREATMENTS, FieldEffects, Treatment
from noisylabels.simulation.presets import PRESETS, preset
from noisylabels.simulation.settings import SimulationSettings
from noisylabels.simulation.variation import vary_plate
from noisylabels.simulation.writing import simulate_dataset

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
    "plan_plates",
    "preset",
    "simulate_dataset",
    "simulate_field",
    "vary_plate",
]

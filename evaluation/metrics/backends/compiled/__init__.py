"""The loops that numba compiles: the same integers as the numpy path, at memory speed.

Imported through `evaluation.metrics.backends` only, since importing numba costs time and it may be absent.
"""

from evaluation.metrics.backends.compiled.boundaries import mark_boundaries, probe
from evaluation.metrics.backends.compiled.boxes import pair_boxes
from evaluation.metrics.backends.compiled.errors import classify_events
from evaluation.metrics.backends.compiled.events import find_events, pair_runs
from evaluation.metrics.backends.compiled.matching import match_events
from evaluation.metrics.backends.compiled.pixels import count_pixels

__all__ = [
    "classify_events",
    "count_pixels",
    "find_events",
    "mark_boundaries",
    "match_events",
    "pair_boxes",
    "pair_runs",
    "probe",
]

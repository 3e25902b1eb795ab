"""The loops that numba compiles: the same integers as the numpy path, at memory speed.

Imported through `evaluation.metrics.backends` only, since importing numba costs time and it may be absent.
"""

from evaluation.metrics.backends.compiled.boundaries import mark_boundaries, probe
from evaluation.metrics.backends.compiled.boxes import pair_boxes
from evaluation.metrics.backends.compiled.events import find_events, overlap_runs
from evaluation.metrics.backends.compiled.pixels import count_pixels

__all__ = ["count_pixels", "find_events", "mark_boundaries", "overlap_runs", "pair_boxes", "probe"]

from .experts.preferences import compare_ratings
from .experts.ratings import read_ratings
from .metrics.boundary import count_boundaries, score_boundaries
from .metrics.counts import CountTable, FieldKey
from .metrics.events import find_events
from .metrics.fields import count_fields
from .metrics.overlaps import pair_boxes
from .metrics.pixels import count_pixels, score_all, score_classes
from .metrics.settings import EvaluationSettings
from .metrics.tables import tabulate_classes, tabulate_confusion, tabulate_data_set
from .metrics.taxonomy import classify_errors
from .statistics.comparison import Comparison, compare_methods
from .study import evaluate_methods

__all__ = [
    "Comparison",
    "CountTable",
    "EvaluationSettings",
    "FieldKey",
    "classify_errors",
    "compare_methods",
    "compare_ratings",
    "count_boundaries",
    "count_fields",
    "count_pixels",
    "evaluate_methods",
    "find_events",
    "pair_boxes",
    "read_ratings",
    "score_all",
    "score_boundaries",
    "score_classes",
    "tabulate_classes",
    "tabulate_confusion",
    "tabulate_data_set",
]

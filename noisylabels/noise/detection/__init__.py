"""Detection: find the labels that are probably wrong from a model's out-of-fold probabilities."""

from noisylabels.noise.detection.events import find_event_issues, join_issues
from noisylabels.noise.detection.outoffold import assign_folds, predict_out_of_fold
from noisylabels.noise.detection.pixels import LabelledFields, find_issues, find_label_issues, score_field

__all__ = [
    "LabelledFields",
    "assign_folds",
    "find_event_issues",
    "find_issues",
    "find_label_issues",
    "join_issues",
    "predict_out_of_fold",
    "score_field",
]

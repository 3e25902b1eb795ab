"""Where a training on noisy labels should end, found without a truth: rules over curves by epoch.

None of them looks at a score against the truth; `python -m benchmarks.teachers curve` compares where they stop with the
peak that only a truth shows.
"""

from collections.abc import Sequence

import numpy as np

from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX, LabelMap


def count_changes(before: Sequence[LabelMap], after: Sequence[LabelMap], labels: Sequence[LabelMap]) -> float:
    """Compute the share of predictions for the training fields that changed from one look to the next, class by class.

    Each class that is labelled counts equally, for nearly all pixels are background, whose predictions do not change.

    Args:
        before: (row, column) predictions of the training fields. Not modified.
        after: The same fields, later.
        labels: What was learnt from; pixels of 255 do not count.

    Returns:
        In [0, 1]; nan if no pixel is labelled.

    Examples:
        >>> one, other = np.array([[0, 0, 1, 2]]), np.array([[0, 0, 2, 2]])
        >>> count_changes([one], [other], [np.array([[0, 0, 1, 1]])])  # none of class 0, one of two of class 1
        0.25
    """
    flat = [np.concatenate([one.ravel() for one in maps]) for maps in (before, after, labels)]
    changed, known = flat[0] != flat[1], flat[2]
    shares = [changed[known == index].mean() for index in np.unique(known) if index != IGNORE_INDEX]
    return float(np.mean(shares)) if shares else float("nan")


def stop_at_wave(changes: Sequence[float], *, window: int = 3) -> int:
    """Return where Label Wave stops: at the first minimum of the smoothed changes of the training predictions.

    Yuan et al., "Early stopping against label noise without validation data", ICLR 2024 (arXiv 2502.07551).

    Args:
        changes: One share for each look, in [0, 1], the first being that from the start to look 0.
        window: Looks that are averaged: each with those before it.

    Returns:
        Index of the look to stop at; the last one if the changes never rise.

    Raises:
        InputError: If there is no look, or the window is below 1.

    Examples:
        >>> stop_at_wave([0.9, 0.5, 0.2, 0.1, 0.3, 0.4, 0.05], window=1)
        3
        >>> stop_at_wave([0.9, 0.5, 0.2])
        2
    """
    if not len(changes) or window < 1:
        msg = f"Label Wave must have at least one look and a window from 1, got {len(changes)} and {window}. Give more."
        raise InputError(msg)
    values = np.asarray(changes, float)
    smooth = np.array([values[max(0, end - window) : end].mean() for end in range(1, len(values) + 1)])
    rises = np.flatnonzero(np.diff(smooth) > 0)
    return int(rises[0]) if len(rises) else len(values) - 1


def stop_at_slope(fit: Sequence[float], *, ratio: float = 0.9) -> int:
    """Return where ADELE holds early learning to have ended: the fit to the labels has lost most of its slope.

    Liu et al., CVPR 2022 (arXiv 2110.03740); the rule is `EarlyLearningTrigger`'s, asked after every look.

    Args:
        fit: IoU of the training predictions with their labels at each look, in [0, 1].
        ratio: Share of the slope that is lost, in (0, 1).

    Returns:
        Index of the look to stop at; the last one if it never fires.
    """
    from noisylabels.learning.robust.early_learning import has_ended

    fired = (end - 1 for end in range(1, len(fit) + 1) if has_ended(fit[:end], ratio=ratio))
    return next(fired, len(fit) - 1)

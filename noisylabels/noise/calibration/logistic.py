"""Logistic regression of an event's fate on its features, and how well it ranks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata

Floats = NDArray[np.float64]

RIDGE = 0.1
N_STEPS = 50
TOLERANCE = 1e-9


class Logistic(NamedTuple):
    """P(struck) = expit(intercept + features @ weights).

    Args:
        intercept: Logit of an event whose features are all 0.
        weights: (feature,) logits per unit of each feature.
    """

    intercept: float
    weights: Floats

    def probabilities(self, features: Floats) -> Floats:
        """Predict (event,) probabilities from (event, feature) values."""
        predicted: Floats = expit(self.intercept + features @ self.weights)
        return predicted


def fit_logistic(features: Floats, struck: NDArray[np.bool_]) -> Logistic:
    """Fit by Newton's method with a slight ridge on the weights, so that separable data stays finite.

    Args:
        features: (event, feature) values, z-scored.
        struck: (event,) outcomes.

    Returns:
        The fit. If all or no events were struck, the intercept is that of half an event more or less, weights 0.
    """
    n_events, n_features = features.shape
    n_struck = int(struck.sum())
    if n_struck in (0, n_events):
        return Logistic(float(logit((n_struck + 0.5) / (n_events + 1))), np.zeros(n_features))
    design = np.column_stack([np.ones(n_events), features])
    penalty = np.append(0.0, np.full(n_features, RIDGE))
    beta = np.append(logit(n_struck / n_events), np.zeros(n_features))
    for _ in range(N_STEPS):
        chance = expit(design @ beta)
        gradient = design.T @ (struck - chance) - penalty * beta
        curvature = (
            (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty) + 1e-12 * np.eye(len(beta))
        )
        step = np.linalg.solve(curvature, gradient)
        beta = beta + step * min(1.0, 5 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < TOLERANCE:
            break
    return Logistic(float(beta[0]), beta[1:])


def rank_score(predicted: Floats, struck: NDArray[np.bool_]) -> float:
    """Compute the area under the ROC curve: the chance that a struck event is ranked above one that is not.

    Returns:
        In [0, 1]; ties count half; nan if all or no events were struck.

    Examples:
        >>> rank_score(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]))
        0.875
    """
    n_struck, n_events = int(struck.sum()), len(struck)
    if n_struck in (0, n_events):
        return float("nan")
    ranks = rankdata(predicted)[struck].sum()
    return float((ranks - n_struck * (n_struck + 1) / 2) / (n_struck * (n_events - n_struck)))

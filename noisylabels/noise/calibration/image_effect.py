"""Image effect: logistic regression of an event's fate on its features and on the image that it lies in."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from noisylabels.noise.calibration.logistic import RIDGE, Logistic, fit_logistic

Floats = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
LOG_WEIGHTS = np.log(WEIGHTS) + NODES**2 / 2  # of a plain integral over the real line
N_ROUNDS = 4
N_STEPS = 25
STOP = {"ftol": 1e-7, "gtol": 1e-3, "maxiter": 40}
SMALLEST_SD, LARGEST_SD = 0.01, 8.0
FEWEST_IMAGES = 2


class MixedLogistic(NamedTuple):
    """P(struck) = expit(intercept + features @ weights + the image's effect), effects being normal.

    Args:
        fixed: Intercept and weights of an event in an image without an effect.
        image_sd: Standard deviation of the images' effects, in logits.
    """

    fixed: Logistic
    image_sd: float


class _Events(NamedTuple):
    design: Floats
    struck: Floats
    image: NDArray[np.intp]
    n_images: int


def fit_mixed_logistic(
    features: Sequence[Floats], struck: Sequence[NDArray[np.bool_]], *, start: MixedLogistic | None = None
) -> MixedLogistic:
    """Fit weights and the spread of the images' own effects together, by maximum likelihood.

    The likelihood of an image is the integral over its effect, by adaptive Gauss-Hermite quadrature (Pinheiro and Bates
    1995, doi:10.1080/10618600.1995.10474663); the weights have the slight ridge of `fit_logistic`. As maximum
    likelihood takes the mean effect from the same images, the variance is enlarged by n / (n - 1).

    Args:
        features: Per image, (event, feature) values, z-scored.
        struck: Per image, (event,) outcomes.
        start: A fit to similar data, a resample's original for instance: one round from there is enough.

    Returns:
        The fit; the spread is 0 if fewer than two images have events, or all or none of the events were struck.

    Examples:
        >>> two = [np.zeros((40, 0))] * 2
        >>> alike = fit_mixed_logistic(two, [np.arange(40) < 10] * 2)
        >>> round(alike.image_sd, 1), round(float(expit(alike.fixed.intercept)), 2)
        (0.0, 0.25)
    """
    of_events = [index for index, outcome in enumerate(struck) if len(outcome)]
    every, outcomes = np.concatenate(list(features)), np.concatenate(list(struck))
    plain = fit_logistic(every, outcomes) if start is None else start.fixed
    if len(of_events) < FEWEST_IMAGES or outcomes.all() or not outcomes.any():
        return MixedLogistic(fit_logistic(every, outcomes), 0.0)
    image = np.repeat(np.arange(len(of_events)), [len(struck[index]) for index in of_events])
    events = _Events(np.column_stack([np.ones(len(every)), every]), outcomes.astype(float), image, len(of_events))
    beta, log_sd = np.append(plain.intercept, plain.weights), np.log(max(start.image_sd, 0.1)) if start else 0.0
    for _ in range(1 if start else N_ROUNDS):  # the nodes follow the effects, the fit follows the nodes
        nodes, widths = _place_nodes(events, beta, float(np.exp(log_sd)))
        ended = minimize(
            _cost, np.append(beta, log_sd), args=(events, nodes, widths), jac=True, method="L-BFGS-B",
            bounds=[(None, None)] * len(beta) + [(np.log(SMALLEST_SD), np.log(LARGEST_SD))], options=STOP,
        )  # fmt: skip
        moved = float(np.abs(ended.x - np.append(beta, log_sd)).max())
        beta, log_sd = ended.x[:-1], float(ended.x[-1])
        if moved < 1e-2:
            break
    spread = float(np.exp(log_sd)) * np.sqrt(events.n_images / (events.n_images - 1))
    return MixedLogistic(Logistic(float(beta[0]), beta[1:]), spread if spread > 2 * SMALLEST_SD else 0.0)


def _place_nodes(events: _Events, beta: Floats, sd: float) -> tuple[Floats, Floats]:
    """Return (image, node) effects about each image's most likely one, and the (image,) widths of the nodes."""
    base, mode = events.design @ beta, np.zeros(events.n_images)

    def per_image(values: Floats) -> Floats:
        sums: Floats = np.bincount(events.image, values, events.n_images).astype(np.float64)
        return sums

    for _ in range(N_STEPS):
        chance = expit(base + mode[events.image])
        curvature = per_image(chance * (1 - chance)) + 1 / sd**2
        step = (per_image(events.struck - chance) - mode / sd**2) / curvature
        mode = mode + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-4:
            break
    widths = 1 / np.sqrt(curvature)
    nodes: Floats = mode[:, None] + widths[:, None] * NODES
    return nodes, widths


def _cost(parameters: Floats, events: _Events, nodes: Floats, widths: Floats) -> tuple[float, Floats]:
    """Return minus the penalised log likelihood and its gradient."""
    beta, sd = parameters[:-1], float(np.exp(parameters[-1]))
    logits = (events.design @ beta)[:, None] + nodes[events.image]
    tail = np.exp(-np.abs(logits))
    chance = np.where(logits > 0, 1, tail) / (1 + tail)
    terms = events.struck[:, None] * logits - np.maximum(logits, 0) - np.log1p(tail)
    starts = np.flatnonzero(np.diff(events.image, prepend=-1))
    joint = np.add.reduceat(terms, starts) + LOG_WEIGHTS + np.log(widths)[:, None]
    joint += -0.5 * (nodes / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)
    likelihood = logsumexp(joint, axis=1)
    posterior = np.exp(joint - likelihood[:, None])
    residual = (posterior[events.image] * (events.struck[:, None] - chance)).sum(axis=1)
    penalty = np.append(0.0, np.full(len(beta) - 1, RIDGE))
    slope = np.append(events.design.T @ residual - penalty * beta, (posterior * ((nodes / sd) ** 2 - 1)).sum())
    return float(0.5 * penalty @ beta**2 - likelihood.sum()), -slope

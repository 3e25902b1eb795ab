"""Temperature scaling: one number that makes a network as sure as it is right (Guo et al. 2017, arXiv:1706.04599)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisylabels.data.errors import InputError
from noisylabels.data.labels import LabelMap

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures that are tried."""

MOST_PIXELS = 200_000
"""Of each field; of a larger one evenly spaced pixels are taken."""

N_BINS = 15


@dataclass(frozen=True)
class Calibration:
    """A temperature and what it changes on the fields it was fitted to.

    Args:
        temperature: Logits divided by it give calibrated probabilities; above 1 the network was too sure.
        n_fields: Fields that were used.
        loss: Mean negative log-likelihood of a pixel before and after, nats.
        error: Expected calibration error before and after, in [0, 1]: the mean over pixels of the gap between how sure
            the network is and how often it is right, in 15 bins.
    """

    temperature: float
    n_fields: int
    loss: tuple[float, float]
    error: tuple[float, float]


def fit_temperature(fields: Iterable[tuple[NDArray[np.float32], LabelMap]]) -> Calibration:
    """Fit the temperature that makes trusted labels most likely.

    Args:
        fields: Logits (class, row, column) and label map (row, column) of fields that were not trained on; pixels of
            a class that the network does not have, as of 255, do not count. Not modified.

    Raises:
        InputError: If no pixel has a label.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> logits = rng.normal(size=(2, 40, 40)).astype(np.float32)
        >>> chance = 1 / (1 + np.exp(logits[0] - logits[1]))
        >>> labels = (rng.random((40, 40)) < chance).astype(np.uint8)
        >>> fit_temperature([(3 * logits, labels)]).temperature.__round__()  # three times too sure
        3
    """
    from scipy.optimize import minimize_scalar

    chosen = [_pixels(logits, label_map) for logits, label_map in fields]
    logits = np.concatenate([one for one, _ in chosen], axis=1) if chosen else np.zeros((1, 0))
    labels = np.concatenate([one for _, one in chosen]) if chosen else np.zeros(0, np.intp)
    if not len(labels):
        msg = "At least one pixel of a held-out field must have a label to calibrate on, got none. Name other labels."
        raise InputError(msg)

    def loss(logarithm: float) -> float:
        return _loss(logits / np.exp(logarithm), labels)

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    temperature = float(np.exp(found.x))
    scaled = logits / temperature
    return Calibration(
        temperature,
        len(chosen),
        (_loss(logits, labels), _loss(scaled, labels)),
        (calibration_error(logits, labels), calibration_error(scaled, labels)),
    )


def calibration_error(logits: NDArray[np.floating], labels: NDArray[np.intp]) -> float:
    """Compute the expected calibration error (Naeini et al. 2015, DOI 10.1609/aaai.v29i1.9602), in [0, 1].

    Args:
        logits: (class, pixel). Not modified.
        labels: (pixel,) class indices. Not modified.

    Examples:
        >>> sure = np.array([[0.0] * 4, [40.0] * 4])
        >>> calibration_error(sure, np.array([1, 1, 1, 0]))  # always sure, right in three of four
        0.25
    """
    chances = np.exp(_log_softmax(logits))
    surest, right = chances.max(axis=0), chances.argmax(axis=0) == labels
    bins = np.minimum((surest * N_BINS).astype(np.intp), N_BINS - 1)
    gaps = np.bincount(bins, weights=surest - right, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def _pixels(logits: NDArray[np.float32], label_map: LabelMap) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    flat = label_map.ravel()
    places = np.flatnonzero(flat < len(logits))
    places = places[:: max(1, -(-len(places) // MOST_PIXELS))]
    return logits.reshape(len(logits), -1)[:, places].astype(np.float64), flat[places].astype(np.intp)


def _loss(logits: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    return -float(_log_softmax(logits)[labels, np.arange(len(labels))].mean())


def _log_softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    shifted = logits - logits.max(axis=0)
    answer: NDArray[np.floating] = shifted - np.log(np.exp(shifted).sum(axis=0))
    return answer

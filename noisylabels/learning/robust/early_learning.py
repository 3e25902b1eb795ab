"""When a network stops learning what labels have in common and starts to learn their mistakes."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.utils.enums import CommonKeys
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from noisylabels.data.errors import InputError

MIN_POINTS = 4
SLOW_GAIN = 0.1
"""Leading epochs that gain less than this in IoU are left out of the fit, as ADELE's code does."""


def changes_of_slope(fit: Sequence[float]) -> NDArray[np.float64]:
    """Compute how far the growth of the fit to the labels has changed since its start, epoch by epoch.

    ADELE (Liu et al., CVPR 2022, arXiv 2110.03740), the rule of the authors' code: leading epochs that gain less than
    `SLOW_GAIN` are left out; f(t) = a(1 - exp(-t^b / c)) with a and b in [0, 1] is fitted to the others, late epochs
    weighing up to ten times as much; the change is ||f'(t)| - |f'(1)|| / |f'(1)|, and 0 where it exceeds 1.

    Args:
        fit: IoU of the predictions with the training labels, one value per epoch, in [0, 1].

    Returns:
        The change at each epoch after the start that was left out; empty if fewer than four are left or no curve fits.

    Examples:
        >>> epochs = np.arange(0, 16)  # 16 values are spread over [0, 16]: 1 - exp(-k * 15 / 32), k = 0, 1, 2, 3
        >>> changes_of_slope(0.8 * (1 - np.exp(-epochs / 2))).round(2)[:4].tolist()
        [0.0, 0.37, 0.61, 0.75]
    """
    steps = np.diff(np.asarray(fit, float))
    start = int(np.argmax(steps >= SLOW_GAIN)) if (steps >= SLOW_GAIN).any() else len(fit)
    values = np.asarray(fit[start:], float)
    if len(values) < MIN_POINTS:
        return np.zeros(0)
    try:
        parameters = _fit_curve(np.linspace(0, len(values), len(values)), values)
    except RuntimeError:
        return np.zeros(0)
    slopes = np.abs(_slope(np.arange(1.0, len(values) + 1), *parameters))
    change = np.abs(slopes - slopes[0]) / slopes[0] if slopes[0] > 0 else np.zeros(len(values))
    change[change > 1] = 0
    return change


def has_ended(fit: Sequence[float], *, ratio: float = 0.9) -> bool:
    """Return whether early learning has ended by the last epoch of a fit, by ADELE's rule.

    Args:
        fit: IoU of the predictions with the training labels, one value per epoch, in [0, 1].
        ratio: Slow-down at which it has, in (0, 1).
    """
    change = changes_of_slope(fit)
    n_left_out = len(fit) - len(change)
    return len(change) > 0 and len(fit) >= n_left_out + int((change <= ratio).sum()) + 1


def _curve(t: NDArray[np.float64], a: float, b: float, c: float) -> NDArray[np.float64]:
    values: NDArray[np.float64] = a * (1 - np.exp(-(t**b) / c))
    return values


def _slope(t: NDArray[np.float64], a: float, b: float, c: float) -> NDArray[np.float64]:
    slopes: NDArray[np.float64] = a * b / c * t ** (b - 1) * np.exp(-(t**b) / c)
    return slopes


def _fit_curve(epochs: NDArray[np.float64], fit: NDArray[np.float64]) -> tuple[float, float, float]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # c may come near 0 on the way
        warnings.simplefilter("ignore", OptimizeWarning)
        found, _ = curve_fit(
            _curve, epochs, fit, p0=(1, 1, 1), bounds=((0, 0, 0), (1, 1, np.inf)),
            sigma=np.geomspace(1, 0.1, len(fit)), absolute_sigma=True,
        )  # fmt: skip
    return float(found[0]), float(found[1]), float(found[2])


class EarlyLearningTrigger:
    """Follow the fit to the *training labels* per class and tell when early learning ends: a correction's `start`.

    A class is done at the first epoch whose number exceeds that of the epochs with a change of at most `ratio` (and of
    those left out), ADELE's rule (`changes_of_slope`), and stays done. Unlike ADELE, a class may be corrected in a
    field whose label lacks it; otherwise a field whose only phagophore was missed could never be repaired. It needs
    ten or more epochs; a class that gains less than 0.1 in every epoch is never done.

    Args:
        n_classes: Number of classes, background included.
        ratio: Slow-down at which a class is done, in (0, 1); ADELE uses 0.9.

    Raises:
        InputError: If ratio is outside (0, 1).
    """

    def __init__(self, n_classes: int, ratio: float = 0.9) -> None:
        if not 0 < ratio < 1:
            msg = f"ratio must be in (0, 1), got {ratio}. ADELE uses 0.9."
            raise InputError(msg)
        self.n_classes, self.ratio = n_classes, ratio
        self.history: list[list[float]] = []
        self.done: set[int] = set()
        self._confusion = torch.zeros(n_classes, n_classes, dtype=torch.int64)

    def __call__(self) -> frozenset[int]:
        """Return the foreground classes whose early learning has ended: those whose labels may be corrected."""
        return frozenset(self.done)

    def attach(self, engine: Engine) -> None:
        """Count predictions against labels through each epoch of a trainer."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._count)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._close)

    def _count(self, engine: Engine) -> None:
        for sample in _as_list(engine.state.output):
            predicted = _class_map(sample[CommonKeys.PRED])
            labelled = _class_map(sample[CommonKeys.LABEL])
            known = labelled < self.n_classes
            code = labelled[known] * self.n_classes + predicted[known]
            self._confusion += torch.bincount(code, minlength=self.n_classes**2).view_as(self._confusion)

    def _close(self) -> None:
        hits = self._confusion.diagonal().double()
        union = self._confusion.sum(0) + self._confusion.sum(1) - hits
        self.history.append((hits / union.clamp_min(1)).tolist())
        self._confusion.zero_()
        curves = np.array(self.history)
        of_events = range(1, self.n_classes)
        self.done |= {index for index in of_events if has_ended(curves[:, index].tolist(), ratio=self.ratio)}

    def state_dict(self) -> dict[str, Any]:
        """Return the curves so far, for an exact resume."""
        return {"history": [list(row) for row in self.history], "done": sorted(self.done)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the curves where they were."""
        self.history = [list(row) for row in state["history"]]
        self.done = set(state["done"])


def _as_list(output: Any) -> list[Any]:
    if isinstance(output, list):
        return output
    size = len(output[CommonKeys.PRED])
    return [{key: output[key][i] for key in (CommonKeys.PRED, CommonKeys.LABEL)} for i in range(size)]


def _class_map(tensor: object) -> torch.Tensor:
    # Logits, one-hot or class indices, (channel, x, y): the trainer's post-processing decides which.
    plain = torch.as_tensor(tensor).detach().cpu()
    indices = plain.argmax(0) if plain.shape[0] > 1 else plain[0]
    return indices.long().flatten()

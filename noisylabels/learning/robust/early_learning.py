"""When a network stops learning what labels have in common and starts to learn their mistakes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.utils.enums import CommonKeys
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit

from noisylabels.data.errors import InputError

MIN_EPOCHS = 4


def slowdown(fit: Sequence[float]) -> float:
    """How much slower the fit to the labels grows now than at the start: 0 at first, towards 1 on a plateau.

    Fits a(1 - exp(-b t^c)) to the fit per epoch and compares the slopes at the first and the last epoch, as ADELE
    does (Liu et al., CVPR 2022, arXiv 2110.03740).

    Args:
        fit: IoU of the predictions with the training labels, one value per epoch, in [0, 1].

    Returns:
        |f'(1) - f'(t)| / |f'(1)|, or 0 while there are fewer than four epochs, nothing is learnt or no curve fits.

    Examples:
        >>> epochs = np.arange(1, 21)
        >>> bool(slowdown(0.8 * (1 - np.exp(-0.5 * epochs))) > 0.99)
        True
        >>> slowdown([0.1, 0.2])
        0.0
    """
    if len(fit) < MIN_EPOCHS or max(fit) <= 0:
        return 0.0
    epochs = np.arange(1, len(fit) + 1, dtype=float)
    try:
        parameters = _fit_curve(epochs, np.asarray(fit, float))
    except (RuntimeError, OptimizeWarning):
        return 0.0
    first, last = _slope(1.0, *parameters), _slope(epochs[-1], *parameters)
    return abs(first - last) / abs(first) if first else 0.0


def _curve(t: Any, a: float, b: float, c: float) -> Any:
    return a * (1 - np.exp(-b * t**c))


def _slope(t: float, a: float, b: float, c: float) -> float:
    return float(a * b * c * t ** (c - 1) * np.exp(-b * t**c))


def _fit_curve(epochs: NDArray[np.float64], fit: NDArray[np.float64]) -> tuple[float, float, float]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", OptimizeWarning)
        found, _ = curve_fit(_curve, epochs, fit, p0=(1.0, 1.0, 0.5), bounds=((0, 0, 0), (1.5, 50, 5)), maxfev=5000)
    return float(found[0]), float(found[1]), float(found[2])


class EarlyLearningTrigger:
    """Follows the fit to the *training labels* per class and tells when early learning ends: a correction's `start`.

    Unlike ADELE, a class may be corrected in a field whose label lacks it; otherwise a field whose only phagophore
    was missed could never be repaired.

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
        self._confusion = torch.zeros(n_classes, n_classes, dtype=torch.int64)

    def __call__(self) -> bool:
        """Tell whether every foreground class has slowed down."""
        return len(self.done()) == self.n_classes - 1

    def done(self) -> list[int]:
        """List the foreground classes whose early learning has ended."""
        curves = np.array(self.history).reshape(len(self.history), self.n_classes)
        return [index for index in range(1, self.n_classes) if slowdown(curves[:, index].tolist()) > self.ratio]

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

    def state_dict(self) -> dict[str, Any]:
        """Give the curves so far, for an exact resume."""
        return {"history": [list(row) for row in self.history]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the curves where they were."""
        self.history = [list(row) for row in state["history"]]


def _as_list(output: Any) -> list[Any]:
    if isinstance(output, list):
        return output
    size = len(output[CommonKeys.PRED])
    return [{key: output[key][i] for key in (CommonKeys.PRED, CommonKeys.LABEL)} for i in range(size)]


def _class_map(tensor: Any) -> torch.Tensor:
    # Logits, one-hot or class indices, (channel, x, y): the trainer's post-processing decides which.
    plain = torch.as_tensor(tensor).detach().cpu()
    indices = plain.argmax(0) if plain.shape[0] > 1 else plain[0]
    return indices.long().flatten()

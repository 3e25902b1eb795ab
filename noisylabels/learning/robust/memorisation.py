"""Memorisation curves: does the network follow labels that are wrong?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.utils.enums import CommonKeys
from numpy.typing import NDArray

from noisylabels.data.events import label_events


@dataclass(frozen=True)
class EventFit:
    """How predictions treat events whose labels are right and events whose labels are wrong; integer counts.

    Args:
        correct: Events whose label is right.
        correct_fitted: Of these, predicted as labelled.
        corrupted: Events whose label is wrong (missed, misclassified) and labelled events that are not there.
        corrupted_memorised: Of these, predicted as labelled: wrong.
        corrupted_recovered: Of these, predicted as in truth.
    """

    correct: int = 0
    correct_fitted: int = 0
    corrupted: int = 0
    corrupted_memorised: int = 0
    corrupted_recovered: int = 0

    def __add__(self, other: "EventFit") -> "EventFit":
        return EventFit(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    def rates(self) -> dict[str, float]:
        """Shares in [0, 1]; nan where there is no such event."""
        return {
            "correct_fitted": _ratio(self.correct_fitted, self.correct),
            "corrupted_memorised": _ratio(self.corrupted_memorised, self.corrupted),
            "corrupted_recovered": _ratio(self.corrupted_recovered, self.corrupted),
        }


def fit_of_events(truth: NDArray[np.uint8], noisy: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> EventFit:
    """Compare a prediction with wrong labels and with the truth behind them, event by event.

    An event of the truth, or a labelled event on true background, counts by the majority of its pixels.

    Args:
        truth: (row, column) true class indices.
        noisy: (row, column) class indices trained on.
        prediction: (row, column) predicted class indices.

    Returns:
        The counts.

    Examples:
        >>> truth = np.array([[1, 0, 2, 0, 1]], np.uint8)
        >>> noisy = np.array([[1, 0, 0, 0, 2]], np.uint8)  # the 2 is missed, the last 1 misclassified
        >>> fit_of_events(truth, noisy, prediction=np.array([[1, 0, 2, 0, 2]], np.uint8))
        EventFit(correct=1, correct_fitted=1, corrupted=2, corrupted_memorised=1, corrupted_recovered=1)
    """
    regions, _ = label_events(truth)
    spurious, _ = label_events(np.where(truth == 0, noisy, 0).astype(np.uint8))
    true_fit = _fit_in(regions, truth, noisy, prediction)
    alone = _apart(spurious, regions)
    return true_fit + _fit_in(alone, truth, noisy, prediction)


def _apart(spurious: NDArray[np.int32], regions: NDArray[np.int32]) -> NDArray[np.int32]:
    # The rim of a swollen event is no event of its own: drop what touches a true one.
    from scipy import ndimage as ndi

    from noisylabels.data.events import EIGHT_CONNECTED

    near = ndi.binary_dilation(regions > 0, EIGHT_CONNECTED)
    touching = np.unique(spurious[near])
    return np.where(np.isin(spurious, touching), 0, spurious).astype(np.int32)


def _fit_in(regions: NDArray[np.int32], *maps: NDArray[np.uint8]) -> EventFit:
    true, labelled, predicted = (_majority(regions, class_map) for class_map in maps)
    right = true == labelled
    return EventFit(
        correct=int(right.sum()),
        correct_fitted=int((right & (predicted == labelled)).sum()),
        corrupted=int((~right).sum()),
        corrupted_memorised=int((~right & (predicted == labelled)).sum()),
        corrupted_recovered=int((~right & (predicted == true)).sum()),
    )


def _majority(regions: NDArray[np.int32], class_map: NDArray[np.uint8]) -> NDArray[np.intp]:
    ids, dense = np.unique(regions, return_inverse=True)
    n_classes = int(class_map.max(initial=0)) + 1
    votes = np.bincount(dense.ravel() * n_classes + class_map.ravel(), minlength=len(ids) * n_classes)
    return votes.reshape(len(ids), n_classes).argmax(1)[ids > 0]


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


class MemorisationCurves:
    """Counts through each epoch of a trainer how its predictions fit right and wrong labels; a metric of a bundle.

    The batch must carry the truth beside the noisy label. The shares of an epoch are put among the trainer's metrics,
    so that they go wherever those go: metrics.json, TensorBoard, the log. They are counted while the network learns,
    on flipped and rotated fields, as the training loss is.

    Args:
        key: Batch key of the truth, (batch, 1, x, y).
    """

    def __init__(self, key: str = "truth") -> None:
        self.key = key
        self.history: list[EventFit] = []
        self._epoch = EventFit()

    def attach(self, engine: Engine, name: str = "memorisation") -> None:
        """Count through each epoch of a trainer; a share is `<name>_<share>` among its metrics."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._count)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._close, name)

    def _count(self, engine: Engine) -> None:
        # The batch's own label: a learning scheme may have corrected the one that the loss saw. What a loss reads
        # behind it (`AppendBinsd`) is no label.
        true, noisy = ([field[0] for field in _fields(engine.state.batch, key)] for key in (self.key, CommonKeys.LABEL))
        predicted = [
            field.argmax(0) if len(field) > 1 else field[0] for field in _fields(engine.state.output, CommonKeys.PRED)
        ]
        for maps in zip(true, noisy, predicted, strict=True):
            self._epoch = self._epoch + fit_of_events(*(one.numpy().astype(np.uint8) for one in maps))

    def _close(self, engine: Engine, name: str) -> None:
        self.history.append(self._epoch)
        engine.state.metrics |= {f"{name}_{share}": value for share, value in self._epoch.rates().items()}
        self._epoch = EventFit()


def _fields(content: Any, key: str) -> list[torch.Tensor]:
    """Channels of each field of a batch, collated or, as MONAI may leave it after an iteration, taken apart."""
    channels = [field[key] for field in content] if isinstance(content, list) else content[key]
    return [torch.as_tensor(field).detach().cpu() for field in channels]

"""Background recalibration: background that the network takes for an event costs nothing, once it has learnt events."""

import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn
from torch.nn import functional

from noisylabels.data.errors import InputError
from noisylabels.data.labels import IGNORE_INDEX


class RecalibratedDice(nn.Module):
    """Compute the generalized Dice loss without background pixels that are probably missed events.

    Zhang et al. 2020, arXiv 2002.05274, recalibrate the background of detectors; here inside the generalized Dice
    (Sudre et al. 2017, 10.1007/978-3-319-67558-9_28, weights of one over squared area). From epoch `start` on, a pixel
    labelled background with P(event) above `above` weighs 0, but no more pixels of a batch than `at_most` times those
    labelled as events, the surest first: a prior on how many were missed, without which everything may become an event.
    It needs misses that look like what was found, and a start after which events are learnt. Pixels labelled
    `IGNORE_INDEX` weigh 0 from the beginning.

    Args:
        start: First epoch (1-based) that recalibrates; the loss must follow the trainer (`Follow`).
        above: P(event) above which background is not believed, in [0, 1].
        at_most: Largest number of such pixels per pixel labelled as an event; 1 stands for half of all missed.

    Raises:
        InputError: If a value is outside its range.

    Examples:
        >>> loss = RecalibratedDice(start=1)
        >>> labels = torch.tensor([[[[1.0, 0.0, 0.0]]]])
        >>> sure = torch.tensor([[[[0.0, 0.0, 9.0]], [[9.0, 9.0, 0.0]]]])  # (batch, class, x, y)
        >>> loss.weights(sure, labels).tolist()
        [[[1.0, 0.0, 1.0]]]
    """

    def __init__(self, start: int = 4, above: float = 0.5, at_most: float = 1.0) -> None:
        super().__init__()
        if start < 1 or not 0 <= above <= 1 or at_most < 0:
            got = f"{start}, {above}, {at_most}"
            msg = f"start must be at least 1, above in [0, 1] and at_most at least 0, got {got}. Try 4, 0.5 and 1."
            raise InputError(msg)
        self.start, self.above, self.at_most = start, above, at_most
        self.epoch = 1

    def attach(self, engine: Engine) -> None:
        """Follow a trainer's epochs."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)

    def _begin(self, engine: Engine) -> None:
        self.epoch = engine.state.epoch

    @torch.no_grad()
    def weights(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the weight of each pixel, 0 or 1.

        Args:
            logits: (batch, class, x, y).
            labels: (batch, 1, x, y) class indices.

        Returns:
            (batch, x, y) float32.
        """
        weights = (labels[:, 0] != IGNORE_INDEX).float()
        if self.epoch < self.start:
            return weights
        event = 1 - functional.softmax(logits.float(), dim=1)[:, 0]
        doubted = (labels[:, 0] == 0) & (event > self.above)
        n_labelled = int(((labels[:, 0] > 0) & (weights > 0)).sum())
        n_left_out = min(int(doubted.sum()), int(self.at_most * n_labelled))
        order = torch.where(doubted, event, -1.0).flatten().argsort(descending=True, stable=True)
        weights.view(-1)[order[:n_left_out]] = 0
        return weights

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute 1 - 2 sum_c w_c |p y| / sum_c w_c (|p| + |y|) over the pixels that count, w_c = 1 / |y|^2."""
        counted = self.weights(logits, labels)[:, None]
        known = torch.where(labels[:, 0] == IGNORE_INDEX, 0, labels[:, 0]).long()
        p = functional.softmax(logits.float(), dim=1) * counted
        y = functional.one_hot(known, logits.shape[1]).movedim(-1, 1).float() * counted
        areas = y.sum((0, 2, 3))
        weight = torch.where(areas > 0, areas.clamp_min(1) ** -2, 0.0)
        # A class that a batch lacks weighs like its rarest: false events cost, and nothing is infinite.
        weight = torch.where(areas > 0, weight, weight.max())
        hits = (weight * (p * y).sum((0, 2, 3))).sum()
        total = (weight * (p + y).sum((0, 2, 3))).sum()
        return 1 - 2 * hits / total.clamp_min(torch.finfo(torch.float32).tiny)

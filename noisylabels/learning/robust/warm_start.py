"""A warm start: losses that learn nothing from scratch begin where another loss has led."""

from ignite.engine import Engine, Events
from torch import Tensor, nn

from noisylabels.data.errors import InputError


class WarmStart(nn.Module):
    """Use one loss for the first epochs of a trainer, then another.

    GCE and SCE hold back whatever is not learnt yet; after cross-entropy has learnt the events, they keep them. The
    loss must follow the trainer (`Follow` in a config's handlers), or it stays with the first.

    Args:
        first: The loss to begin with.
        then: The loss to go on with.
        epochs: Epochs of the first, at least 0.

    Raises:
        InputError: If epochs is negative.

    Examples:
        >>> from noisylabels.learning.robust.pixel_losses import CrossEntropy, GeneralizedCrossEntropy
        >>> loss = WarmStart(CrossEntropy(), GeneralizedCrossEntropy(), epochs=4)
        >>> type(loss.current).__name__
        'CrossEntropy'
        >>> loss.epoch = 5
        >>> type(loss.current).__name__
        'GeneralizedCrossEntropy'
    """

    def __init__(self, first: nn.Module, then: nn.Module, epochs: int) -> None:
        super().__init__()
        if epochs < 0:
            msg = f"epochs must be at least 0, got {epochs}. Try a quarter of the training."
            raise InputError(msg)
        self.first, self.then, self.epochs = first, then, epochs
        self.epoch = 1

    @property
    def current(self) -> nn.Module:
        """The loss of this epoch."""
        return self.first if self.epoch <= self.epochs else self.then

    def attach(self, engine: Engine) -> None:
        """Follow a trainer's epochs; a training that is continued goes on with the loss of its epoch."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)

    def _begin(self, engine: Engine) -> None:
        self.epoch = engine.state.epoch

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of this epoch from logits (batch, class, x, y) and labels (batch, 1, x, y)."""
        loss: Tensor = self.current(logits, labels)
        return loss

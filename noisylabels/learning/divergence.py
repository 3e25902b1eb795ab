"""Stop at the first loss that is not a number, and name the field."""

from collections.abc import Callable
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents

from noisylabels.data.errors import InputError


class StopOnDivergence:
    """Stop training before a loss of nan or infinity reaches the weights.

    Args:
        loss_function: The trainer's loss; computed again field by field to find the one at fault.
    """

    def __init__(self, loss_function: Callable[[Any, Any], torch.Tensor]) -> None:
        self.loss_function = loss_function

    def attach(self, engine: Engine) -> None:
        """Check each loss of `engine` before it is propagated."""
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Raise if the loss is not finite.

        Raises:
            InputError: Naming epoch, iteration and fields.
        """
        output = engine.state.output
        if bool(torch.isfinite(output["loss"])):
            return
        ids = list(engine.state.batch.get("id", [f"number {i + 1} of the batch" for i in range(len(output["pred"]))]))
        with torch.no_grad():
            losses = [
                float(self.loss_function(output["pred"][i : i + 1], output["label"][i : i + 1]).mean())
                for i in range(len(ids))
            ]
        faulty = [name for name, loss in zip(ids, losses, strict=True) if not abs(loss) < float("inf")] or ids
        msg = (
            f"The loss must be finite, got {output['loss'].item()} in epoch {engine.state.epoch}, iteration "
            f"{engine.state.iteration}, at {', '.join(faulty)}. Lower --learning_rate, or look at that field."
        )
        raise InputError(msg)

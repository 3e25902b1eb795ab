"""The learning rate, changed after each step of the optimizer."""

from ignite.engine import Engine, Events
from torch.optim.lr_scheduler import LRScheduler


class StepSchedule:
    """Advance a schedule with the optimizer: once in `accumulation_steps` batches, and at the end of an epoch.

    MONAI's handler advances it with every batch, so that a rate would fall twice as fast where two batches are a step.

    Args:
        lr_scheduler: The schedule; its unit is the optimizer's step.
        accumulation_steps: Batches per step, as the trainer has it.
    """

    def __init__(self, lr_scheduler: LRScheduler, accumulation_steps: int = 1) -> None:
        self.lr_scheduler = lr_scheduler
        self.accumulation_steps = accumulation_steps

    def attach(self, engine: Engine) -> None:
        """Follow the steps of `engine`."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Advance if the optimizer did."""
        batch = (engine.state.iteration - 1) % engine.state.epoch_length + 1
        if batch % self.accumulation_steps == 0 or batch == engine.state.epoch_length:
            self.lr_scheduler.step()

"""Randomness that depends on (seed, epoch, field) and on nothing else: not on workers, order or a restart."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from torch.utils.data import DistributedSampler


class Draw(NamedTuple):
    """Which field to load, and in which epoch, so that its random transforms can be keyed by both.

    Args:
        epoch: Counted from 1, as ignite counts.
        position: Of the field in the dataset.
    """

    epoch: int
    position: int


def derive_seed(*keys: int) -> int:
    """Mix numbers into one seed; the same numbers give the same seed on every machine.

    Args:
        keys: Non-negative numbers, for instance seed, epoch, index.

    Returns:
        A seed in [0, 2**32).

    Examples:
        >>> derive_seed(0, 1, 2) == derive_seed(0, 1, 2), derive_seed(0, 1, 2) == derive_seed(0, 2, 1)
        (True, False)
    """
    return int(np.random.SeedSequence(keys).generate_state(1)[0])


class EpochSampler(DistributedSampler[Any]):
    """Shuffle the fields anew each epoch, the same way whenever that epoch is run.

    MONAI's trainer tells it the epoch. With several processes (`torchrun`) each gets its own share.

    Args:
        dataset: What to sample from.
        seed: Same seed and epoch, same order.
        shuffle: False keeps the order of the dataset.

    Examples:
        >>> sampler = EpochSampler(["a", "b", "c"], seed=0)
        >>> sampler.set_epoch(1)
        >>> sorted(sampler)
        [Draw(epoch=1, position=0), Draw(epoch=1, position=1), Draw(epoch=1, position=2)]
    """

    def __init__(self, dataset: Sequence[object], *, seed: int = 0, shuffle: bool = True) -> None:
        together = dist.is_available() and dist.is_initialized()
        super().__init__(
            dataset,  # type: ignore[arg-type]  # anything with a length will do
            num_replicas=dist.get_world_size() if together else 1,
            rank=dist.get_rank() if together else 0,
            shuffle=shuffle,
            seed=seed,
        )

    def __iter__(self) -> Iterator[Draw]:
        return (Draw(self.epoch, index) for index in super().__iter__())


class EpochSeeder:
    """Seed torch before the first step of each epoch, so that dropout and the like repeat after a restart.

    Not at the start of the epoch: a data loader draws from the same generator when it begins, but not if its workers
    stay from the epoch before.

    Args:
        seed: Same seed and epoch, same numbers.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        """Seed whenever `engine` starts the first iteration of an epoch."""
        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Seed torch's generators from (seed, epoch)."""
        if (engine.state.iteration - 1) % engine.state.epoch_length == 0:
            torch.manual_seed(derive_seed(self.seed, engine.state.epoch))

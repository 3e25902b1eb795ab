"""What all places of work have in common: items go in, each comes out with its result or with the worker it killed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class WorkerDiedError(RuntimeError):
    """Each process that worked on an item was killed or crashed."""


def always() -> bool:
    """Return True: whatever waits may begin."""
    return True


class Engine(Protocol):
    """A place where batches of items are worked on."""

    def run(
        self,
        function: Callable[[tuple[Item, ...]], Sequence[Result]],
        batches: Iterable[tuple[Item, ...]],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
        """Process batches, which are taken one by one as there is room; items come as they end."""


def run(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    engine: Engine,
    may_begin: Callable[[], bool] = always,
) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
    """Run a function over items.

    Args:
        function: What to do with one item. With processes: a function of a module, or a partial of one.
        items: The items, taken one by one as there is room for them.
        engine: Where: `InProcess`, `LocalPool` or `DaskCluster`.
        may_begin: Asked before an item is taken; after False nothing begins until an item has ended. It raises where
            waiting would not help.

    Yields:
        Each item with its result as it ends, in any order. In place of the result stands a `WorkerDiedError` for an
        item whose workers died, each of them, while it was alone with them.

    Raises:
        Exception: Whatever `function` raises; the rest is not done.

    Examples:
        >>> from noisylabels.parallel.pool import InProcess
        >>> list(run(abs, [-1, 2], engine=InProcess()))
        [(-1, 1), (2, 2)]
    """
    return engine.run(_Each(function), ((item,) for item in items), may_begin)


def run_batches(
    function: Callable[[tuple[Item, ...]], Sequence[Result]], items: Iterable[Item], *, size: int, engine: Engine
) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
    """Run a function that takes several items at once.

    Args:
        function: From a tuple of items to one result per item, in order.
        items: The items.
        size: Items that travel to a worker together.
        engine: Where.

    Yields:
        As `run`: one pair per item.
    """
    return engine.run(function, batched(items, size))


def batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Cut a stream of items into batches.

    Examples:
        >>> list(batched("abc", 2))
        [('a', 'b'), ('c',)]
    """
    source = iter(items)
    while batch := tuple(islice(source, size)):
        yield batch


@dataclass(frozen=True)
class _Each(Generic[Item, Result]):
    """A function of one item as a function of a batch; a class, so that it travels to other processes."""

    function: Callable[[Item], Result]

    def __call__(self, batch: tuple[Any, ...]) -> list[Result]:
        return [self.function(item) for item in batch]

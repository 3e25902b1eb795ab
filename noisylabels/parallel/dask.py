"""Work on a Dask cluster: needs `pip install noisylabels[distributed]`."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from noisylabels.data.errors import InputError
from noisylabels.parallel.running import Item, Result, WorkerDiedError, always

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S = 20.0
LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class DaskCluster:
    """Work on the workers of a Dask scheduler. They must see the same folders under the same paths.

    Dask runs the tasks of a dead worker again, but counts every task that was assigned to it as a suspect; what it
    gives up on runs alone here, and only what dies alone is to blame.

    Args:
        address: `tcp://host:port` of the scheduler.
        resources: What a worker must have, such as `{"GPU": 1}` where each GPU worker loads one model.
        connect_s: How long to wait for the scheduler, and for its first worker, in seconds; 20 when None.
        ahead: Batches under way per worker: one at work, the others waiting.
    """

    address: str
    resources: tuple[tuple[str, float], ...] = ()
    connect_s: float | None = None
    ahead: int = 2

    def run(
        self,
        function: Callable[[tuple[Item, ...]], Sequence[Result]],
        batches: Iterable[tuple[Item, ...]],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
        """Process batches; items come as they end.

        Raises:
            ConnectionError: If the scheduler cannot be reached, is lost on the way, or has no worker.
        """
        with connected(self.address, self.connect_s) as client:
            wait_for_worker(client, self.address, self.connect_s)
            yield from self._work(client, function, batches, may_begin)

    def _work(
        self,
        client: "Client",
        function: Callable[[tuple[Item, ...]], Sequence[Result]],
        batches: Iterable[tuple[Item, ...]],
        may_begin: Callable[[], bool],
    ) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
        from distributed import KilledWorker

        source, suspects = iter(batches), deque[tuple[Item, ...]]()
        under_way: dict[Future, tuple[Item, ...]] = {}
        while True:
            most = max(1, self.ahead * len(client.nthreads()))
            while len(under_way) < most and may_begin() and (batch := next(source, None)) is not None:
                under_way[self._submit(client, function, batch)] = batch
            if not under_way:
                if not suspects:
                    return
                yield self._alone(client, function, suspects.popleft())
            for future in wait_for_one(client, list(under_way), self.address) if under_way else ():
                batch = under_way.pop(future)
                try:
                    results = future.result()  # a finished one, too, is lost with its worker until it is fetched
                except KilledWorker:
                    suspects.extend((item,) for item in batch)
                else:
                    yield from zip(batch, results, strict=True)

    def _alone(
        self, client: "Client", function: Callable[[tuple[Item, ...]], Sequence[Result]], suspect: tuple[Item, ...]
    ) -> tuple[Item, Result | WorkerDiedError]:
        from distributed import KilledWorker

        future = self._submit(client, function, suspect)
        wait_for_one(client, [future], self.address)
        try:
            results: Sequence[Result] = future.result()
        except KilledWorker:
            return suspect[0], WorkerDiedError("Each worker that had it was lost.")
        return suspect[0], results[0]

    def _submit(
        self, client: "Client", function: Callable[[tuple[Item, ...]], Sequence[Result]], batch: tuple[Item, ...]
    ) -> "Future":
        return client.submit(function, batch, pure=False, resources=dict(self.resources) or None)


@contextlib.contextmanager
def connected(address: str, connect_s: float | None = None) -> Iterator["Client"]:
    """Talk to a Dask scheduler for as long as the block lasts.

    Args:
        address: `tcp://host:port` of the scheduler.
        connect_s: How long to wait for it, in seconds; 20 when None.

    Yields:
        A `distributed.Client`, which does not become the process's default.

    Raises:
        InputError: If Dask is not installed.
        ConnectionError: If the scheduler cannot be reached, or is lost within the block.
    """
    with _client(address, connect_s or CONNECT_S) as client, client.as_current():
        from distributed.client import FuturesCancelledError
        from distributed.comm import CommClosedError

        try:
            yield client
        except (CommClosedError, CancelledError, FuturesCancelledError) as error:
            raise ConnectionError(_lost(address)) from error


def wait_for_one(client: "Client", futures: "list[Future]", address: str) -> "list[Future]":
    """Wait until at least one future is finished, looking now and then whether the scheduler lives.

    Args:
        client: The client of `connected`.
        futures: What is under way.
        address: The scheduler's, for the message.

    Returns:
        The finished ones.

    Raises:
        ConnectionError: If the scheduler is lost.
    """
    from distributed import wait

    while True:
        try:
            done = wait(futures, timeout=LOOK_EVERY_S, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            done = set()
        require_scheduler(client, address)
        if any(future.cancelled() for future in futures):
            raise ConnectionError(_lost(address))
        if done:
            return list(done)


def wait_for_worker(client: "Client", address: str, connect_s: float | None = None) -> None:
    """Wait for the first worker of a scheduler.

    Args:
        client: The client of `connected`.
        address: The scheduler's, for the message.
        connect_s: How long, in seconds; 20 when None.

    Raises:
        ConnectionError: If none comes, or the scheduler is lost.
    """
    until = time.monotonic() + (connect_s or CONNECT_S)
    while not client.nthreads():
        require_scheduler(client, address)
        if time.monotonic() > until:
            msg = (
                f"The scheduler {address} must have a worker, but none came. "
                f"Start one with `dask worker {address} --nthreads 1`."
            )
            raise ConnectionError(msg)
        time.sleep(0.2)


def require_scheduler(client: "Client", address: str) -> None:
    """Refuse to go on without the scheduler.

    Raises:
        ConnectionError: If it is lost.
    """
    if client.status != "running":
        raise ConnectionError(_lost(address))


def _client(address: str, patience_s: float) -> "Client":
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        msg = "A scheduler must have Dask to talk to it, but it is not there. pip install 'noisylabels[distributed]'."
        raise InputError(msg) from error
    try:
        return Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"{address} must be a Dask scheduler, but it does not answer ({error}). Start one with `dask scheduler`."
        raise ConnectionError(msg) from error


def _lost(address: str) -> str:
    return (
        f"The scheduler {address} must live until the end, but it is gone. What was finished is kept: "
        "start a scheduler and run the same command again."
    )

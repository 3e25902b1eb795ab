"""Fields on a Dask cluster: needs `pip install noisylabels[distributed]`."""

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from noisylabels.data.errors import InputError
from noisylabels.parallel.pool import AHEAD, Batch, blame
from noisylabels.screening.batches import process_batch
from noisylabels.screening.field import Outcome
from noisylabels.screening.job import Job
from noisylabels.screening.store import Store

CONNECT_S = 20.0
LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class DaskCluster:
    """Work on the workers of a Dask scheduler.

    Dask runs the tasks of a dead worker again, but counts every task that was assigned to it as a suspect; what it
    gives up on runs alone here, and only what dies alone is to blame.

    Args:
        address: `tcp://host:port` of the scheduler.
        resources: What a worker must have, such as `{"GPU": 1}` where each GPU worker loads one model.
        connect_s: How long to wait for the scheduler, in seconds; 20 when None.
    """

    address: str
    resources: tuple[tuple[str, float], ...] = ()
    connect_s: float | None = None

    def run(self, batches: Iterable[Batch], job: Job, store: Store) -> Iterator[Outcome]:
        """Work on batches; outcomes come as they come.

        Raises:
            ConnectionError: If the scheduler cannot be reached, or is lost on the way.
        """
        with connected(self.address, self.connect_s) as client:
            yield from self._work(client, batches, job, store)

    def _work(self, client: Any, batches: Iterable[Batch], job: Job, store: Store) -> Iterator[Outcome]:
        from distributed import KilledWorker

        source, suspects = iter(batches), deque[Batch]()
        under_way: dict[Any, Batch] = {}
        while True:
            most = max(2, AHEAD * len(client.nthreads()))
            while len(under_way) < most and (batch := next(source, None)) is not None:
                under_way[self._submit(client, batch, job, store)] = batch
            if not under_way:
                break
            for future in wait_for_one(client, list(under_way), self.address):
                batch = under_way.pop(future)
                try:
                    outcomes = future.result()  # a finished one, too, is lost with its worker until it is fetched
                except KilledWorker:
                    suspects.extend((field,) for field in batch)
                else:
                    yield from outcomes
        for suspect in suspects:
            future = self._submit(client, suspect, job, store)
            wait_for_one(client, [future], self.address)
            try:
                outcomes = future.result()
            except KilledWorker:
                outcomes = [blame(suspect[0], job, store)]
            yield from outcomes

    def _submit(self, client: Any, batch: Batch, job: Job, store: Store) -> Any:
        return client.submit(process_batch, batch, job, store, pure=False, resources=dict(self.resources) or None)


@contextlib.contextmanager
def connected(address: str, connect_s: float | None = None) -> Iterator[Any]:
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


def wait_for_one(client: Any, futures: list[Any], address: str) -> list[Any]:
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


def require_scheduler(client: Any, address: str) -> None:
    """Refuse to go on without the scheduler.

    Raises:
        ConnectionError: If it is lost.
    """
    if client.status != "running":
        raise ConnectionError(_lost(address))


def _client(address: str, patience_s: float) -> Any:
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

"""Runs of a grid on the workers of a Dask scheduler: needs `pip install noisylabels[distributed]`."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from noisylabels import __version__
from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Dataset
from noisylabels.data.errors import InputError
from noisylabels.experiments.budget import Budget
from noisylabels.experiments.runner import FAILURE, Planned, attempt, look
from noisylabels.experiments.workspace import Workspace
from noisylabels.parallel import dask as cluster

LOOK_EVERY_S = 0.2

_alone = threading.Lock()  # a training seeds its whole process and redirects what it prints: one at a time


@dataclass(frozen=True)
class DaskWorkers:
    """Runs on the workers of a Dask scheduler, as many at a time as there are worker processes.

    The workers must see the experiment's folder under the same path. A run whose worker is lost is done again by
    another one, as Dask does; what it gives up on has failed, like any other run that failed, and the grid goes on.
    Where all workers are lost the grid waits for one. Until the first run has told the price of one, it goes alone: the
    budget holds as in one process.

    Args:
        address: `tcp://host:port` of the scheduler.
        connect_s: How long to wait for the scheduler, and for its first worker, in seconds; 20 when None.
    """

    address: str
    connect_s: float | None = None

    def run(self, workspace: Workspace, data: Dataset, items: Sequence[Planned], budget: Budget) -> Iterator[Planned]:
        """Do runs within a budget, and give each as it ends.

        Raises:
            InputError: If the budget does not suffice for the next run; those under way end first.
            ConnectionError: If the scheduler cannot be reached or is lost, or if it has no worker.
        """
        if not items:
            return
        workspace = replace(workspace, folder=workspace.folder.resolve())  # workers stand elsewhere
        data = replace(data, folder=data.folder.resolve())
        with cluster.connected(self.address, self.connect_s) as client:
            self._wait_for_worker(client)
            waiting, under_way = deque(items), dict[Any, tuple[Planned, float]]()
            while waiting or under_way:
                n_workers = max(1, len(client.nthreads()))
                while waiting and _may_start(budget, [start for _, start in under_way.values()], n_workers):
                    item = waiting.popleft()
                    future = client.submit(do_run, workspace, data, item, __version__, pure=False)
                    under_way[future] = item, time.monotonic()
                if not under_way:
                    budget.require()
                for future in cluster.wait_for_one(client, list(under_way), self.address):
                    item, start = under_way.pop(future)
                    ended = _outcome(future, workspace, item)
                    budget.count(time.monotonic() - start, ended.seconds)
                    yield ended

    def _wait_for_worker(self, client: Any) -> None:
        until = time.monotonic() + (self.connect_s or cluster.CONNECT_S)
        while not client.nthreads():
            cluster.require_scheduler(client, self.address)
            if time.monotonic() > until:
                msg = (
                    f"The scheduler {self.address} must have a worker, but none came. "
                    f"Start one with `dask worker {self.address} --nthreads 1`."
                )
                raise ConnectionError(msg)
            time.sleep(LOOK_EVERY_S)


def do_run(workspace: Workspace, data: Dataset, item: Planned, version: str) -> Planned:
    """Do one run in a worker; a run that another worker finished meanwhile is not done again.

    Args:
        workspace: The experiment's folder.
        data: Its fields.
        item: The run.
        version: The version of this package where the grid was started.

    Raises:
        InputError: If the worker has another version, or does not see the data.
    """
    if version != __version__:
        msg = (
            f"A worker must have noisylabels {version} as its grid has, got {__version__}. Install that version there."
        )
        raise InputError(msg)
    if not (data.folder / "dataset.json").is_file():
        msg = f"A worker must see the grid's folders under the same path, but {data.folder} is not there. Share them."
        raise InputError(msg)
    with _alone:
        there = look(workspace, item.run, item.identity)
        return there if there.state == "done" else attempt(workspace, data, item)


def _may_start(budget: Budget, starts: Sequence[float], n_workers: int) -> bool:
    most = n_workers if budget.known else 1
    return len(starts) < most and budget.fits([time.monotonic() - start for start in starts])


def _outcome(future: Any, workspace: Workspace, item: Planned) -> Planned:
    from distributed import KilledWorker

    try:
        ended: Planned = future.result()
    except KilledWorker:
        ended = look(workspace, item.run, item.identity)  # it may have been whole before its worker was lost
        if ended.state != "done":
            msg = "A run must not end its worker, but each worker that did it was lost. Look for a shortage of memory."
            write_text(workspace.run_folder(item.identity) / FAILURE, msg)
            ended = Planned(item.run, item.identity, "failed")
    return ended

"""Work in this process, or in processes of this machine that are started fresh and end with it.

Every worker is a pool of its own, so that a worker that dies takes nothing with it but the batch it had. Of a batch of
several items nobody can tell which one did it: they go on one by one. An item is blamed when worker after worker died
while it was alone with them; a kill from outside hits one item so often only if it is meant.
"""

import contextlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_any
from typing import Generic

from noisylabels.data.errors import InputError
from noisylabels.parallel.running import Engine, Item, Result, WorkerDiedError, always

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class InProcess:
    """Work in this process, one batch after the other."""

    def run(
        self,
        function: Callable[[tuple[Item, ...]], Sequence[Result]],
        batches: Iterable[tuple[Item, ...]],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
        """Process batches in order."""
        source = iter(batches)
        while may_begin() and (batch := next(source, None)) is not None:
            yield from zip(batch, function(batch), strict=True)


@dataclass(frozen=True)
class LocalPool:
    """Work in processes of this machine.

    Args:
        workers: How many, at least 1.
        threads: Threads of each; they are pinned so that workers do not fight for cores.
        retries: How many workers an item may have killed, alone with them, and still be tried again.
    """

    workers: int = 2
    threads: int = 1
    retries: int = 2

    def __post_init__(self) -> None:
        if self.workers < 1 or self.threads < 1:
            msg = f"workers and threads must be at least 1, got {self.workers} and {self.threads}. Give more."
            raise InputError(msg)

    def run(
        self,
        function: Callable[[tuple[Item, ...]], Sequence[Result]],
        batches: Iterable[tuple[Item, ...]],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[tuple[Item, Result | WorkerDiedError]]:
        """Process batches; a dead worker costs time and nothing else."""
        source, again = iter(batches), deque[_Task[Item]]()
        with contextlib.ExitStack() as stack:
            idle = [stack.enter_context(_Worker(self.threads)) for _ in range(self.workers)]
            under_way: dict[Future[Sequence[Result]], tuple[_Worker, _Task[Item]]] = {}
            while True:
                while idle and (task := _next(again, source, may_begin)):
                    worker = idle.pop()
                    under_way[worker.submit(function, task.batch)] = worker, task
                if not under_way:
                    return
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    worker, task = under_way.pop(future)
                    idle.append(worker)
                    try:
                        ended = list(zip(task.batch, future.result(), strict=True))
                    except BrokenProcessPool:
                        worker.restart()
                        if len(task.batch) == 1 and task.deaths >= self.retries:
                            yield task.batch[0], WorkerDiedError("Each process that worked on it died.")
                        else:
                            again.extend(task.suspects())
                    else:
                        yield from ended


def local(workers: int) -> Engine:
    """Choose a place on this machine: this process for at most 1 worker, else a pool."""
    return LocalPool(workers) if workers > 1 else InProcess()


@dataclass(frozen=True)
class _Task(Generic[Item]):
    """A batch, and how many workers died while they had it and nothing else."""

    batch: tuple[Item, ...]
    deaths: int = 0

    def suspects(self) -> "list[_Task[Item]]":
        alone = len(self.batch) == 1
        return [_Task((item,), self.deaths + 1 if alone else 0) for item in self.batch]


def _next(
    again: "deque[_Task[Item]]", source: Iterator[tuple[Item, ...]], may_begin: Callable[[], bool]
) -> "_Task[Item] | None":
    if again:
        return again.popleft()
    batch = next(source, None) if may_begin() else None
    return None if batch is None else _Task(batch)


class _Worker:
    """One process, started when it is first needed, and another after it has died."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = self._new()

    def submit(
        self, function: Callable[[tuple[Item, ...]], Sequence[Result]], batch: tuple[Item, ...]
    ) -> "Future[Sequence[Result]]":
        with _pinned(self._threads):
            try:
                return self._pool.submit(function, batch)
            except BrokenProcessPool:  # it died while it had nothing to do: nobody is to blame
                self.restart()
                return self._pool.submit(function, batch)

    def restart(self) -> None:
        self._pool.shutdown()
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, initializer=end_with_parent)

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went: a pool's worker would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait_for_any([sentinel])
    os._exit(1)


@contextlib.contextmanager
def _pinned(threads: int) -> Iterator[None]:
    """Limit workers started inside to a number of threads: libraries read it when they are loaded."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

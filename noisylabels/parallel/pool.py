"""Where fields are worked on: this process, a pool of fresh processes, or a Dask cluster.

A worker that dies takes with it whatever ran beside its fault, and nobody can tell which field it was. So everything
that was under way gets a mark and runs again in a new pool, one field at a time; a field with too many marks runs all
alone; if that kills its worker once more, the field is to blame and gets the record of a failed field.
"""

import contextlib
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Protocol

from noisylabels.data.errors import InputError
from noisylabels.plates.fields import Field
from noisylabels.screening.batches import process_batch
from noisylabels.screening.field import Outcome, fail_field
from noisylabels.screening.job import Job
from noisylabels.screening.store import Store

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
AHEAD = 2  # batches under way per worker: one at work, one waiting

Batch = tuple[Field, ...]


class WorkerDiedError(RuntimeError):
    """The process that worked on a field was killed or crashed."""


class Executor(Protocol):
    """A place where batches are worked on."""

    def run(self, batches: Iterable[Batch], job: Job, store: Store) -> Iterator[Outcome]:
        """Work on batches; outcomes come as they come."""


@dataclass(frozen=True)
class InProcess:
    """Work in this process, one batch after the other."""

    def run(self, batches: Iterable[Batch], job: Job, store: Store) -> Iterator[Outcome]:
        """Work on batches in order."""
        for batch in batches:
            yield from process_batch(batch, job, store)


@dataclass(frozen=True)
class LocalPool:
    """Work in processes of this machine, started fresh (spawn).

    Args:
        workers: How many, at least 1.
        threads: Threads of each; they are pinned so that workers do not fight for cores.
        retries: How often a field may be under way when a worker dies before it runs alone.
    """

    workers: int = 2
    threads: int = 1
    retries: int = 1

    def __post_init__(self) -> None:
        if self.workers < 1 or self.threads < 1:
            msg = f"workers and threads must be at least 1, got {self.workers} and {self.threads}. Give more."
            raise InputError(msg)

    def run(self, batches: Iterable[Batch], job: Job, store: Store) -> Iterator[Outcome]:
        """Work on batches; a dead worker costs time and nothing else."""
        waiting, marks = deque[Batch](), Counter[tuple[str, str]]()
        source = iter(batches)
        with _pinned(self.threads):
            while True:
                broken = yield from self._round(source, waiting, job, store)
                if not broken:
                    return
                singles = [(field,) for batch in broken for field in batch]
                marks.update(_key(field) for (field,) in singles)
                waiting.extendleft(reversed([one for one in singles if marks[_key(one[0])] <= self.retries]))
                for (suspect,) in (one for one in singles if marks[_key(one[0])] > self.retries):
                    yield self._alone(suspect, job, store)

    def _round(
        self, source: Iterator[Batch], waiting: deque[Batch], job: Job, store: Store
    ) -> Generator[Outcome, None, list[Batch]]:
        """Work until all is done or the pool breaks; returns the batches that were under way then."""
        with self._pool(self.workers) as pool:
            under_way: dict[Future[list[Outcome]], Batch] = {}
            while True:
                _fill(under_way, self.workers * AHEAD, source, waiting, lambda batch: _submit(pool, batch, job, store))
                if not under_way:
                    return []
                finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                lost = [future for future in finished if isinstance(future.exception(), BrokenProcessPool)]
                for future in finished:
                    if future not in lost:
                        del under_way[future]
                        yield from future.result()
                if lost:
                    return list(under_way.values())

    def _alone(self, field: Field, job: Job, store: Store) -> Outcome:
        with self._pool(1) as pool:
            try:
                return _submit(pool, (field,), job, store).result()[0]
            except BrokenProcessPool:
                return blame(field, job, store)

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def blame(field: Field, job: Job, store: Store) -> Outcome:
    """Write the record of a field that kills its worker."""
    msg = (
        f"Field {field.id} of plate {field.plate} must not end its worker, but each process that worked on it died. "
        "Look for a shortage of memory or a damaged file."
    )
    return fail_field(field, job, store, WorkerDiedError(msg))


def in_batches(fields: Iterable[Field], size: int) -> Iterator[Batch]:
    """Cut a stream of fields into batches."""
    batch: list[Field] = []
    for field in fields:
        batch.append(field)
        if len(batch) == size:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)


def _fill(
    under_way: dict[Future[list[Outcome]], Batch],
    most: int,
    source: Iterator[Batch],
    waiting: deque[Batch],
    submit: Callable[[Batch], Future[list[Outcome]]],
) -> None:
    while len(under_way) < most:
        batch = waiting.popleft() if waiting else next(source, None)
        if batch is None:
            return
        try:
            under_way[submit(batch)] = batch
        except BrokenProcessPool as error:
            # The pool broke between two looks at it: as if the batch had been under way.
            broken: Future[list[Outcome]] = Future()
            broken.set_exception(error)
            under_way[broken] = batch
            return


def _submit(pool: ProcessPoolExecutor, batch: Batch, job: Job, store: Store) -> Future[list[Outcome]]:
    return pool.submit(process_batch, batch, job, store)


def _key(field: Field) -> tuple[str, str]:
    return (field.plate, field.id)


@contextlib.contextmanager
def _pinned(threads: int) -> Iterator[None]:
    """Give workers started inside the number of threads: libraries read it when they are loaded."""
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

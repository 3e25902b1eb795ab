"""Several fields in one worker: the next is read and the last is written while the network works on this one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import TypeVar

from noisylabels.data.disk import is_disk_full
from noisylabels.data.labels import LabelMap
from noisylabels.parallel import WorkerDiedError
from noisylabels.plates.fields import Field
from noisylabels.screening.field import Outcome, Reading, fail_field, finish_field, read_field, state_of
from noisylabels.screening.job import Job
from noisylabels.screening.methods import loaded
from noisylabels.screening.store import Store

WRITERS = 4  # they mostly wait for the disk to confirm

Result = TypeVar("Result")


def process_batch(fields: Sequence[Field], job: Job, store: Store) -> list[Outcome]:
    """Label and measure fields; those that are done are skipped, those that fail leave a record.

    The method is loaded before a field is touched: a model that cannot be loaded is no fault of the fields.

    Args:
        fields: The fields.
        job: What to do.
        store: Where results lie.

    Returns:
        One outcome per field, in order.

    Raises:
        InputError: If the method's model cannot be loaded, or this process does not see the folder of the run.
        DiskFullError: If nothing can be written any more.
    """
    store.require_here()
    done = [state_of(field, job, store) == "done" for field in fields]
    waiting = [field for field, is_done in zip(fields, done, strict=True) if not is_done]
    fresh = iter(_process(waiting, job, store))
    return [
        Outcome(field.plate, field.id, "skipped") if is_done else next(fresh)
        for field, is_done in zip(fields, done, strict=True)
    ]


def blame(field: Field, job: Job, store: Store) -> Outcome:
    """Write the record of a field that kills its worker."""
    msg = (
        f"Field {field.id} of plate {field.plate} must not end its worker, but each process that worked on it died. "
        "Look for a shortage of memory or a damaged file."
    )
    return fail_field(field, job, store, WorkerDiedError(msg))


def _process(fields: Sequence[Field], job: Job, store: Store) -> list[Outcome]:
    if not fields:
        return []
    loaded(job.method, job.method_hash)
    chunks = [fields[start : start + job.batch_size] for start in range(0, len(fields), job.batch_size)]
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(WRITERS) as writer:
        outcomes: list[Future[Outcome]] = []
        ahead = _begin_reading(reader, chunks[0], job)
        for chunk, following in zip(chunks, [*chunks[1:], []], strict=True):
            reading, ahead = ahead, _begin_reading(reader, following, job)
            found = [_caught(future.result) for future in reading]
            for field, read, label_map in _label(chunk, found, job):
                outcomes.append(writer.submit(_finish, field, job, store, read, label_map))
        return [future.result() for future in outcomes]


def _begin_reading(reader: ThreadPoolExecutor, fields: Sequence[Field], job: Job) -> list[Future[Reading]]:
    return [reader.submit(read_field, field, job) for field in fields]


def _label(
    fields: Sequence[Field], found: Sequence[Reading | Exception], job: Job
) -> Iterator[tuple[Field, Reading | Exception, LabelMap | Exception | None]]:
    """Label the fields that were read, neighbours of one size together; a fault is found by going one by one."""
    for _, group in groupby(zip(fields, found, strict=True), key=lambda pair: _size(pair[1])):
        members = list(group)
        readings = [reading for _, reading in members if isinstance(reading, Reading)]
        answers: Sequence[LabelMap | Exception | None] = [None] * len(members)
        if readings:
            answers = _predict(readings, job)
        yield from ((field, read, answer) for (field, read), answer in zip(members, answers, strict=True))


def _predict(readings: Sequence[Reading], job: Job) -> Sequence[LabelMap | Exception]:
    together = _caught(lambda: loaded(job.method, job.method_hash)([reading.image for reading in readings]))
    if not isinstance(together, Exception):
        return together
    if len(readings) == 1:
        return [together]
    return [answer for reading in readings for answer in _predict([reading], job)]


def _finish(
    field: Field, job: Job, store: Store, reading: Reading | Exception, label_map: LabelMap | Exception | None
) -> Outcome:
    outcome: Outcome | Exception
    if isinstance(reading, Exception):
        outcome = reading
    elif isinstance(label_map, Exception) or label_map is None:
        outcome = label_map or AssertionError(f"{field.id} was read but not labelled")
    else:
        outcome = _caught(partial(finish_field, field, job, store, reading, label_map))
    if isinstance(outcome, Outcome):
        return outcome
    if is_disk_full(outcome):
        raise outcome
    return fail_field(field, job, store, outcome)


def _caught(call: Callable[[], Result]) -> Result | Exception:
    try:
        return call()
    except Exception as error:
        return error


def _size(reading: Reading | Exception) -> tuple[int, ...]:
    return reading.image.shape if isinstance(reading, Reading) else ()

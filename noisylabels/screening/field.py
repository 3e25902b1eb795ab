"""The unit of work: read a field, label it, measure it, write it. Pure, idempotent, atomic.

Its key is the hash of the pixels, the settings, the model and the code; a field whose record has that key is done.
Whatever goes wrong in a field becomes its record and not the end of the run.
"""

import socket
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisylabels.data.arrays import Image
from noisylabels.data.events import EventTable, label_events, measure_events
from noisylabels.data.hashes import hash_values
from noisylabels.data.labels import LabelMap, check_label_map
from noisylabels.plates.fields import Field
from noisylabels.screening.job import Job
from noisylabels.screening.store import Record, Store

FEATURES = ("mean_", "max_", "contrast_")
QUANTILES = {"p01": 0.01, "p50": 0.5, "p99": 0.99}


@dataclass(frozen=True)
class Outcome:
    """What happened to a field: all that travels back from a worker.

    Args:
        plate: The plate's name.
        field: The field's id.
        state: `done`, `failed`, or `skipped` where the result was there already.
        message: One sentence, if it failed or there is a doubt about it.
    """

    plate: str
    field: str
    state: str
    message: str = ""


@dataclass(frozen=True)
class Reading:
    """A field's pixels and what they are.

    Args:
        image: (channel, row, column), or (channel, plane, row, column) where the method wants the stack.
        input_hash: Hash of the files read.
        stamps: Names, sizes and times of these files.
    """

    image: Image
    input_hash: str
    stamps: tuple[tuple[str, int, int], ...]


def state_of(field: Field, job: Job, store: Store, *, verify: bool = False) -> str:
    """Return how far a field is.

    Args:
        field: The field.
        job: What is to be done to it.
        store: Where results lie.
        verify: Hash the results too, instead of comparing sizes.

    Returns:
        `done`, `failed`, `missing`, or `stale`: done with other pixels, settings, model or code.
    """
    record = store.read_record(field)
    if record is None:
        return "missing"
    if record["settings_key"] != job.settings_key(field) or not _same_input(field, job, record):
        return "stale"
    if record["state"] == "failed":
        return "failed"
    return "done" if store.is_whole(field, record, verify=verify) else "missing"


def read_field(field: Field, job: Job) -> Reading:
    """Read and hash a field's files; an error of the file system is tried again."""
    for attempt in range(job.retries + 1):
        try:
            stamps = field.stamps(channels=job.channels, time=job.time)
            return Reading(job.read(field), field.hash_input(channels=job.channels, time=job.time), stamps)
        except FileNotFoundError:
            raise
        except OSError:
            if attempt == job.retries:
                raise
    raise AssertionError


def finish_field(field: Field, job: Job, store: Store, reading: Reading, label_map: LabelMap) -> Outcome:
    """Measure a labelled field and write label map, events and, last, the record."""
    flat = reading.image if reading.image.ndim == 3 else reading.image.max(axis=1)
    checked = check_label_map(label_map, job.method.classes, source=f"label map of {field.id}", like=flat.shape[1:])
    instances, event_classes = label_events(checked)
    events = measure_events(instances, event_classes, flat, channel_names=job.names(field), wanted=FEATURES)
    written = store.write_result(field, checked, events)
    doubt = job.doubt(reading.image)
    record = {
        **_begun(field, job),
        "state": "done",
        "doubt": doubt,
        "key": hash_values([reading.input_hash, job.settings_key(field)]),
        "input": reading.input_hash,
        "stamps": reading.stamps,
        "shape": list(checked.shape),
        "counts": _counts(checked, events, job),
        "sums": _intensity_sums(events, job, job.names(field)),
        "image": _describe(flat, job.names(field)),
        **written,
    }
    store.write_record(field, record)
    return Outcome(field.plate, field.id, "done", doubt)


def fail_field(field: Field, job: Job, store: Store, error: BaseException) -> Outcome:
    """Write a record that says what went wrong."""
    fault = {
        "type": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
        "host": socket.gethostname(),
    }
    stamps = _stamps_if_any(field, job)
    record = {**_begun(field, job), "state": "failed", "stamps": stamps, "error": fault}
    store.write_record(field, record)
    return Outcome(field.plate, field.id, "failed", str(error))


def _begun(field: Field, job: Job) -> Record:
    return {
        "plate": field.plate,
        "well": field.well.name,
        "number": field.number,
        "method": job.method.name,
        "settings_key": job.settings_key(field),
    }


def _same_input(field: Field, job: Job, record: Record) -> bool:
    stamps = _stamps_if_any(field, job)
    if stamps is None or record["stamps"] is None:
        return stamps is record["stamps"]
    if [list(stamp) for stamp in stamps] == record["stamps"]:
        return True
    return "input" in record and field.hash_input(channels=job.channels, time=job.time) == record["input"]


def _stamps_if_any(field: Field, job: Job) -> tuple[tuple[str, int, int], ...] | None:
    try:
        return field.stamps(channels=job.channels, time=job.time)
    except (OSError, ValueError):
        return None


def _counts(label_map: LabelMap, events: EventTable, job: Job) -> dict[str, dict[str, int]]:
    classes = job.method.classes
    pixels = np.bincount(label_map.ravel(), minlength=len(classes))
    pieces = np.bincount(events["class_index"], minlength=len(classes))
    return {
        name: {"events": int(pieces[index]), "pixels": int(pixels[index])}
        for index, name in enumerate(classes)
        if index
    }


def _intensity_sums(events: EventTable, job: Job, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Sum the events' mean intensities, so that a well's mean can be made of its fields."""
    of_class = {name: events["class_index"] == index for index, name in enumerate(job.method.classes) if index}
    return {
        name: {channel: float(events[f"mean_{channel}"][rows].sum()) for channel in names}
        for name, rows in of_class.items()
    }


def _describe(image: Image, names: Sequence[str]) -> dict[str, dict[str, float]]:
    described = {}
    for name, plane in zip(names, image, strict=True):
        quantiles = np.quantile(plane[::2, ::2], list(QUANTILES.values()))
        described[name] = {
            "mean": float(plane.mean()),
            **{key: float(value) for key, value in zip(QUANTILES, quantiles, strict=True)},
            "max": float(plane.max()),
            "at_max_px": int((plane == plane.max()).sum()),
            "sharpness": _sharpness(plane),
        }
    return described


def _sharpness(plane: Image) -> float:
    """Relative spread between neighbours: falls when the focus is lost."""
    values = plane.astype(np.float32)
    steps = np.abs(np.diff(values, axis=1)).mean() if values.shape[1] > 1 else 0.0
    return float(steps / max(float(values.mean()), 1e-6))

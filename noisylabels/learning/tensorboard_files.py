"""TensorBoard's files of a run that goes on: each step is in them once, however often the run was killed."""

import os
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

HEADER = struct.Struct("<QI")
"""What stands before a record: its length and a checksum of that; another checksum of 4 bytes stands behind it."""


def drop_later_steps(log_dir: str | Path, *, epoch: int, iteration: int, iteration_tags: Collection[str] = ()) -> int:
    """Cut off what was logged after the state that a training continues from, for it will be logged again.

    Steps are logged in order, so that a file is cut at the first step that is too late. Files in which there is none
    are left alone, those that this process writes to among them.

    Args:
        log_dir: Folder of `events.out.tfevents.*`; it may be missing.
        epoch: The last epoch of that state; 0 if the training starts anew.
        iteration: Its last iteration.
        iteration_tags: Tags whose steps are iterations; the steps of all others are epochs.

    Returns:
        How many files were cut.
    """
    cut = 0
    for path in sorted(Path(log_dir).glob("events.out.tfevents.*")):
        for start, tag, step in _steps(path):
            if step > (iteration if tag in iteration_tags else epoch):
                os.truncate(path, start)
                cut += 1
                break
    return cut


def _steps(path: Path) -> Iterator[tuple[int, str, int]]:
    """List the byte at which each record begins, what it is of, and its step; a torn end is left out."""
    from tensorboard.compat.proto.event_pb2 import Event

    content = path.read_bytes()
    start = 0
    while start + HEADER.size <= len(content):
        length, _ = HEADER.unpack_from(content, start)
        end = start + HEADER.size + length + 4
        if end > len(content):
            return
        event = Event.FromString(content[start + HEADER.size : end - 4])
        for value in event.summary.value:
            yield start, value.tag, event.step
        start = end

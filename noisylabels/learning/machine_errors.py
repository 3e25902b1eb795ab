"""What goes wrong with the machine and not with the data, said in one sentence each."""

import errno


def explain(error: BaseException) -> str | None:
    """Return in one sentence what a machine lacks; None if the error is of another kind.

    Args:
        error: What was raised while training or predicting, or a cause of it.

    Examples:
        >>> explain(OSError(errno.ENOSPC, "No space left on device"))
        'There must be room on the disk, but it is full. Free some, and start the same command again.'
        >>> explain(ValueError("another"))
    """
    text = str(error)
    known = _KNOWN.get(error.errno or 0) if isinstance(error, OSError) else None
    return known or next((sentence for words, sentence in _SAID if any(word in text for word in words)), None)


_KNOWN = {
    errno.ENOSPC: "There must be room on the disk, but it is full. Free some, and start the same command again.",
    errno.EDQUOT: "There must be room for your files, but the quota is used up. Free some, and start it again.",
    errno.EMFILE: "There must be free file handles, but too many are open. Raise `ulimit -n`, or --num_workers 0.",
    errno.EROFS: "The output folder must be writable, but its disk is read-only. Name another --output_dir.",
}

_SAID = (
    (
        ("shared memory", "bus error", "Bus error", "/torch_", "unable to mmap", "DataLoader worker"),
        "Loading processes must have shared memory, but one died; /dev/shm is often too small (64 MB in Docker). "
        "Start the container with --shm-size 1g, or pass --num_workers 0.",
    ),
    (
        ("Too many open files", "received 0 items of ancdata"),
        "There must be free file handles, but too many files are open. Raise `ulimit -n`, or --num_workers 0.",
    ),
    (
        ("out of memory", "can't allocate memory", "not enough memory"),
        "The batch must fit into memory, but there is too little. Lower --batch_size, or cut patches: --patch_size.",
    ),
    (
        ("Expected more than 1 value per channel",),
        "A batch must have more than one value per channel at the network's lowest level, but the last one has a "
        "single small field. Choose another --batch_size, or larger fields.",
    ),
    (
        ("PytorchStreamWriter failed", "unexpected pos", "No space left on device"),
        "There must be room on the disk, but it is full. Free some, and start the same command again.",
    ),
)

"""Devices: is the one that was asked for there?"""

import os

from noisylabels.data.errors import InputError


def check_device(name: object) -> None:
    """Refuse a device that torch does not find on this machine; torch itself would tell it in a traceback, and late.

    Args:
        name: As torch names them: `cpu`, `cuda`, `cuda:1`.

    Raises:
        InputError: If it is not there.

    Examples:
        >>> check_device("cpu")
        >>> check_device("abacus")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        noisylabels.data.errors.InputError: device must be one that torch finds here (cpu...), got 'abacus'. \
Leave --device out, or name another.
    """
    if name == "cpu":
        return
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    here = {"cpu", *(["cuda"] if n_gpus else []), *(f"cuda:{index}" for index in range(n_gpus))}
    if name not in here:
        listed = ", ".join(sorted(here))
        msg = f"device must be one that torch finds here ({listed}), got {name!r}. Leave --device out, or name another."
        raise InputError(msg)


def count_workers(most: int = 8) -> int:
    """Return how many processes load fields by default: none without a GPU, else those that this process may use.

    Args:
        most: More do not make it faster.
    """
    import torch

    return min(most, count_processors()) if torch.cuda.is_available() else 0


def count_processors() -> int:
    """Return how many processors this process may use; a batch system or a container often grants fewer than there are.

    Examples:
        >>> 1 <= count_processors() <= os.cpu_count()
        True
    """
    granted = getattr(os, "sched_getaffinity", None)
    return len(granted(0)) if granted is not None else os.cpu_count() or 1

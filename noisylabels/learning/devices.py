"""Devices: is the one that was asked for there?"""

from typing import Any

from noisylabels.data.errors import InputError


def check_device(name: Any) -> None:
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

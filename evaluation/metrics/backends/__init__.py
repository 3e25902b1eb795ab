"""Which machine counts: numpy always can; numba, when installed, gives the same counts faster."""

import functools
from importlib.util import find_spec
from types import ModuleType

from noisylabels.data.errors import InputError


def load_kernels(*, fast: bool | None = None) -> ModuleType | None:
    """Return the compiled kernels, or None where numpy is to count.

    Args:
        fast: True demands numba, False refuses it, None takes it when it is installed.

    Raises:
        InputError: If `fast` is True and numba is not installed.

    Examples:
        >>> load_kernels(fast=False) is None
        True
    """
    if fast is False:
        return None
    kernels = _compiled()
    if fast and kernels is None:
        msg = "fast=True must have numba, got an environment without it. Run `pip install noisylabels[fast]`."
        raise InputError(msg)
    return kernels


@functools.cache  # looking for a package costs more than counting a quarter
def _compiled() -> ModuleType | None:
    if find_spec("numba") is None:
        return None
    from evaluation.metrics.backends import compiled

    return compiled

"""MONAI imported fast: without what it takes along where it is installed and no prediction needs."""

import gc
import sys
from collections.abc import Sequence
from types import ModuleType

FOR_A_CLASS = {"torch.distributed.optim": "ZeroRedundancyOptimizer"}
"""Modules that ignite imports to ask whether an optimizer is of a class, which none of a prediction is. It takes sympy
and torch's distributed tensors along: as long to import as all of MONAI."""

NEEDLESS = (
    *("matplotlib", "matplotlib.pyplot", "pandas", "scipy.signal", "scipy.stats", "sklearn", "zarr"),
    *FOR_A_CLASS,
)
"""No transform, network or inferer of the bundles' predictions uses them; MONAI takes what is missing for an extra."""


def import_monai(needless: Sequence[str] = ()) -> None:
    """Import `monai.bundle`, leaving out modules that MONAI holds for optional; once it is imported, nothing happens.

    Afterwards they can be imported again (an image may lie in a Zarr store), but MONAI goes on without them, and ignite
    with an empty class. What is imported stays, so the collector of garbage need not go through it while it grows.

    Args:
        needless: Names of modules; those that are imported already are kept.
    """
    if "monai.bundle" in sys.modules:
        return  # to freeze again would keep for ever what a training before this one left to collect
    spared = [name for name in needless if name not in sys.modules]
    sys.modules.update({name: _stand_in(name) for name in spared})  # type: ignore[misc]  # None: an import fails
    gc.disable()
    try:
        import monai.bundle  # noqa: F401  # for those who import it next
    finally:
        for name in spared:
            del sys.modules[name]
        gc.freeze()
        gc.enable()


def _stand_in(name: str) -> ModuleType | None:
    if name not in FOR_A_CLASS:
        return None
    module = ModuleType(name)
    setattr(module, FOR_A_CLASS[name], type(FOR_A_CLASS[name], (), {}))
    return module

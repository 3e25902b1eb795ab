"""MONAI imported fast: without what it takes along where it is installed and no prediction needs."""

import gc
import sys
from collections.abc import Sequence

NEEDLESS = ("matplotlib", "matplotlib.pyplot", "pandas", "scipy.signal", "scipy.stats", "sklearn", "zarr")
"""No transform, network or inferer of the bundles' predictions uses them; MONAI takes what is missing for an extra."""


def import_monai(needless: Sequence[str] = ()) -> None:
    """Import `monai.bundle`, leaving out modules that MONAI holds for optional; once it is imported, nothing happens.

    Afterwards they can be imported again (an image may lie in a Zarr store), but MONAI goes on without them. What is
    imported stays, so the collector of garbage need not go through it while it grows.

    Args:
        needless: Names of modules; those that are imported already are kept.
    """
    if "monai.bundle" in sys.modules:
        return  # to freeze again would keep for ever what a training before this one left to collect
    spared = [name for name in needless if name not in sys.modules]
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]  # None: an import of it fails
    gc.disable()
    try:
        import monai.bundle  # noqa: F401  # for those who import it next
    finally:
        for name in spared:
            del sys.modules[name]
        gc.freeze()
        gc.enable()

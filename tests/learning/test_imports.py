"""What is left out while MONAI is imported can be imported afterwards."""

import subprocess
import sys

CODE = """
import gc, sys, warnings
from noisylabels.learning.imports import NEEDLESS, import_monai
import_monai(NEEDLESS)
needless = {"zarr", "scipy.stats", "pandas", "torch.distributed.optim", "sympy"}
assert not needless & {*sys.modules}, "imported though needless"
import monai.bundle, pandas, scipy.stats, zarr
with warnings.catch_warnings(action="ignore"):  # torch's own, of torch.jit.script
    import torch.distributed.optim
assert issubclass(torch.distributed.optim.ZeroRedundancyOptimizer, torch.optim.Optimizer)
assert gc.isenabled()
n_frozen = gc.get_freeze_count()
import_monai(["zarr"])
assert gc.get_freeze_count() == n_frozen, "a second import freezes nothing"
assert sys.modules["zarr"] is zarr, "what is imported is kept"
print("imported")
"""


def test_what_is_left_out_while_monai_is_imported_can_be_imported_afterwards() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "imported\n"), done.stderr

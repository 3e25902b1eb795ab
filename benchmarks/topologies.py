"""What a network's topology buys: score and time of five U-Nets on the same fields, steps and loss.

    noisylabels simulate screen --fields 120 --rows 256 --columns 340
    python -m benchmarks.topologies screen [--label_name truth] [--epochs 6]

Each is trained by the bundle with its defaults and one `network_def` in place of its own. Printed: pooled mean IoU on
the validation fields (best epoch), per class, and seconds of training relative to the first. Small events need a skip
at full resolution; the question is what it costs.
"""

import argparse
import json
import logging
import tempfile
import time
import warnings
from pathlib import Path

from noisylabels.learning import launcher

POOL = "noisylabels.learning.network.PoolUNet"
STOCK = {"channels": [16, 32, 64, 128], "strides": [2, 2, 2]}
FULL = {"channels": [16, 16, 32, 64, 128], "strides": [1, 2, 2, 2]}
TOPOLOGIES = {
    "UNet, skips from 1/2": {"_target_": "UNet", **STOCK, "num_res_units": 0, "norm": "INSTANCE"},
    "UNet, skips from 1/2, residual": {"_target_": "UNet", **STOCK, "num_res_units": 2, "norm": "BATCH"},
    "UNet, skips from 1/1, residual": {"_target_": "UNet", **FULL, "num_res_units": 2, "norm": "BATCH"},
    "PoolUNet": {"_target_": POOL, **STOCK, "num_res_units": 0, "norm": "BATCH"},
    "PoolUNet, residual": {"_target_": POOL, **STOCK, "num_res_units": 2, "norm": "BATCH"},
}


def main() -> None:
    """Train, and print."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--label_name", default="truth")
    parser.add_argument("--epochs", type=int, default=6)
    settings = parser.parse_args()
    first = None
    for name, topology in TOPOLOGIES.items():
        start = time.perf_counter()
        best = _train(topology, settings)
        seconds = time.perf_counter() - start
        first = first or seconds
        ious = ", ".join(f"{key.removeprefix('val_iou_')} {best[key]:.3f}" for key in best if key.startswith("val_iou"))
        print(f"{name:<32} mean IoU {best['val_mean_iou']:.3f} ({ious})  {seconds / first:5.2f} x time", flush=True)


def _train(topology: dict[str, object], settings: argparse.Namespace) -> dict[str, float]:
    network = {"spatial_dims": 2, "in_channels": "@n_channels", "out_channels": "$len(@class_names)", **topology}
    with tempfile.TemporaryDirectory() as folder:
        overrides = {
            "dataset_dir": str(settings.dataset),
            "label_name": settings.label_name,
            "num_epochs": settings.epochs,
            "network_def": network,
            "output_dir": folder,
        }
        launcher.run(launcher.plan_training("cdl", (), overrides))
        epochs = json.loads((Path(folder) / "metrics.json").read_text())
    scored = [{key: value or 0.0 for key, value in epoch.items()} for epoch in epochs]
    return max(scored, key=lambda epoch: epoch["val_mean_iou"])


if __name__ == "__main__":
    main()

"""Peak memory of `noisylabels predict` on growing fields: window by window, beside the whole field at once.

    python -m benchmarks.inference_memory [--sides 1024 2048 3072] [--json FILE]

Each prediction (read, normalise, pad, predict, write) runs in a process of its own, on the CPU, with one thread.
Printed: the most memory that the process held, less what it held for a field of 64 x 64, in all and by the pixel.
Windows of 1024 x 1024 are taken at every size here; `predict` takes them above 2048 x 2048 (`inferer::whole_px`).
"""

import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from benchmarks.ratios import Ratio, hand_over, option_parser
from noisylabels.data.images import write_image
from noisylabels.learning import launcher, models  # noqa: F401  imported before the fork, not in each process anew
from noisylabels.learning.launch import parse

WINDOWS, WHOLE = 1, 10**12
"""Most pixels of a field that is predicted whole: none, and any."""


def main() -> None:
    """Measure, and print."""
    parser = option_parser(__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 2048, 3072], help="of the square fields")
    settings = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_weights(root / "model.pt")
        least = _peak_mib(root, 64, WHOLE)
        print(f"{'field':<14}{'windows':>12}{'by the pixel':>14}{'whole':>12}{'by the pixel':>14}")
        ratios = [_measure(root, side, least) for side in settings.sides]
    hand_over(ratios, settings.json)


def _measure(root: Path, side: int, least: float) -> Ratio:
    windows, whole = (_peak_mib(root, side, whole_px) - least for whole_px in (WINDOWS, WHOLE))
    by_pixel = [f"{mib * 2**20 / side**2:.0f} bytes" for mib in (windows, whole)]
    print(f"{side} x {side:<7}{windows:>8.0f} MiB{by_pixel[0]:>14}{whole:>8.0f} MiB{by_pixel[1]:>14}")
    return Ratio(
        f"memory to predict a field of {side} x {side}: window by window",
        windows,
        "MiB",
        "",
        peer=whole,
        peer_name="the whole field at once",
    )


def _write_weights(path: Path) -> None:
    """Random weights of the bundle's network: memory does not mind."""
    launch = launcher.plan_prediction("cdl", (), {"dataset_dir": str(path.parent)})
    torch.save(parse(launch).get_parsed_content("network_def").state_dict(), path)


def _peak_mib(root: Path, side: int, whole_px: int) -> float:
    """Predict one field in a process of its own, and give the most memory that it held."""
    images = root / f"images{side}"
    if not images.is_dir():
        rng = np.random.default_rng(0)
        write_image(images / "f.ome.tif", rng.integers(100, 4096, (2, side, side)).astype(np.uint16))
    process = os.fork()
    if not process:
        _predict(root, images, whole_px)
    _, status, used = os.wait4(process, 0)
    if status:
        msg = f"A prediction must end by itself, got status {status}. Its error stands above."
        raise RuntimeError(msg)
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _predict(root: Path, images: Path, whole_px: int) -> None:
    status = 1
    try:
        given = {"dataset_dir": str(images), "output_dir": str(root / "out"), "ckpt_path": str(root / "model.pt")}
        launcher.run(launcher.plan_prediction("cdl", (), given | {"inferer::whole_px": whole_px, "device": "cpu"}))
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()

"""Kill trainings at random moments, start them again, and compare what comes out with trainings that nobody killed.

    python -m benchmarks.faults [--kills 50] [--seed 0] [--epochs 4] [--only robust_teacher ...]

Every preset of both bundles that trains, those with a second state (a teacher, a second network, a trigger's curves)
among them, and fine-tuning, on small fields with the smallest network. A kill is `SIGKILL` to a process that trains, up
to an epoch's time after it started, or after it saved its first or second epoch, as is drawn; the same command then
goes on, up to three kills a training. Presets take turns, so that all are hit. Printed, by preset: how many kills, how
many of them after the first whole epoch was saved, how many trainings
they hit, and how many of those ended with the same bytes: `model.pt`, `metrics.json`, and every tensor and number in
`last.pt`. The exit code is 1 unless all did.
"""

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from noisylabels.learning import launcher
from noisylabels.learning.checkpoints import load

SPLITS = ("training",) * 6 + ("validation",) * 2
SMALLEST = {"network_def::channels": [4, 8], "network_def::strides": [2], "network_def::num_res_units": 0}
KILLS_A_TRAINING = 3
EPOCHS_BEFORE = 3
"""A kill waits for 0, 1, or 2 epochs to be saved by the process it hits."""

CASES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "cdl": ("cdl", (), {}),
    "cdl sgd": ("cdl", ("sgd",), {}),
    "cdl paper": ("cdl", ("paper",), {}),
    "cdl resident": ("cdl", ("resident",), {}),
    "cdl memorisation": ("cdl", ("memorisation",), {}),
    "cdl robust_teacher": ("cdl", ("robust_teacher",), {"correction_start": 2}),
    "cdl robust_early": ("cdl", ("robust_early",), {}),
    "cdl robust_coteaching": ("cdl", ("robust_coteaching",), {}),
    "cdl robust_recalibrated": ("cdl", ("robust_recalibrated",), {}),
    "cdl robust_background": ("cdl", ("robust_background",), {}),
    "cdl robust_trusted": ("cdl", ("robust_trusted",), {"trusted_ids": ["f0", "f1"]}),
    "cdl robust_appearance": ("cdl", ("robust_appearance",), {}),
    "cdl robust_forward": ("cdl", ("robust_forward",), {}),
    "cdl robust_tloss": ("cdl", ("robust_tloss",), {}),
    "mdl": ("mdl", (), {}),
    "mdl fine-tuned": ("mdl", (), {"init": "start.pt"}),
}
"""What is trained: bundle, presets, settings."""


@dataclass
class Tally:
    """What came of one preset.

    Attributes:
        kills: How many of its trainings' processes were killed.
        after_an_epoch: Those that had saved an epoch before.
        trainings: How many trainings were hit and ended.
        same: How many of those ended with the same bytes.
    """

    kills: int = 0
    after_an_epoch: int = 0
    trainings: int = 0
    same: int = 0


def main() -> None:
    """Kill, go on, compare, and print."""
    settings = _settings()
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    names = [name for name in CASES if not settings.only or name in settings.only]
    tallies = {name: Tally() for name in names}
    dice = random.Random(settings.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_screen(root / "screen")
        whole = {name: _train_whole(name, root, settings.epochs) for name in names}
        turn = 0
        while sum(tally.kills for tally in tallies.values()) < settings.kills:
            name = names[turn % len(names)]
            _kill_and_go_on(name, root, settings.epochs, whole[name], dice, tallies[name])
            turn += 1
    _print(tallies, settings.epochs)
    sys.exit(any(tally.same < tally.trainings for tally in tallies.values()))


def _settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="at least so many in all")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--epochs", type=int, default=4, help="of a training")
    parser.add_argument("--only", nargs="+", choices=list(CASES), help="these alone")
    return parser.parse_args()


def _write_screen(root: Path) -> None:
    """Fields of 44 x 60 with squares of both classes; the label set misses a third of them, the truth none."""
    rng = np.random.default_rng(0)
    cases = []
    for number, split in enumerate(SPLITS):
        truth = np.zeros((44, 60), np.uint8)
        noisy = truth.copy()
        for index in range(18):
            row, column = rng.integers(0, (39, 55))
            square = np.s_[row : row + 5, column : column + 5]
            truth[square] = 1 + index % 2
            noisy[square] = 1 + index % 2 if index % 3 else 0
        image = rng.normal(200, 10, (2, 44, 60))
        for channel in range(2):
            image[channel] += 200 * (truth == 1 + channel) + 100 * (truth > 0)
        write_image(root / f"images/f{number}.ome.tif", image.astype(np.uint16))
        for name, label_map in {"cip": noisy, "corrected": truth, "truth": truth}.items():
            write_label_map(root / f"labels/{name}/f{number}.tif", label_map)
        cases.append(Case(f"f{number}", f"w{number // 2}", split, f"images/f{number}.ome.tif"))
    write_dataset(Dataset(root, ROSELLA, ("DsRed", "pHluorin"), cases=tuple(cases)), label_name="cip")


def _train_whole(name: str, root: Path, epochs: int) -> float:
    """Train once without a kill, and give the seconds that it took."""
    if CASES[name][2].get("init") and not (root / "start.pt").is_file():
        _finish("cdl", root, root / "start", 1)
        shutil.copy(root / "start/model.pt", root / "start.pt")
    began = time.monotonic()
    _finish(name, root, root / "whole" / name, epochs)
    return time.monotonic() - began


def _kill_and_go_on(name: str, root: Path, epochs: int, whole_s: float, dice: random.Random, tally: Tally) -> None:
    """Kill one training up to three times, let it end, and compare."""
    out = root / "killed"
    shutil.rmtree(out, ignore_errors=True)
    kills = 0
    for _ in range(KILLS_A_TRAINING):
        saved, delay_s = dice.randrange(EPOCHS_BEFORE), dice.uniform(0, whole_s / epochs)
        if not _kill(_start(name, root, out, epochs), out / "last.pt", saved=saved, delay_s=delay_s):
            break
        kills += 1
        tally.after_an_epoch += (out / "last.pt").is_file()
    else:
        _finish(name, root, out, epochs)
    tally.kills += kills
    if kills:
        tally.trainings += 1
        tally.same += _are_same(root / "whole" / name, out)


def _kill(process: int, checkpoint: Path, *, saved: int, delay_s: float) -> bool:
    """Kill a process some seconds after it saved so many epochs; False if it ended by itself before."""
    before = _when(checkpoint)
    give_up = time.monotonic() + delay_s
    while saved or time.monotonic() < give_up:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            _refuse_failure(status)
            return False
        if saved and _when(checkpoint) != before:
            before, saved, give_up = _when(checkpoint), saved - 1, time.monotonic() + delay_s
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status)


def _when(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _finish(name: str, root: Path, out: Path, epochs: int) -> None:
    _, status = os.waitpid(_start(name, root, out, epochs), 0)
    _refuse_failure(status)


def _refuse_failure(status: int) -> None:
    if status:
        msg = f"A training must end by itself or by a kill, got status {status}. Its error stands above."
        raise RuntimeError(msg)


def _start(name: str, root: Path, out: Path, epochs: int) -> int:
    """Train in a process of its own, which has all modules already: it is forked."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        bundle, presets, own = CASES[name]
        own = {key: str(root / value) if key == "init" else value for key, value in own.items()}
        label_name = "corrected" if bundle == "mdl" else "cip"
        given = {"dataset_dir": str(root / "screen"), "output_dir": str(out), "label_name": label_name}
        sizes = {"num_epochs": epochs, "batch_size": 4, "num_workers": 0, "device": "cpu"}
        small = {} if "paper" in presets else SMALLEST
        sys.stdout = sys.stderr
        launcher.run(launcher.plan_training(bundle, presets, given | sizes | small | own))
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _are_same(one: Path, other: Path) -> bool:
    if json.loads((one / "metrics.json").read_text()) != json.loads((other / "metrics.json").read_text()):
        return False
    return all(_is_equal(load(one / name), load(other / name)) for name in ("model.pt", "last.pt"))


def _is_equal(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_is_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    return one == other


def _print(tallies: Mapping[str, Tally], epochs: int) -> None:
    total = Tally(*(sum(getattr(tally, key) for tally in tallies.values()) for key in vars(Tally())))
    print(f"trainings of {epochs} epochs, killed and started again with the same command\n")
    print("| trained | kills | after the first epoch | trainings hit | ended with the same bytes |")
    print("|---|---|---|---|---|")
    for name, tally in [*tallies.items(), ("**all**", total)]:
        print(f"| {name} | {tally.kills} | {tally.after_an_epoch} | {tally.trainings} | {tally.same} |")


if __name__ == "__main__":
    main()

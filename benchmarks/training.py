"""How much of the hardware's speed the whole training loop keeps, and what it costs in memory.

    python -m benchmarks.training [--fields 96] [--rows 256] [--columns 340] [--batch_size 4] [--repeats 3]
                                  [--clock wall] [--preset resident]

Four things are timed in turn, in one process, on the same fields, network and loss:

- floor: forward, loss, backward and step alone, on batches that lie in memory already;
- loop: an epoch of the bundle's own trainer: reading from disk, random transforms, the step, metrics, handlers;
- loop in memory: the same on those batches, so without reading, transforms and loading processes;
- loop with noise: the loop, with label noise synthesised on the fly in every field.

Printed: milliseconds per field of each, their ratios (aims: the loop keeps at least 0.9 of the floor's speed; noise on
the fly costs less than 5 %), and the peak memory. Fields are loaded by as many workers as `train` would take, unless
--num_workers says otherwise; an epoch begins with an empty queue, so on a GPU take as many --fields as it will have.
"""

import argparse
import logging
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigWorkflow

from benchmarks.ratios import Ratio, divide, hand_over, option_parser
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA

# The paper's three kinds of errors, drawn anew for each field and epoch.
NOISE: dict[str, Any] = {
    "_target_": "noisylabels.noise.transforms.CorruptLabeld",
    "keys": "label",
    "id_key": "id",
    "fresh": True,
    "model": {"missed": {"rate": 0.2}, "misclassified": {"rate": 0.1}, "incomplete": {"rate": 0.2}},
}

BUNDLE = Path(__file__).parents[1] / "bundles" / "cdl"


def main() -> None:
    """Time, and print."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    settings = _settings()
    with tempfile.TemporaryDirectory() as folder:
        screen = _write_screen(Path(folder) / "screen", settings)
        plain = _workflow(screen, Path(folder) / "plain", settings, noise=False)
        noisy = None if settings.preset else _workflow(screen, Path(folder) / "noisy", settings, noise=True)
        ready = _workflow(screen, Path(folder) / "ready", settings, noise=False)
        batches = _batches_in_memory(plain)
        ready.trainer.data_loader = batches
        runs: dict[str, Callable[[], None]] = {
            "floor": lambda: _bare_epoch(plain, batches),
            "loop": lambda: _epoch(plain),
            "loop in memory": lambda: _epoch(ready),
        }
        if noisy is not None:
            runs["loop with noise"] = lambda: _epoch(noisy)
        seconds = _time_in_turn(runs, settings.repeats, settings.clock)
    print(f"{settings.fields} fields of {settings.rows} x {settings.columns}, batch {settings.batch_size}, ", end="")
    print(f"{plain.device.type}, {torch.get_num_threads()} threads, ", end="")
    print(f"medians of {settings.repeats} by {settings.clock} clock")
    print(f"peak memory      {_peak_mib(plain.device):8.0f} MiB")
    floor, loop, in_memory, *with_noise = (
        tuple(1000 * taken / settings.fields for taken in times) for times in seconds.values()
    )
    kept = divide(floor, loop)
    part = "" if -1 in plain.parser["patch_size"] else "{} x {} of ".format(*plain.parser["patch_size"])
    what = f"train on {part}{settings.rows} x {settings.columns}, batches of {settings.batch_size}"
    whole = Ratio(
        f"{what}: the whole loop",
        *(loop, "ms", settings.clock, None, "", floor, "forward, backward and step alone"),
        aim=f"floor / ours at least 0.90 (here {kept:.2f})",
        met=kept >= 0.9,
    )
    handled = Ratio(
        f"{what}: the loop on batches in memory",
        *(in_memory, "ms", settings.clock, None, "", floor, "forward, backward and step alone"),
    )
    corrupted = [
        Ratio(
            f"{what}: the loop with noise on the fly",
            *(noisy_loop, "ms", settings.clock, None, "", loop, "the loop without"),
            aim=f"less than 5 % more (here {divide(noisy_loop, loop) - 1:+.1%})",
            met=divide(noisy_loop, loop) < 1.05,
        )
        for noisy_loop in with_noise
    ]
    hand_over([whole, handled, *corrupted], settings.json)


def _settings() -> argparse.Namespace:
    parser = option_parser(__doc__)
    parser.add_argument("--fields", type=int, default=96)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--columns", type=int, default=340)
    parser.add_argument("--batch_size", type=int, default=4)
    parser.add_argument("--num_workers", type=int)
    parser.add_argument("--preset", help="of the bundle; noise on the fly is left out then")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: fair on a shared machine")
    return parser.parse_args()


def _write_screen(root: Path, settings: argparse.Namespace) -> Path:
    """Fields as full of events as a Rosella field is; what they show does not matter to a clock."""
    rng = np.random.default_rng(0)
    size = (settings.rows, settings.columns)
    cases = []
    for number in range(settings.fields + 1):
        label_map = np.zeros(size, np.uint8)
        for index in range(60):
            row, column = rng.integers(0, size[0] - 6), rng.integers(0, size[1] - 6)
            label_map[row : row + 6, column : column + 6] = 1 + index % 2
        image = (rng.normal(300, 20, (2, *size)) + 300 * (label_map > 0)).astype(np.uint16)
        write_image(root / f"images/f{number}.ome.tif", image)
        write_label_map(root / f"labels/cip/f{number}.tif", label_map)
        split = "training" if number < settings.fields else "validation"
        cases.append(Case(f"f{number}", f"f{number}", split, f"images/f{number}.ome.tif"))
    write_dataset(Dataset(root, ROSELLA, ("DsRed", "pHluorin"), cases=tuple(cases)), label_name="cip")
    return root


def _workflow(screen: Path, out: Path, settings: argparse.Namespace, *, noise: bool) -> ConfigWorkflow:
    workflow = ConfigWorkflow(
        config_file=[str(BUNDLE / f"configs/{name}.yaml") for name in ("train", settings.preset) if name],
        workflow_type="train",
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(screen),
        ckpt_dir=str(out),
        output_dir=str(out),
        batch_size=settings.batch_size,
        val_interval=10**6,  # training alone is timed
        **({} if settings.num_workers is None else {"num_workers": settings.num_workers}),
    )
    if noise:
        transforms = workflow.parser["train::preprocessing::transforms"]
        transforms.insert(1, NOISE)
    workflow.initialize()
    workflow.trainer.logger.disabled = True
    return workflow


def _batches_in_memory(workflow: ConfigWorkflow) -> list[dict[str, Any]]:
    loader = workflow.parser.get_parsed_content("train::dataloader")
    loader.sampler.set_epoch(1)
    device = workflow.device
    return [{**batch, "image": batch["image"].to(device), "label": batch["label"].to(device)} for batch in loader]


def _bare_epoch(workflow: ConfigWorkflow, batches: list[dict[str, Any]]) -> None:
    trainer = workflow.trainer
    trainer.network.train()
    for batch in batches:
        trainer.optimizer.zero_grad()
        trainer.loss_function(trainer.inferer(batch["image"], trainer.network), batch["label"]).backward()
        trainer.optimizer.step()


def _epoch(workflow: ConfigWorkflow) -> None:
    trainer = workflow.trainer
    trainer.state.max_epochs = trainer.state.epoch + 1
    trainer.run()


def _time_in_turn(runs: dict[str, Callable[[], None]], repeats: int, clock: str) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    now = time.perf_counter if clock == "wall" else time.process_time
    for round_ in range(repeats + 1):
        for name, run in runs.items():
            start = now()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if round_:  # the first round warms up
                seconds[name].append(now() - start)
    return seconds


def _peak_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()

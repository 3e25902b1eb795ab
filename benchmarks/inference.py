"""Milliseconds to predict a field, end to end and by the network alone, and which engine to use on a CPU.

    python -m benchmarks.inference [--fields 12] [--rows 512] [--columns 680] [--repeats 3] [--threads 1] [--json FILE]

Timed in turn, in one process, with the weights that come along, on simulated fields:

- floor: the bare network on fields that lie in memory, as PyTorch runs it;
- network alone: the same as each engine of `predict --engine` runs it, batch norms folded (those that are installed;
  PyTorch alone where there is a GPU);
- end to end: the bundle's inference with each: read, normalise, pad, predict, take the padding off, write the label map
  and the table of events.

Every engine's logits are compared with those of the bare network; the largest difference is printed, and how long an
engine takes once, to take over a network: end to end that is shared out among the fields.
"""

import argparse
import copy
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from monai.bundle import ConfigWorkflow

from benchmarks.ratios import LeftOut, Ratio, hand_over, missing, option_parser
from noisylabels.data.images import write_image
from noisylabels.learning.checkpoints import load_weights
from noisylabels.learning.inferer import FieldInferer
from noisylabels.simulation.field import simulate_field
from noisylabels.simulation.settings import SimulationSettings

BUNDLE = Path(__file__).parents[1] / "bundles" / "cdl"
NAMES = {"pytorch": "PyTorch", "onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def main() -> None:
    """Time, and print."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    settings = _settings()
    torch.set_num_threads(settings.threads)
    os.environ["OMP_NUM_THREADS"] = str(settings.threads)
    left_out = _left_out()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_fields(root / "images", settings)
        workflows = {engine: _workflow(root, engine) for engine in _engines(left_out)}
        plain = workflows["pytorch"]
        batches = [batch["image"].as_tensor() for batch in plain.parser.get_parsed_content("dataloader")]
        runs: dict[str, Callable[[], object]] = {"floor": lambda: [_forward(plain, batch) for batch in batches]}
        for engine, workflow in workflows.items():
            predict = _taken_over(workflow, engine, batches[0])
            runs[f"{NAMES[engine]} alone"] = lambda predict=predict: [predict(batch) for batch in batches]
            runs[f"end to end, {NAMES[engine]}"] = workflow.run
        seconds = _time_in_turn(runs, settings.repeats, settings.clock)
    size = f"{settings.rows} x {settings.columns}, {plain.device.type}, {settings.threads} thread(s)"
    measured = [_beside(name, seconds, size, settings) for name in seconds if name != "floor"]
    hand_over([*measured, *left_out], settings.json)


def _settings() -> argparse.Namespace:
    parser = option_parser(__doc__)
    parser.add_argument("--fields", type=int, default=12)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--columns", type=int, default=680)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: fair on a shared machine")
    return parser.parse_args()


def _write_fields(folder: Path, settings: argparse.Namespace) -> None:
    simulation = SimulationSettings.from_dict({"frame": {"rows": settings.rows, "columns": settings.columns}})
    for number in range(1, settings.fields + 1):
        write_image(folder / f"f{number}.ome.tif", simulate_field(simulation, seed=0, field=number).image)


def _workflow(root: Path, engine: str) -> ConfigWorkflow:
    workflow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs/inference.yaml"),
        workflow_type="infer",
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(root / "images"),
        output_dir=str(root / engine),
        engine=engine,
    )
    workflow.initialize()
    load_weights(workflow.network_def, str(BUNDLE / "models/model.pt"))
    return workflow


def _left_out() -> list[LeftOut]:
    # Which engine to use is a question of the CPU; a GPU is measured with PyTorch.
    if torch.cuda.is_available():
        return [LeftOut(NAMES[engine], "there is a GPU") for engine in ("onnx", "openvino")]
    engines = [missing("ONNX Runtime", "onnxruntime"), missing("OpenVINO", "openvino")]
    return [engine for engine in engines if engine is not None]


def _engines(left_out: list[LeftOut]) -> list[str]:
    lacking = {one.what for one in left_out}
    return [engine for engine, name in NAMES.items() if name not in lacking]


def _forward(workflow: ConfigWorkflow, batch: torch.Tensor) -> torch.Tensor:
    network = workflow.evaluator.network.eval()
    with torch.no_grad():
        return network(batch.to(workflow.device))


def _taken_over(workflow: ConfigWorkflow, engine: str, image: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Hand the network over to an engine; print how long that took and how far its logits are from the network's."""
    network, inferer = copy.deepcopy(workflow.network_def).eval(), FieldInferer(engine=engine)

    def predict(batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return inferer(batch.to(workflow.device), network)

    start = time.perf_counter()
    logits = predict(image)
    taken = time.perf_counter() - start
    difference = (logits - _forward(workflow, image)).abs().max()
    print(f"{NAMES[engine]:<14} first field after {taken:.1f} s, largest difference {difference:.1e}")
    return predict


def _time_in_turn(runs: dict[str, Callable[[], object]], repeats: int, clock: str) -> dict[str, list[float]]:
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


def _beside(name: str, seconds: dict[str, list[float]], size: str, settings: argparse.Namespace) -> Ratio:
    """Hold one way to predict against the bare network, round by round."""
    mine, floor = (tuple(1000 * taken / settings.fields for taken in seconds[one]) for one in (name, "floor"))
    what = f"predict a field of {size}: {name}"
    return Ratio(what, mine, "ms", settings.clock, floor=floor, floor_name="bare network, PyTorch")


if __name__ == "__main__":
    main()

"""Milliseconds to predict a field, end to end and by the bare network, and which engine to use on a CPU.

    python -m benchmarks.inference [--fields 6] [--rows 512] [--columns 680] [--repeats 3] [--threads 1] [--json FILE]

Timed in turn, in one process, with the same weights:

- floor: the bare network on fields that lie in memory, as PyTorch runs it;
- end to end: the bundle's inference: read, normalise, pad, predict, take the padding off, write the label map;
- engines, where there is no GPU: the same network as PyTorch, TorchScript, ONNX Runtime and OpenVINO (those that are
  installed) run it.

Every engine's logits are compared with PyTorch's; the largest difference is printed.
"""

import argparse
import copy
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import monai.bundle
import numpy as np
import torch
from monai.bundle import ConfigWorkflow

from benchmarks.ratios import LeftOut, Ratio, hand_over, missing, option_parser
from noisylabels.data.images import write_image
from noisylabels.learning.inferer import FieldInferer

BUNDLE = Path(__file__).parents[1] / "bundles" / "cdl"
Predict = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Time, and print."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    settings = _settings()
    torch.set_num_threads(settings.threads)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write_fields(root / "images", settings)
        workflow = _workflow(root)
        network = copy.deepcopy(workflow.network_def).eval().cpu()
        batches = [batch["image"].as_tensor() for batch in workflow.parser.get_parsed_content("dataloader")]
        # Which engine to use is a question of the CPU; a GPU is measured end to end.
        engines = _engines(network, root, settings.threads) if workflow.device.type == "cpu" else {}
        runs: dict[str, Callable[[], object]] = {
            "floor": lambda: [_forward(workflow, batch) for batch in batches],
            "end to end": workflow.run,
        }
        for name, predict in engines.items():
            runs[name] = lambda predict=predict: [predict(batch.numpy()) for batch in batches]
        seconds = _time_in_turn(runs, settings.repeats, settings.clock)
        if engines:
            _print_differences(engines, batches[0].numpy())
    size = f"{settings.rows} x {settings.columns}, {workflow.device.type}, {settings.threads} thread(s)"
    measured = [_beside(name, seconds, size, settings) for name in seconds if name != "floor"]
    left_out = _left_out() if engines else []
    hand_over([*measured, *left_out], settings.json)


def _settings() -> argparse.Namespace:
    parser = option_parser(__doc__)
    parser.add_argument("--fields", type=int, default=6)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--columns", type=int, default=680)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: fair on a shared machine")
    return parser.parse_args()


def _write_fields(folder: Path, settings: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    for number in range(settings.fields):
        image = rng.integers(100, 4096, (2, settings.rows, settings.columns)).astype(np.uint16)
        write_image(folder / f"f{number}.ome.tif", image)


def _workflow(root: Path) -> ConfigWorkflow:
    """The bundle's inference with random weights: a clock does not mind."""
    workflow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs/inference.yaml"),
        workflow_type="infer",
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(root / "images"),
        output_dir=str(root / "out"),
        ckpt_path=str(root / "model.pt"),
    )
    workflow.initialize()
    torch.save(workflow.network_def.state_dict(), root / "model.pt")
    return workflow


def _forward(workflow: ConfigWorkflow, batch: torch.Tensor) -> torch.Tensor:
    network = workflow.evaluator.network.eval()
    with torch.no_grad():
        return network(batch.to(workflow.device))


def _engines(network: torch.nn.Module, root: Path, threads: int) -> dict[str, Predict]:
    given = {
        "net_id": "network_def",
        "ckpt_file": str(root / "model.pt"),
        "meta_file": str(BUNDLE / "configs/metadata.json"),
        "config_file": str(BUNDLE / "configs/inference.yaml"),
        "bundle_root": str(BUNDLE),
    }
    monai.bundle.ckpt_export(filepath=str(root / "model.ts"), **given)
    inferer = FieldInferer()  # what `noisylabels predict` uses
    engines = {"PyTorch": _torch(network), "PyTorch, batch norms folded": _torch(lambda image: inferer(image, network))}
    engines |= {"TorchScript": _torch(torch.jit.load(root / "model.ts"))}
    left_out = [one.what for one in _left_out()]
    if len(left_out) < 2:
        path = _export(root, given)
        makers = {"ONNX Runtime": _onnxruntime, "OpenVINO": _openvino}
        engines |= {name: make(path, threads) for name, make in makers.items() if name not in left_out}
    return engines


def _left_out() -> list[LeftOut]:
    engines = [missing("ONNX Runtime", "onnxruntime"), missing("OpenVINO", "openvino")]
    return [engine for engine in engines if engine is not None]


def _export(root: Path, given: dict[str, str]) -> Path:
    axes = {0: "batch", 2: "x", 3: "y"}
    names = {"input_names": ["image"], "output_names": ["pred"], "dynamic_axes": {"image": axes, "pred": axes}}
    path = root / "model.onnx"
    monai.bundle.onnx_export(filepath=str(path), input_shape=[2, 2, 64, 80], converter_kwargs=names, **given)
    return path


def _torch(network: Callable[[torch.Tensor], torch.Tensor]) -> Predict:
    def predict(image: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(image)).numpy()

    return predict


def _onnxruntime(path: Path, threads: int) -> Predict:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def _openvino(path: Path, threads: int) -> Predict:
    import openvino

    # float32 throughout: the default may be bfloat16 on processors that have it.
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", settings)
    return lambda image: compiled(image)[0]


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


def _print_differences(engines: dict[str, Predict], image: np.ndarray) -> None:
    expected = engines["PyTorch"](image)
    for name, predict in engines.items():
        print(f"{name:<28} largest difference {np.abs(predict(image) - expected).max():.1e}")


def _beside(name: str, seconds: dict[str, list[float]], size: str, settings: argparse.Namespace) -> Ratio:
    """Hold one way to predict against the bare network, round by round."""
    mine, floor = (tuple(1000 * taken / settings.fields for taken in seconds[one]) for one in (name, "floor"))
    what = f"predict a field of {size}: {name}"
    return Ratio(what, mine, "ms", settings.clock, floor=floor, floor_name="bare network, PyTorch")


if __name__ == "__main__":
    main()

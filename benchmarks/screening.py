"""What screening costs beside the work it arranges. Every figure is a ratio measured in one run.

    OMP_NUM_THREADS=1 python -m benchmarks.screening              # all parts
    OMP_NUM_THREADS=1 python -m benchmarks.screening index linear # some
    OMP_NUM_THREADS=1 python -m benchmarks.screening --quick      # fewer fields in `linear` and `plate`

(As a module: as a file it would shadow the room of its name.)

index    a Harmony index of 6,912 planes, beside the standard library's parser going through the same file
network  fields a second end to end, beside the bare network on the same core
workers  two processes beside one
memory   peak memory at 100 and at 1,600 fields
linear   processor time per field of opening, working, status and resuming, at 100, 1,000 and 10,000 fields
measure  peak memory of `screen measure` at 100 and at 10,000 fields of 24 events
plate    a whole plate of 384 wells and 9 fields: run, status, measure
gpu      fields a second end to end on a GPU, beside the bare network; left out where there is none
"""

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile

from benchmarks.ratios import LeftOut, Ratio, hand_over, option_parser, take_over
from noisylabels.parallel import InProcess, LocalPool
from noisylabels.plates import open_plate
from noisylabels.screening.screen import Declaration, Screen, open_screen, start_screen

PATTERN = "{well}_f{field}_c{channel}.tif"
FULL = (512, 680)
HALF = (256, 344)
TILE = (24, 32)
SIZES = {100: (25, 4), 1000: (100, 10), 10_000: (500, 20)}  # fields: (wells, fields per well)
Measured = list[Ratio | LeftOut]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def write_plate(folder: Path, n_wells: int, n_fields: int, shape: tuple[int, int]) -> Path:
    """Noise with bright squares, two channels, from A01 on along rows of 24."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for well in range(n_wells):
        for field in range(1, n_fields + 1):
            for channel in (1, 2):
                name = f"{row_name(well // 24)}{well % 24 + 1:02d}_f{field}_c{channel}.tif"
                tifffile.imwrite(folder / name, draw_picture(rng, shape))
    return folder


def draw_picture(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Noise with a bright square for every 2,000 pixels."""
    picture = rng.normal(300, 8, shape)
    for _ in range(max(shape[0] * shape[1] // 2000, 1)):
        row, column = rng.integers(0, np.array(shape) - 4)
        picture[row : row + 4, column : column + 4] += 400
    return picture.astype(np.uint16)


def row_name(row: int) -> str:
    return chr(65 + row) if row < 26 else "A" + chr(65 + row - 26)


def begin(plate: Path, run: Path, method: dict[str, Any] | None = None, **settings: Any) -> Screen:
    declaration = Declaration(str(plate), method or {"kind": "threshold"}, pattern=PATTERN)
    return start_screen(run, declaration, **settings)


def work_off(screen: Screen, executor: Any = None, **settings: Any) -> int:
    outcomes = list(screen.run(executor or InProcess(), **settings))
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise RuntimeError(failed[0].message)
    return len(outcomes)


def part_index(folder: Path) -> Measured:
    channels = "".join(f"<Entry ChannelID='{c}'><ChannelName>c{c}</ChannelName></Entry>" for c in (1, 2))
    details = "".join(f"<Detail{n} Unit='m'>-0.000322907</Detail{n}>" for n in range(36))
    images = ""
    for row in range(1, 17):
        for column in range(1, 25):
            for field in range(1, 10):
                for channel in (1, 2):
                    images += (
                        f"<Image><id>x</id><State>Ok</State><URL>r{row}c{column}f{field}-ch{channel}.tiff</URL>"
                        f"<Row>{row}</Row><Col>{column}</Col><FieldID>{field}</FieldID><PlaneID>1</PlaneID>"
                        f"<TimepointID>0</TimepointID><ChannelID>{channel}</ChannelID>{details}</Image>"
                    )
    path = folder / "Images" / "Index.idx.xml"
    path.parent.mkdir()
    head = (
        "<EvaluationInputData xmlns='http://www.perkinelmer.com/PEHH/HarmonyV5'><Plates><Plate><Name>P</Name></Plate>"
    )
    path.write_text(f"{head}</Plates><Maps><Map>{channels}</Map></Maps><Images>{images}</Images></EvaluationInputData>")
    floor, _ = timed(lambda: sum(1 for _ in ElementTree.iterparse(path)))
    seconds, plate = timed(lambda: open_plate(folder))
    missing = sum(len(field.missing) for field in plate.fields)
    what = f"open a Harmony index of {missing} planes, {path.stat().st_size / 1e6:.0f} MB"
    return [Ratio(what, seconds, "s", "wall", floor=floor, floor_name="the standard library's unsafe parser alone")]


def random_bundle(folder: Path) -> dict[str, Any]:
    """The CDL bundle with random weights: the same arithmetic as with learnt ones."""
    import torch
    from monai.bundle import ConfigParser

    from noisylabels.learning.launch import find_bundle

    bundle = find_bundle("cdl")
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.yaml")
    parser["bundle_root"] = str(bundle)
    parser["device"] = "$torch.device('cpu')"
    torch.manual_seed(0)
    network = parser.get_parsed_content("network")
    lean_to_background(network)
    torch.save({"model": network.state_dict()}, folder / "model.pt")
    return {"kind": "bundle", "folder": str(bundle), "checkpoint": str(folder / "model.pt")}


def lean_to_background(network: Any) -> None:
    """Let background win in all but the 2 % of pixels a field of events has; else noise is an event at every pixel."""
    import torch

    from noisylabels.screening.networks import normalise

    image = normalise(draw_picture(np.random.default_rng(1), FULL)[None].repeat(2, axis=0))
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(image[None].swapaxes(2, 3).copy()))[0]
        lead = (logits[1:].amax(dim=0) - logits[0]).flatten()
        last = [parameter for name, parameter in network.named_parameters() if name.endswith("bias")][-1]
        last[0] += torch.quantile(lead, 0.98)


def bare_network(method: dict[str, Any], images: Sequence[np.ndarray], device: str, batch: int) -> float:
    """Seconds per field of the network alone, on tensors that are ready."""
    import torch
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(Path(method["folder"]) / "configs" / "inference.yaml")
    parser["bundle_root"], parser["device"] = method["folder"], f"$torch.device({device!r})"
    network = parser.get_parsed_content("network").eval()
    ready = torch.from_numpy(np.stack([image.swapaxes(1, 2) for image in images[:batch]]).astype(np.float32)).to(device)
    with torch.inference_mode():
        for _ in range(2):
            network(ready)
        begun = time.perf_counter()
        rounds = max(len(images) // batch, 1)
        for _ in range(rounds):
            network(ready)
        if device != "cpu":
            torch.cuda.synchronize()
    return (time.perf_counter() - begun) / (rounds * batch)


def part_network(folder: Path) -> Measured:
    core = sorted(os.sched_getaffinity(0))[0]
    os.sched_setaffinity(0, {core})  # network, reader and writers share one core: nothing is hidden on a second
    import torch

    torch.set_num_threads(1)
    method = random_bundle(folder)
    plate = write_plate(folder / "plate", 2, 5, FULL)
    images = [field.read() for field in open_plate(plate, pattern=PATTERN).fields]
    begin_and_warm(plate, folder, method)
    bare_before = bare_network(method, images, "cpu", 1)
    screen = begin(plate, folder / "run", method)
    seconds, n_fields = timed(lambda: work_off(screen, fields_per_task=10))
    bare = (bare_before + bare_network(method, images, "cpu", 1)) / 2
    events = sum(count["events"] for field in screen.fields for count in record_of(screen, field)["counts"].values())
    what = f"screen a field of {FULL[0]} x {FULL[1]} with {events / n_fields:.0f} events by a network, one core"
    return [Ratio(what, seconds / n_fields, "s", "wall", floor=bare, floor_name="bare network")]


def record_of(screen: Screen, field: Any) -> dict[str, Any]:
    record = screen.store.read_record(field)
    if record is None:
        raise RuntimeError(field.id)
    return record


def begin_and_warm(plate: Path, folder: Path, method: dict[str, Any]) -> None:
    """Load the model before the clock runs: a worker does that once, not per field."""
    screen = begin(plate, folder / "warm", method)
    outcomes = screen.run(InProcess(), fields_per_task=1)
    next(outcomes)


def part_workers(folder: Path) -> Measured:
    """Fields a second once every process has loaded its model, and the processor time that a field costs.

    On a machine that others use the first says little; the second tells whether two workers hinder each other.
    """
    method = random_bundle(folder)
    plate = write_plate(folder / "plate", 4, 8, HALF)
    rates, costs = {}, {}
    for workers in (1, 2):
        rates[workers], costs[workers] = pool_speed(plate, folder / f"run{workers}", method, workers)
    what = f"screen a field of {HALF[0]} x {HALF[1]}, two processes"
    return [
        Ratio(what, 1 / rates[2], "s", "wall", peer=1 / rates[1], peer_name="one process"),
        Ratio(what, costs[2], "s", "cpu", floor=costs[1], floor_name="one process"),
    ]


def pool_speed(plate: Path, run: Path, method: dict[str, Any], workers: int) -> tuple[float, float]:
    """Fields a second and processor seconds a field, from when all processes have begun to the last field."""
    screen = begin(plate, run, method)
    n_fields = sum(1 for _ in screen.fields)
    outcomes = screen.run(LocalPool(workers), fields_per_task=1)
    for _ in range(2 * workers):
        next(outcomes)
    begun, before = time.perf_counter(), children_seconds()
    left = n_fields - 2 * workers
    for _ in range(left):
        next(outcomes)
    seconds, spent = time.perf_counter() - begun, children_seconds() - before
    list(outcomes)
    return left / seconds, spent / left


def children_seconds() -> float:
    """Processor seconds of the living worker processes."""
    total = 0
    for process in multiprocessing.active_children():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])  # user and system ticks
    return total / os.sysconf("SC_CLK_TCK")


def part_memory(folder: Path) -> Measured:
    peaks = {}
    for n_wells in (25, 400):
        plate = write_plate(folder / f"plate{n_wells}", n_wells, 4, TILE)
        code = "from benchmarks.screening import child; import sys; child(*sys.argv[1:])"
        words = [sys.executable, "-c", code, str(plate), str(folder / f"run{n_wells}")]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
        peaks[4 * n_wells] = int(done.stdout)
    (few, low), (many, high) = peaks.items()
    what = f"peak memory of screening {many} fields"
    return [Ratio(what, high / 1024, "MiB", "", floor=low / 1024, floor_name=f"{few} fields")]


def child(plate: str, run: str) -> None:
    work_off(begin(Path(plate), Path(run)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def processor(work: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Seconds of processor time, the least of some repeats: other programs on the machine count little."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        answer = work()
        taken.append(time.process_time() - begun)
    return min(taken), answer


def part_linear(folder: Path, *, quick: bool = False) -> Measured:
    costs: dict[int, dict[str, float]] = {}
    for n_fields, (n_wells, per_well) in SIZES.items():
        if quick and n_fields > 1000:
            continue
        plate = write_plate(folder / f"plate{n_fields}", n_wells, per_well, TILE)
        run = folder / f"run{n_fields}"
        screen = begin(plate, run)
        opening, _ = processor(lambda plate=plate: list(open_plate(plate, pattern=PATTERN).fields), 3)
        planning, _ = processor(screen.count_states, 3)
        working, done = processor(lambda screen=screen: work_off(screen))
        status, counts = processor(lambda run=run: open_screen(run).count_states(), 3)
        resuming, again = processor(lambda screen=screen: work_off(screen), 3)
        if (done, counts["done"], again) != (n_fields, n_fields, 0):
            raise RuntimeError(counts)
        steps = {"open": opening, "plan": planning, "work": working, "status": status, "resume": resuming}
        costs[n_fields] = {name: 1000 * seconds / n_fields for name, seconds in steps.items()}
        listed = ", ".join(f"{name} {cost:.3f}" for name, cost in costs[n_fields].items())
        print(f"linear: {n_fields} fields, processor ms per field: {listed}")
    few, many = min(costs), max(costs)
    return [
        Ratio(f"cost per field of {many}: {name}", cost, "ms", "cpu", floor=costs[few][name], floor_name=f"of {few}")
        for name, cost in costs[many].items()
    ]


def part_measure(folder: Path) -> Measured:
    """Memory of the command, which reads the results of one field after the other; the fields are all one."""
    peaks = {}
    for n_fields in (100, 10_000):
        n_wells, per_well = SIZES[n_fields]
        plate = repeat_field(folder / f"plate{n_fields}", n_wells, per_well)
        run = folder / f"run{n_fields}"
        work_off(begin(plate, run))
        code = "import resource; from noisylabels.cli import _dispatch; import sys; _dispatch(sys.argv[1:]); "
        code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        words = [sys.executable, "-c", code, "screen", "measure", str(run), "--json"]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
        peaks[n_fields] = int(told[-1])
        print(f"measure: {told[0]}")
    (few, low), (many, high) = peaks.items()
    what = f"peak memory of measuring {many} fields"
    return [Ratio(what, high / 1024, "MiB", "", floor=low / 1024, floor_name=f"{few} fields")]


def repeat_field(folder: Path, n_wells: int, n_fields: int) -> Path:
    """A plate whose fields are links to one field of 24 squares."""
    folder.mkdir(parents=True)
    picture = np.random.default_rng(0).normal(300, 8, (64, 96))
    for number in range(24):
        row, column = 4 + 14 * (number // 6), 4 + 15 * (number % 6)
        picture[row : row + 4, column : column + 4] += 400
    tifffile.imwrite(folder / "one", picture.astype(np.uint16))
    for well in range(n_wells):
        for field in range(1, n_fields + 1):
            for channel in (1, 2):
                name = f"{row_name(well // 24)}{well % 24 + 1:02d}_f{field}_c{channel}.tif"
                os.link(folder / "one", folder / name)
    (folder / "one").unlink()
    return folder


def part_plate(folder: Path, *, quick: bool = False) -> Measured:
    from noisylabels.screening.measurements import measure_screen
    from noisylabels.screening.report import write_report

    plate = write_plate(folder / "plate", 96 if quick else 384, 9, TILE)
    opening, screen = timed(lambda: begin(plate, folder / "run"))
    working, n_fields = timed(lambda: work_off(screen, LocalPool(2), fields_per_task=32))
    status, counts = timed(screen.count_states)
    measuring, tables = timed(lambda: measure_screen(screen, folder / "run" / "measurements"))
    reporting, (report, _) = timed(lambda: write_report(screen, tables, folder / "run" / "measurements"))
    print(f"plate: {tables.n_events} events, {counts}, report of {report.stat().st_size / 1e6:.1f} MB")
    steps = {"open": opening, "run with two processes": working, "status": status}
    steps |= {"measure": measuring, "report": reporting}
    what = f"plate of {len(tables.wells)} wells, {n_fields} fields of {TILE[0]} x {TILE[1]}"
    return [Ratio(f"{what}: {name}", seconds, "s", "wall") for name, seconds in steps.items()]


def part_gpu(folder: Path) -> Measured:
    import torch

    if not torch.cuda.is_available():
        return [LeftOut("screening on a GPU", "PyTorch finds none here")]
    method = {**random_bundle(folder), "device": "cuda"}
    plate = write_plate(folder / "plate", 24, 8, FULL)
    images = [field.read() for field in open_plate(plate, pattern=PATTERN).fields]
    print(f"gpu: {torch.cuda.get_device_name()}")
    results, measured = {}, []
    for batch in (1, 16):
        bare = bare_network(method, images, "cuda", batch)
        warm = begin(plate, folder / f"warm{batch}", method, batch_size=batch)
        next(warm.run(InProcess(), fields_per_task=batch))
        screen = begin(plate, folder / f"run{batch}", method, batch_size=batch)
        seconds, n_fields = timed(lambda screen=screen: work_off(screen, fields_per_task=192))
        results[batch] = [screen.store.path(field, ".tif").read_bytes() for field in screen.fields]
        what, floor = f"screen a field of {FULL[0]} x {FULL[1]} on a GPU, batches of {batch}", 1000 * bare
        ours = 1000 * seconds / n_fields
        measured.append(Ratio(what, ours, "ms", "wall", floor=floor, floor_name="bare network"))
        for workers in (4, 8):
            pooled = replace(begin(plate, folder / f"pool{batch}-{workers}", method, batch_size=batch))
            outcomes = pooled.run(LocalPool(workers), fields_per_task=batch if batch > 1 else 4)
            for _ in range(workers * max(batch, 4) if batch * workers < 96 else workers):
                next(outcomes)
            seconds, left = timed(lambda todo=outcomes: len(list(todo)))
            print(f"gpu: batch {batch}, {workers} processes on the one GPU: {left / seconds:.1f} fields/s")
    same = sum(one == other for one, other in zip(*results.values(), strict=True))
    print(f"gpu: {same} of {len(results[1])} label maps are byte for byte the same with batches of 1 and 16")
    return measured


PARTS: dict[str, Callable[..., Measured]] = {
    "index": part_index,
    "network": part_network,
    "workers": part_workers,
    "memory": part_memory,
    "linear": part_linear,
    "measure": part_measure,
    "plate": part_plate,
    "gpu": part_gpu,
}


QUICKER = ("linear", "plate")


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - set(PARTS)):
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as folder:
        if len(options.parts) == 1:
            (name,) = options.parts
            settings = {"quick": options.quick} if name in QUICKER else {}
            measured = PARTS[name](Path(folder), **settings)
        else:
            measured = [one for name in options.parts or PARTS for one in measure(name, Path(folder), options.quick)]
            print()
    hand_over(measured, options.json)


def measure(name: str, folder: Path, quick: bool) -> Measured:
    """Run a part in a process of its own: one pins its core, another counts its memory."""
    words = [sys.executable, "-m", "benchmarks.screening", name, "--json", str(folder / name)]
    subprocess.run(words + ["--quick"] * quick, check=True)
    return take_over(folder / name)


if __name__ == "__main__":
    main()

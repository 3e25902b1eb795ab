"""What a stroke costs at the desk, beside the same bytes written and flushed alone; and how fast a large project opens.

    OMP_NUM_THREADS=1 python -m benchmarks.desk [FOLDER] [--json FILE]

(As a module: as a file it would find benchmarks/annotation.py in the place of the room of that name.)

The peer is what most tools do: the label map as a compressed TIFF, written beside its place and renamed. The floor is
one flush of the compressed bytes (`write` and `fsync`), which no way of keeping a stroke avoids. All three in the same
folder (the system's temporary one by default), the same strokes, interleaved, in one run; medians.

Predictions are asked of a server process over HTTP, as the page does, on fields of 256 x 340 with CDL's network (random
weights: a clock does not mind): in the moment the server is there, when it has loaded its network, for another field,
and again for the same one.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.ratios import Ratio, hand_over, option_parser
from noisylabels.annotation.fields import create_project
from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import pack
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import owner_of
from noisylabels.data.dataset import Case, Dataset, write_dataset
from noisylabels.data.images import write_image, write_label_map
from noisylabels.data.labels import ROSELLA
from tests.annotation.desks import make_dataset
from tests.annotation.test_faults import Page, Server

N_STROKES = 60
N_FIELDS = 4000


def main() -> None:
    parser = option_parser(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where to write; the system's temporary one by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        sizes = ((512, 680), (2160, 2160))
        measured = [time_strokes(folder / f"{rows}", rows, columns) for rows, columns in sizes]
        hand_over([*measured, time_opening(folder / "large"), *time_predictions(folder / "network")], options.json)


def make_project(folder: Path, rows: int, columns: int) -> Project:
    image = np.random.default_rng(0).integers(100, 4000, (2, rows, columns)).astype(np.uint16)
    write_image(folder / "data/images/a.ome.tif", image)
    case = Case("a", "a", "training", "images/a.ome.tif")
    write_dataset(Dataset(folder / "data", ROSELLA, ("DsRed", "pHluorin"), None, (case,)))
    create_project(folder / "a.desk", folder / "data")
    return Project(folder / "a.desk")


def time_strokes(folder: Path, rows: int, columns: int) -> Ratio:
    """Time strokes on a field with a few dozen events."""
    with make_project(folder, rows, columns) as project:
        session = Session(project, owner_of(project))
        task = session.next()
        revision = session.head(task).revision
        times: dict[str, list[float]] = {"ours": [], "peer": [], "floor": []}
        for label_map in strokes(rows, columns):
            kept = pack(label_map)
            times["floor"].append(seconds(lambda kept=kept: flush(folder / "floor", kept)))
            times["peer"].append(seconds(lambda lm=label_map: write_label_map(folder / "peer.tif", lm)))
            start = time.perf_counter()
            revision = session.commit(task, label_map, parent=revision, tool="brush").revision
            times["ours"].append(time.perf_counter() - start)
        ours, peer, floor = (1000 * float(np.median(times[name])) for name in ("ours", "peer", "floor"))
        size = len(kept)
    print(f"{rows} x {columns}: kept per stroke {size} bytes")
    what = f"one stroke on {rows} x {columns}, kept"
    return Ratio(what, ours, "ms", "wall", peer, "compressed TIFF", floor, "flush alone")


def strokes(rows: int, columns: int) -> list[np.ndarray]:
    rng, label_map, painted = np.random.default_rng(1), np.zeros((rows, columns), np.uint8), []
    for _ in range(N_STROKES):
        row, column = rng.integers(rows - 9), rng.integers(columns - 9)
        label_map = label_map.copy()
        label_map[row : row + 9, column : column + 9] = rng.integers(1, 3)
        painted.append(label_map)
    return painted


def flush(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def time_opening(folder: Path) -> Ratio:
    """Time the opening of a project of 4,000 fields, up to the first task on the screen."""
    with make_project(folder, 512, 680) as project:
        same = "case_id, parent, plate, well, image_sha256, row_min, column_min, row_max, column_max"
        with project.writing() as connection:
            connection.executemany(
                f"INSERT INTO field SELECT ?, ?, {same}, ? FROM field WHERE id = 1",
                [(number, f"f{number}", number / (N_FIELDS + 1)) for number in range(2, N_FIELDS + 1)],
            )

    def open_project() -> None:
        with Project(folder / "a.desk") as project:
            session = Session(project, owner_of(project))
            task = session.next()
            session.label_map(task)
            session.planes(task)

    taken = [seconds(open_project) for _ in range(5)]
    return Ratio(f"open a project of {N_FIELDS} fields and read its next task", float(np.median(taken)), "s", "wall")


def time_predictions(folder: Path) -> list[Ratio]:
    """Time predictions from the click to the new revision: the server asked anew every 50 ms."""
    make_dataset(folder / "data", 2, size=(256, 340))
    create_project(folder / "a.desk", folder / "data")
    write_weights(folder / "model.pt")
    server = Server(folder / "a.desk")
    server.words += ["--bundle", f"cdl={folder / 'model.pt'}"]
    with server.running():
        page = Page(server, folder / "a.desk", "owner")
        page.enter()
        tasks = [page.post("/api/tasks", field=f"B0{number}_f1").json()["task"] for number in (1, 2)]
        clicks = [seconds(lambda task=task: predict(page, task)) for task in (tasks[0], tasks[1], tasks[1])]
        page.client.close()
    names = ("while the server loads its network", "of another field", "again of the same field")
    aims = (5.0, 1.5, 1.5)
    return [
        Ratio(f"click on Predict, 256 x 340, {name}", taken, "s", "wall", aim=f"under {aim} s", met=taken < aim)
        for name, taken, aim in zip(names, clicks, aims, strict=True)
    ]


def predict(page: Page, task: dict[str, object]) -> None:
    """Ask for a prediction and wait for it."""
    path = f"/api/tasks/{task['task']}"
    head = page.client.get(path).json()["revision"]
    job = page.post(f"{path}/predict", bundle="cdl", revision=head, region=None).json()
    while job["state"] == "running":
        time.sleep(0.05)
        job = page.client.get(f"/api/jobs/{job['job']}").json()
    assert job["state"] == "done", job["error"]


def write_weights(path: Path) -> None:
    """Write random weights of CDL's network."""
    import torch
    from monai.bundle import ConfigParser

    from noisylabels.learning.launch import find_bundle

    parser = ConfigParser(ConfigParser.load_config_files([str(find_bundle("cdl") / "configs/inference.yaml")]))
    parser["bundle_root"] = str(find_bundle("cdl"))
    torch.save(parser.get_parsed_content("network").state_dict(), path)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

"""What a stroke costs at the desk, beside the same bytes written and flushed alone; and how fast a large project opens.

    OMP_NUM_THREADS=1 python benchmarks/desk.py [FOLDER]

The peer is what most tools do: the label map as a compressed TIFF, written beside its place and renamed. The floor is
one flush of the compressed bytes (`write` and `fsync`), which no way of keeping a stroke avoids. All three in the same
folder (the system's temporary one by default), the same strokes, interleaved, in one run; medians.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from annotation.fields import create_project
from annotation.people import owner_of
from annotation.project import Project
from annotation.revisions import pack
from annotation.session import Session
from imaging.dataset import Case, Dataset, write_dataset
from imaging.files import write_image, write_label_map
from noisylabels.labels import ROSELLA

N_STROKES = 60
N_FIELDS = 4000


def main(folder: Path) -> None:
    for rows, columns in ((512, 680), (2160, 2160)):
        print_strokes(folder / f"{rows}", rows, columns)
    print_opening(folder / "large")


def make_project(folder: Path, rows: int, columns: int) -> Project:
    image = np.random.default_rng(0).integers(100, 4000, (2, rows, columns)).astype(np.uint16)
    write_image(folder / "data/images/a.ome.tif", image)
    case = Case("a", "a", "training", "images/a.ome.tif")
    write_dataset(Dataset(folder / "data", ROSELLA, ("DsRed", "pHluorin"), None, (case,)))
    create_project(folder / "a.desk", folder / "data")
    return Project(folder / "a.desk")


def print_strokes(folder: Path, rows: int, columns: int) -> None:
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
    print(f"one stroke on {rows} x {columns}: ours {ours:.1f} ms, TIFF {peer:.1f} ms, flush alone {floor:.1f} ms")
    print(f"  ours / TIFF {ours / peer:.2f}, ours / flush {ours / floor:.2f}; kept per stroke {size} bytes")


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


def print_opening(folder: Path) -> None:
    """Time the opening of a project of 4,000 fields, up to the first task on the screen."""
    with make_project(folder, 512, 680) as project:
        row = tuple(project.row("SELECT * FROM field"))
        with project.writing() as connection:
            connection.executemany(
                "INSERT INTO field VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(number, f"f{number}", *row[2:8], number / (N_FIELDS + 1)) for number in range(2, N_FIELDS + 1)],
            )

    def open_project() -> None:
        with Project(folder / "a.desk") as project:
            session = Session(project, owner_of(project))
            task = session.next()
            session.label_map(task)
            session.planes(task)

    taken = [seconds(open_project) for _ in range(5)]
    print(f"open a project of {N_FIELDS} fields and read its next task: {np.median(taken):.3f} s")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))

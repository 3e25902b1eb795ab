"""Methods and plates for tests of what can go wrong: importable by name, so that fresh processes find them."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from noisylabels.data.arrays import Image
from noisylabels.data.labels import ROSELLA
from noisylabels.plates import Plate, open_plate
from noisylabels.screening.job import Job
from noisylabels.screening.methods import Predict
from noisylabels.screening.screen import Declaration, Screen
from noisylabels.screening.store import Store

PATTERN = "{well}_f{field}_c{channel}.tif"
CLASS_COUNTS = 1000  # counts per class index in the first channel of a drawn plate


@dataclass(frozen=True)
class Drawn:
    """Read the label map off the first channel: what is drawn is what is found.

    Args:
        name: Name of the method.
        delay_s: How long each field takes.
        victim: Counts of the first pixel of the second channel that make this method end its process.
        once: A file that is made before the process ends; while it is there, nothing ends. Empty: always ends.
        fails: Counts of that pixel that make this method raise an error.
        log: A folder in which each loading of the method and each run of a field leaves a file.
    """

    name: str = "drawn"
    delay_s: float = 0.0
    victim: int = -1
    once: str = ""
    fails: int = -1
    log: str = ""
    z: str = "max"

    classes = ROSELLA
    needs_counts = False

    def fingerprint(self) -> str:
        """Faults do not change the pixels, so the undisturbed run has the same key."""
        return f"drawn {self.name}"

    def load(self) -> Predict:
        """Give the function."""
        if self.log:
            (Path(self.log) / f"load-{os.getpid()}-{os.environ['OMP_NUM_THREADS']}").touch()
        return lambda images: self._predict(images)

    def _predict(self, images: Sequence[Image]) -> list[np.ndarray]:
        return [self._one(image) for image in images]

    def _one(self, image: Image) -> np.ndarray:
        mark = int(image[1, 0, 0])
        if self.log:
            (Path(self.log) / f"{mark}-{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(self.delay_s)
        if mark == self.fails:
            msg = f"no answer for {mark}"
            raise ArithmeticError(msg)
        if mark == self.victim and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return (image[0] // CLASS_COUNTS).astype(np.uint8)


def write_plate(folder: Path, pictures: dict[tuple[str, int], np.ndarray]) -> Plate:
    """Write label maps as a plate: the first channel is class index times 1000, the second numbers the fields."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, ((well, field), picture) in enumerate(pictures.items()):
        tifffile.imwrite(folder / f"{well}_f{field}_c1.tif", picture.astype(np.uint16) * CLASS_COUNTS)
        tifffile.imwrite(folder / f"{well}_f{field}_c2.tif", np.full(picture.shape, 100 + number, np.uint16))
    return open_plate(folder, pattern=PATTERN)


def random_pictures(
    n_wells: int, n_fields: int, shape: tuple[int, int] = (24, 32)
) -> dict[tuple[str, int], np.ndarray]:
    """Draw up to four squares of both classes, different in every field."""
    rng = np.random.default_rng(7)
    pictures = {}
    for well in range(n_wells):
        for field in range(1, n_fields + 1):
            picture = np.zeros(shape, np.uint8)
            for index in rng.integers(1, 3, rng.integers(0, 5)):
                row, column = rng.integers(0, np.array(shape) - 4)
                picture[row : row + 3, column : column + 4] = index
            pictures[f"{chr(65 + well // 24)}{well % 24 + 1:02d}", field] = picture
    return pictures


def screen_of(plate: Plate, folder: Path, method: Drawn, **settings: object) -> Screen:
    """Make a run without going through the command line."""
    declaration = Declaration(str(plate.folder), {"kind": "drawn"}, pattern=PATTERN)
    store = Store(folder)
    store.declare(declaration.to_dict())
    return Screen(declaration, (plate,), Job.of(method, **settings), store)


def read_results(folder: Path) -> dict[str, bytes]:
    """Read the label maps and event tables of a run; a kill may leave a temporary file, which is never a result."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.name.endswith((".tif", ".events.parquet")) and not path.name.startswith(".writing-")
    }


def leftovers(folder: Path) -> list[Path]:
    """Find temporary files that a kill left behind."""
    return list(folder.rglob(".writing-*"))

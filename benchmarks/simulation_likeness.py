"""The simulator beside an independent simulation: pictures, truth, and what one pipeline makes of both.

    OMP_NUM_THREADS=1 python -m benchmarks.simulation_likeness ../shared/data/sim_rosella

Both sets are quarters of 340 x 256 pixels with the truth of the middle plane. The pipeline is `noisylabels.cip`
with its defaults, on single planes. Ours are untreated wells of several plates; theirs come from other code.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi

from noisylabels.cip import segment_field
from noisylabels.data.events import EIGHT_CONNECTED
from noisylabels.data.images import read_image, read_label_map
from noisylabels.simulation import SimulationSettings, simulate_field

NAMES = {1: "phagophore", 4: "autolysosome"}


def describe(image: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Numbers of one quarter: counts of the picture, frequencies of the truth, the pipeline's answer."""
    cells = (truth == 0) & (image[1] > 250)
    numbers = {"cytosol, pHluorin / DsRed": float(np.median(image[1][cells] / image[0][cells]))}
    for name, channel in zip(("DsRed", "pHluorin"), image, strict=True):
        for percent in (50, 99, 99.9):
            numbers[f"{name}, {percent} % quantile (counts)"] = float(np.percentile(channel, percent))
    found = segment_field(image).label_map
    for index, name in NAMES.items():
        pieces, n_pieces = ndi.label(truth == index, EIGHT_CONNECTED)
        numbers[f"{name}, truth (share of pixels)"] = float((truth == index).mean())
        numbers[f"{name}, events in the plane"] = n_pieces
        numbers[f"{name}, median area (px)"] = float(np.median(np.bincount(pieces.ravel())[1:])) if n_pieces else np.nan
        numbers[f"{name}, CIP (share of pixels)"] = float((found == index).mean())
        touched = ndi.maximum(found > 0, pieces, range(1, n_pieces + 1)) if n_pieces else [np.nan]
        numbers[f"{name}, missed by the CIP (rate)"] = 1 - float(np.mean(touched))
    return numbers


def ours(n_fields: int) -> list[dict[str, float]]:
    settings = SimulationSettings.from_dict({"frame": {"rows": 256, "columns": 340}})
    fields = [simulate_field(settings, seed=i // 4, well="BCDEFG"[i % 6] + "05", field=i) for i in range(n_fields)]
    return [describe(field.image, field.label_map) for field in fields]


def theirs(folder: Path) -> list[dict[str, float]]:
    paths = sorted((folder / "images").glob("*.tif"))
    # Their channels are pHluorin, DsRed; ours the other way round.
    return [describe(read_image(path)[::-1], read_label_map(folder / "truth" / f"{path.stem}.png")) for path in paths]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/sim_rosella")
    independent = theirs(folder)
    simulated = ours(len(independent))
    print(f"| mean over {len(independent)} quarters | ours | independent |\n|---|---|---|")
    for name in simulated[0]:
        pair = [np.nanmean([numbers[name] for numbers in rows]) for rows in (simulated, independent)]
        print(f"| {name} | {pair[0]:.4g} | {pair[1]:.4g} |")


if __name__ == "__main__":
    main()

"""Real experts: each one's errors against the fused truth, and the same table from labels made again by the profile.

    python -m benchmarks.experts ../shared/data/multirater_cfos [--labs lab-wue1 ...] [--csv FILE]

For every expert of every laboratory of Segebarth et al. 2020 (doi:10.7554/eLife.59780): calibrate a profile on all of
the expert's fields, corrupt the fused truth with it, measure that in the same way. Printed as Markdown: observed
numbers with 95 % bootstrap intervals over fields, the synthetic ones below, and how many of the synthetic lie inside.
"""

import argparse
import csv
import io
import sys
from pathlib import Path

import numpy as np
from skimage.io import imread

from noisylabels.data.atomic import write_text
from noisylabels.data.labels import ClassTable
from noisylabels.noise.calibration import Comparison, compare_field, make_profile
from noisylabels.noise.calibration.synthesis import synthesise

CLASSES = ClassTable(("background", "cell"))
FEATURES = ("contrast", "area")
N_RESAMPLES = 300
HEADS = (
    "missed %", "extra % of own", "IoU", "area ratio", "10 %", "90 %", "centroid shift px",
    *(f"missed %, contrast quarter {quarter}" for quarter in range(1, 5)),
    *(f"missed %, size quarter {quarter}" for quarter in range(1, 5)),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labs", nargs="*")
    parser.add_argument("--csv", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"{options.folder} must be the folder multirater_cfos, but it does not exist. Give its path.")
    table = [["lab / expert", "events", *HEADS]]
    print("| " + " | ".join(table[0]) + " |\n" + "|---" * len(table[0]) + "|")
    inside, overlapping = [], []
    for lab, expert in experts_of(options.folder):
        if not options.labs or lab in options.labs:
            rows, *agreed = report(options.folder, lab, expert)
            for row in rows:
                print("| " + " | ".join(row) + " |", flush=True)
            table += rows
            inside.append(agreed[0])
            overlapping.append(agreed[1])
    if options.csv:
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(table)
        write_text(options.csv, lines.getvalue())
    good = np.array(inside)
    print(f"\nOf {good.size} synthetic numbers, {good.sum()} lie inside the observed interval (* = outside);", end=" ")
    print(f"of {np.sum(overlapping)} the intervals overlap. Outside, by column:")
    for head, wrong in zip(HEADS, (~good).sum(0), strict=True):
        print(f"- {head}: {wrong} of {len(good)}")


def experts_of(folder: Path) -> list[tuple[str, str]]:
    """List the (laboratory, expert) pairs there are."""
    names = [entry.name for entry in sorted((folder / "labels").glob("expert_*"))]
    return sorted(
        {(path.name.rsplit("_", 1)[0], name) for name in names for path in (folder / "labels" / name).iterdir()}
    )


def report(folder: Path, lab: str, expert: str) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
    """Measure one expert: two rows, and which synthetic numbers lie inside the observed interval or overlap it."""
    fields = read_fields(folder, lab, expert)
    seen = [compare_field(weak, truth, image, classes=CLASSES, features=FEATURES) for weak, truth, image in fields]
    model = synthesise(make_profile(seen, CLASSES, FEATURES, n_resamples=0))
    made = []
    for index, (_, truth, image) in enumerate(fields):
        noisy = model.apply(truth, image, image_id=f"{lab}-{index}").label_map
        made.append(compare_field(noisy, truth, image, classes=CLASSES, features=FEATURES))
    (low, high), (made_low, made_high) = interval(seen), interval(made)
    observed, synthetic = numbers(seen), numbers(made)
    inside = (synthetic >= low) & (synthetic <= high)
    marks = np.where(inside, "", " *")
    cells = [f"{value:.3g} [{a:.3g}, {b:.3g}]" for value, a, b in zip(observed, low, high, strict=True)]
    again = [f"{value:.3g}{mark}" for value, mark in zip(synthetic, marks, strict=True)]
    n_events = sum(len(field.events) for field in seen)
    rows = [[f"{lab} / {expert[-1]}", str(n_events), *cells], ["made again", "", *again]]
    return rows, inside, (made_low <= high) & (made_high >= low)


def interval(fields: list[Comparison]) -> np.ndarray:
    """Bootstrap the table's numbers over fields: (2, number) ends of the 95 % intervals."""
    random = np.random.default_rng(0)
    drawn = [numbers([fields[i] for i in random.integers(0, len(fields), len(fields))]) for _ in range(N_RESAMPLES)]
    return np.nanquantile(drawn, [0.025, 0.975], axis=0)


def read_fields(folder: Path, lab: str, expert: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Read (expert's labels, fused truth, image) of every field the expert labelled."""
    with (folder / "index.csv").open(newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file) if row["lab"] == lab]
    paths = [folder / "labels" / expert / f"{name}.png" for name in ids]
    return [
        (
            (imread(path) > 127).astype(np.uint8),
            (imread(folder / "labels" / "est_GT" / path.name) > 127).astype(np.uint8),
            imread(folder / "images" / path.name)[None].astype(np.float32),
        )
        for path in paths
        if path.is_file()
    ]


def numbers(fields: list[Comparison]) -> np.ndarray:
    """Compute the table's numbers for some fields."""
    events = {name: np.concatenate([field.events[name] for field in fields]) for name in fields[0].events}
    spurious = np.concatenate([field.extras["spurious"] for field in fields])
    missed, found = events["missed"], events["found"]
    steps = np.hypot(events["step_row"], events["step_column"])[found]
    ratios = events["area_ratio"][found]
    quarters = [
        100 * missed[part].mean()
        for name in ("contrast", "area_px")
        for part in np.array_split(np.argsort(events[name], kind="stable"), 4)
    ]
    return np.array(
        [
            100 * missed.mean(), 100 * spurious.mean() if len(spurious) else np.nan, np.median(events["iou"][found]),
            *np.quantile(ratios, [0.5, 0.1, 0.9]), np.median(steps), *quarters,
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()

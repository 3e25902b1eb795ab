"""Real label errors: does `detect` find what the curators of the 2018 Data Science Bowl changed?

    python -m benchmarks.fixers ../shared/data/dsb2018_nuclei

The original masks (curated where nobody changed them) are examined with out-of-fold predictions of the pixel model,
split by tile group. Fields: is a changed one ranked above an unchanged one? Events: a change is a connected region of
`--min-area` pixels or more where original and curated foreground differ; it is found if a report's box meets it,
and a report is right if its box meets a change.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi
from skimage.io import imread

from noisylabels.data.events import EventTable
from noisylabels.noise.calibration.logistic import rank_score
from noisylabels.noise.detection import (
    LabelledFields,
    find_event_issues,
    find_issues,
    join_issues,
    predict_out_of_fold,
    score_field,
)
from noisylabels.noise.detection.pixel_model import fit_pixel_model

TOPS = (20, 50, 100)


def main() -> None:
    """Print field-wise and event-wise figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--min-area", type=int, default=20, help="Smallest change and smallest report, in pixels.")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"{options.folder} must be the folder dsb2018_nuclei, but it does not exist. Give its path.")
    with (options.folder / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if (options.folder / "images" / f"{row['id']}.png").is_file()]
    ids = [row["id"] for row in rows]
    labels = {name: original(options.folder, name) for name in ids}
    predicted = predict(options.folder, ids, [row["group"] for row in rows], labels)
    tables, scores = examine(ids, labels, predicted, options.min_area)
    changes = {name: changed(options.folder, name, labels[name], options.min_area) for name in ids}
    print_fields(ids, tables, scores, changes)
    print_events(join_issues(list(tables.values())), changes)


def original(folder: Path, name: str) -> np.ndarray:
    """Read the original foreground of a field; the curated one where nobody changed it."""
    path = folder / "labels_original" / f"{name}.png"
    return (imread(path if path.is_file() else folder / "labels_curated" / f"{name}.png") > 0).astype(np.uint8)


def changed(folder: Path, name: str, given: np.ndarray, min_area: int) -> np.ndarray:
    """Number the regions that the curators changed."""
    differs = given != (imread(folder / "labels_curated" / f"{name}.png") > 0)
    regions, n_regions = ndi.label(differs, np.ones((3, 3)))
    large = np.bincount(regions.ravel(), minlength=n_regions + 1) >= min_area
    large[0] = False
    return np.where(large, np.cumsum(large), 0)[regions]


def predict(folder: Path, ids: list[str], groups: list[str], labels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Predict every field by a pixel model that has not seen its tile group."""

    def image(name: str) -> np.ndarray:
        return imread(folder / "images" / f"{name}.png")[None].astype(np.float32)

    def fit(names):
        return fit_pixel_model(((image(name), labels[name]) for name in names), n_classes=2)

    found = predict_out_of_fold(ids, groups, fit, lambda model, name: model.predict(image(name)).astype(np.float16))
    return dict(found)


def examine(
    ids: list[str], labels: dict[str, np.ndarray], predicted: dict[str, np.ndarray], min_area: int
) -> tuple[dict[str, EventTable], dict[str, float]]:
    """Find the issues of every field, and its label quality."""
    fields = LabelledFields(lambda: ((labels[name], predicted[name].astype(np.float32)) for name in ids))
    tables, scores = {}, {}
    for name, places, (given, probabilities) in zip(ids, find_issues(fields).flagged, fields, strict=True):
        flags = np.zeros(given.shape, bool)
        flags.reshape(-1)[places] = True
        tables[name] = find_event_issues(given, probabilities, flags, image_id=name, min_area_px=min_area)
        scores[name] = score_field(given, probabilities)
    return tables, scores


def print_fields(
    ids: list[str], tables: dict[str, EventTable], scores: dict[str, float], changes: dict[str, np.ndarray]
) -> None:
    """Print how well fields are ranked."""
    truly = np.array([changes[name].any() for name in ids])
    print(f"{len(ids)} fields, {truly.sum()} with a change of foreground ({truly.mean():.2f} of all)\n")
    print("| rank fields by | AUC | " + " | ".join(f"changed among the first {top}" for top in TOPS) + " |")
    print("|---" * (2 + len(TOPS)) + "|")
    rankings = {
        "expected wrong events": np.array([tables[name]["score"].sum() for name in ids]),
        "highest event score": np.array([tables[name]["score"].max(initial=0) for name in ids]),
        "1 - label quality (softmin)": np.array([1 - scores[name] for name in ids]),
    }
    for name, values in rankings.items():
        order = np.argsort(-values, kind="stable")
        tops = " | ".join(f"{truly[order[:top]].mean():.2f}" for top in TOPS)
        print(f"| {name} | {rank_score(values, truly):.2f} | {tops} |")


def print_events(issues: EventTable, changes: dict[str, np.ndarray]) -> None:
    """Print precision and recall of the reported events, best first."""
    n_changes = sum(int(regions.max()) for regions in changes.values())
    met = [
        set(np.unique(changes[name][low:high, left:right]).tolist()) - {0}
        for name, low, left, high, right in zip(
            *(issues[column] for column in ("image", "row_min", "column_min", "row_max", "column_max")), strict=True
        )
    ]
    print(f"\n{n_changes} changes, {len(issues)} reports\n\n| reports | precision | recall |\n|---|---|---|")
    for top in sorted({*TOPS, 500, len(issues)}):
        if top <= len(issues):
            found = {
                (name, region) for name, regions in zip(issues["image"][:top], met, strict=False) for region in regions
            }
            right = np.mean([bool(regions) for regions in met[:top]]) if top else np.nan
            print(f"| first {top} | {right:.2f} | {len(found) / max(n_changes, 1):.2f} |")
    for kind in sorted(set(issues["kind"])):
        chosen = [bool(regions) for regions, own in zip(met, issues["kind"], strict=True) if own == kind]
        print(f"| all {len(chosen)} {kind} | {np.mean(chosen):.2f} | |")


if __name__ == "__main__":
    main()

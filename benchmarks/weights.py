"""Train the small weights that the bundles come with, score them on what they did not see, and write their cards.

    python -m benchmarks.weights cdl WORK             # simulated plates, labels of the corrected pipeline
    python -m benchmarks.weights mdl WORK             # after cdl: its weights, and 16 correct quarters
    python -m benchmarks.weights nuclei WORK --data FOLDER   # real nuclei of BBBC039 (CC0): images/, truth/, index.csv
    python -m benchmarks.weights card WORK            # into bundles/: weights, records, metadata and model cards

WORK keeps every step; what is there already is not made again. About ten minutes of one core each.
"""

import argparse
import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from noisylabels.data.atomic import write_text
from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.images import read_image, write_image, write_label_map
from noisylabels.data.labels import ClassTable
from noisylabels.data.splits import SPLITS, split_groups
from noisylabels.experiments.demo import run_steps

PLATES, FIELDS, SEED = 6, 60, 7
CURATED = 16
VALIDATED = 5
RATE, WARM_UP = "0.003", "0.05"  # with which the weights that come along were trained
SPECK_PX = 20  # a nucleus at half of 20x has a hundred
NUCLEI = ClassTable(("background", "nucleus"))


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["cdl", "mdl", "nuclei", "card"])
    parser.add_argument("work", type=Path)
    parser.add_argument("--data", type=Path, help="the folder of BBBC039, for nuclei")
    parser.add_argument("--epochs", type=int, help="other than the recipe's, to try it")
    told = parser.parse_args()
    told.work.mkdir(parents=True, exist_ok=True)
    if told.part == "card":
        from benchmarks.model_cards import write_cards

        write_cards(told.work)
        return
    data = told.data.resolve() if told.data else None
    os.chdir(told.work)  # records and evaluations name no folder of this machine
    {"cdl": train_cdl, "mdl": train_mdl, "nuclei": lambda epochs: train_nuclei(epochs, data)}[told.part](told.epochs)


def train_cdl(epochs: int | None) -> None:
    """Simulate plates that differ, label whole fields with the corrected pipeline, learn from those labels alone."""
    count = ["--plates", str(PLATES), "--fields", str(FIELDS), "--seed", str(SEED), "--fractions", "0.5,0.17,0.33"]
    _once("whole", ["simulate", "whole", *count])
    _once("whole/labels/cip", ["cip", "whole", "--preset", "rosella-lc3-mended"])
    _once("screen", ["quarters", "whole", "screen"])
    _train("cdl", "cdl", "screen", "cip", epochs or 15)
    _score("cdl", "screen", "cip,cdl", "truth")


def train_mdl(epochs: int | None) -> None:
    """Go on from CDL's weights with a few quarters whose labels are right, as corrected ones would be."""
    _copy_curated(open_dataset("screen"), Path("curated"))
    _train("mdl", "mdl", "curated", "corrected", epochs or 30, "--init", "cdl/model.pt", rate="0.001")
    _score("mdl", "screen", "cip,cdl,mdl", "truth")


def train_nuclei(epochs: int | None, data: Path | None) -> None:
    """Learn nuclei of one channel from curated masks, at two scales."""
    if data is None or not (data / "index.csv").is_file():
        msg = f"--data must be the folder of BBBC039 with images/, truth/ and index.csv, got {data}. Name it."
        raise SystemExit(msg)
    if not Path("nuclei_fields").exists():
        _import_nuclei(data, Path("nuclei_fields"))
    _train("mdl", "nuclei", "nuclei_fields", "curated", epochs or 8)
    record = json.loads(Path("nuclei/run.json").read_text())
    write_text("nuclei/run.json", json.dumps(record | {"min_event_px": SPECK_PX}, indent=1) + "\n")
    _once("nuclei_fields/labels/otsu", ["cip", "nuclei_fields", "--preset", "nuclei", "--name", "otsu"])
    _score("nuclei", "nuclei_fields", "otsu,nuclei", "curated")


def _train(bundle: str, name: str, dataset: str, labels: str, epochs: int, *more: str, rate: str = RATE) -> None:
    words = ["--dataset_dir", dataset, "--label_name", labels, "--output_dir", name, "--num_epochs", str(epochs)]
    schedule = ["--learning_rate", rate, "--warm_up", WARM_UP]
    _once(f"{name}/model.pt", ["train", bundle, *words, "--val_interval", str(VALIDATED), *schedule, *more])


def _score(name: str, dataset: str, methods: str, truth: str) -> None:
    bundle = "mdl" if name == "nuclei" else name
    weights = ["--ckpt_path", f"{name}/model.pt", "--method", name]
    _once(f"{dataset}/labels/{name}", ["predict", bundle, "--dataset_dir", dataset, "--split", "test", *weights])
    told = ["--split", "test", "--methods", methods, "--reference", truth, "--out", f"evaluation_{name}"]
    _once(f"evaluation_{name}/report.html", ["evaluate", dataset, *told])


def _once(made: str, words: list[str]) -> None:
    if not Path(made).exists():
        run_steps([words], say=print)


def _copy_curated(screen: Dataset, folder: Path) -> None:
    """Copy the first quarters, one of each well in turn, and the quarters that choose the epoch, with the truth."""
    if (folder / "dataset.json").is_file():
        return
    training = sorted(screen.ids("training"), key=lambda one: (one.rsplit("_", 1)[-1], one))[:CURATED]
    kept = tuple(case for case in screen.cases if case.split == "validation" or case.id in training)
    for case in kept:
        (folder / case.image).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(screen.folder / case.image, folder / case.image)
        write_label_map(folder / "labels/corrected" / f"{case.id}.tif", screen.label_map("truth", case.id))
    write_dataset(replace(screen, folder=folder, cases=kept), label_name="corrected")


def _import_nuclei(data: Path, folder: Path) -> None:
    """Write every field as it is, and its training copy at half the scale; wells are never split apart."""
    rows = list(csv.DictReader((data / "index.csv").read_text().splitlines()))
    groups = [row["group"] for row in rows]
    cases = []
    for row, split in zip(rows, split_groups(groups, (0.6, 0.1, 0.3), seed=SEED), strict=True):
        image = read_image(data / "images" / f"{row['id']}.tif")[:1]
        mask = (read_image(data / "truth" / f"{row['id']}.png")[0] > 0).astype(np.uint8)
        copies = {row["id"]: (image, mask)}
        if split == "training":
            copies[f"{row['id']}_half"] = (image[:, ::2, ::2], mask[::2, ::2])
        for name, (pixels, label_map) in copies.items():
            write_image(folder / "images" / f"{name}.ome.tif", np.ascontiguousarray(pixels))
            write_label_map(folder / "labels/curated" / f"{name}.tif", np.ascontiguousarray(label_map))
            cases.append(Case(name, row["group"], split, f"images/{name}.ome.tif"))
    cases.sort(key=lambda case: SPLITS.index(case.split))
    about = {"source": "BBBC039v1, CC0 1.0", "citation": "Caicedo et al., Cytometry A 95:952-965 (2019)"}
    write_dataset(Dataset(folder, NUCLEI, ("nuclei",), None, tuple(cases), about), label_name="curated")


if __name__ == "__main__":
    main()

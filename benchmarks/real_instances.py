"""How many touching objects of real sets are one piece of a label map, and how many of them a watershed tells apart.

    python -m benchmarks.real_instances DATA_ROOT [--sets "u2os nuclei" ...] [--fields 20]
    python -m benchmarks.real_instances DATA_ROOT --train --sets "dsb nuclei" [--seeds 1 2 3]

The truth of each set numbers its objects. Its foreground alone, as a perfect network would label it, is counted twice
against those numbers: as connected pieces, and as `noisylabels predict --instances` splits them. So the table shows the
most that either can reach; nothing is trained. With `--train` networks learn the truth of the training fields, with
and without the preset `instances` (benchmarks/real_objects.py), and their label maps of the test fields are counted in
the same two ways. Objects are compared by pixels; PQ at an IoU of 0.5, accuracy is
TP / (TP + FP + FN), at 0.5 and as a mean over 0.5, 0.55, ..., 0.95.
"""

import argparse
import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.real_objects import WAYS, read_predictions, train, write_numbered
from benchmarks.real_sets import SETS, find_set, list_fields
from evaluation.metrics.counts import CountTable, FieldCounts, FieldKey
from evaluation.metrics.detection import tabulate_panoptic, tabulate_thresholds
from evaluation.metrics.fields import examine_field
from evaluation.metrics.settings import EvaluationSettings
from noisylabels.data.events import InstanceMap, label_events
from noisylabels.data.instances import split_touching
from noisylabels.data.labels import ClassTable, LabelMap
from noisylabels.importing.masks import read_mask

SETTINGS = EvaluationSettings(overlap="mask", instances=True)
OBJECTS = ClassTable(("background", "object"))
Counted = tuple[FieldKey, FieldCounts]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one row for each set and way to count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the image sets")
    parser.add_argument("--sets", nargs="*", default=[one.name for one in SETS])
    parser.add_argument("--fields", type=int, default=20, help="of each set, evenly spaced")
    parser.add_argument("--train", action="store_true", help="train networks and count their objects")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args(arguments)
    print("| set | network | fields | objects | counted as | number | PQ | accuracy at 0.5 | mean accuracy |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.sets:
        for network, paths, counted in (score_networks if options.train else score_truth)(name, options):
            table = CountTable.stack(counted, classes=OBJECTS, settings=SETTINGS)
            for method in table.methods:
                row = write_row(table.select(method=method), method)
                print(f"| {name} | {network} | {paths} | {row} |", flush=True)


def score_truth(name: str, options: argparse.Namespace) -> Iterator[tuple[str, int, Iterator[Counted]]]:
    """Count the truth's own objects, if it numbers them."""
    found = list_fields(find_set(name), options.data)
    paths = [one.truth for one in found[:: max(1, len(found) // options.fields)]][: options.fields]
    if max(int(read_mask(path).values.max()) for path in paths) < 2:
        print(f"| {name} | | {len(paths)} | not numbered | | | | | |", flush=True)
    else:
        yield "the truth's foreground", len(paths), count(read_truths(paths))


def score_networks(name: str, options: argparse.Namespace) -> Iterator[tuple[str, int, Iterator[Counted]]]:
    """Train networks in both ways, and count their objects."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_numbered(find_set(name), options.data, Path(folder) / "data")
        for seed in options.seeds:
            for way in WAYS:
                labels = train(dataset, way, Path(folder) / f"{way}-{seed}", steps=options.steps, seed=seed)
                yield f"{way}, seed {seed}", len(dataset.ids("test")), count(read_predictions(dataset, labels))


def count(fields: Iterable[tuple[str, InstanceMap, LabelMap]]) -> Iterator[Counted]:
    """Count the objects of label maps as pieces and as they are split, against the numbered truth."""
    for field, truth, label_map in fields:
        foreground = (truth > 0).astype(np.uint8)
        for method, numbered in (("pieces", label_events(label_map)[0]), ("split", split_touching(label_map)[0])):
            counts, _ = examine_field(
                foreground, label_map, classes=OBJECTS, settings=SETTINGS, instances=(truth, numbered)
            )
            yield FieldKey(field, method, "truth"), counts


def read_truths(paths: Sequence[Path]) -> Iterator[tuple[str, InstanceMap, LabelMap]]:
    """Read the name of each numbered truth, its numbers and its foreground."""
    for path in paths:
        truth = read_mask(path).values.astype(np.int32)
        yield path.stem, truth, (truth > 0).astype(np.uint8)


def write_row(table: CountTable, method: str) -> str:
    """Write the cells of one way to count."""
    quality = tabulate_panoptic(table).query("class_name == 'object'").iloc[0]
    rows = tabulate_thresholds(table).query("class_name == 'object' and mode == 'one_to_one'")
    half = rows[np.isclose(rows["iou"], 0.5)].iloc[0]
    scores = " | ".join(f"{value:.3f}" for value in (quality["PQ"], half["accuracy"], quality["mean_accuracy"]))
    return f"{int(half['n_reference'])} | {method} | {int(half['n_prediction'])} | {scores}"


if __name__ == "__main__":
    main()

"""The demo's figures, one screen a seed, as the tables of docs/demo.md.

    python -m benchmarks.demo run OUT [--seeds 1 2 3]     # a demo a seed, in OUT/1, OUT/2, ...: about five minutes each
    python -m benchmarks.demo table OUT                   # the tables, in Markdown

A demo that has its report already is not made again.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

Row = dict[str, str]
CLASS_SCORES = {"recall": "Accuracy (= recall)", "IoU": "IoU", "boundary F1": "BoundaryF1"}


def main() -> None:
    """Run the demos, or print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("out", type=Path)
    run.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    run.set_defaults(call=run_demos)
    table = commands.add_parser("table")
    table.add_argument("out", type=Path)
    table.set_defaults(call=print_tables)
    options = parser.parse_args()
    options.call(options)


def run_demos(options: argparse.Namespace) -> None:
    """Run `noisylabels demo` for every seed whose report is not there."""
    for seed in options.seeds:
        folder = options.out / str(seed)
        if not (folder / "evaluation" / "report.html").exists():
            words = [sys.executable, "-m", "noisylabels", "demo", str(folder), "--seed", str(seed)]
            subprocess.run(words, check=True)


def print_tables(options: argparse.Namespace) -> None:
    """Print mean IoU by screen, then the scores and events by class."""
    folders = sorted((path for path in options.out.iterdir() if path.is_dir()), key=lambda path: int(path.name))
    print("| seed | CIP | CDL | difference | relative | p |\n|---|---|---|---|---|---|")
    for folder in folders:
        print(_screen_line(folder.name, _rows(folder, "data_set_scores")))
    print("\n| seed | class | recall | IoU | boundary F1 | events found | spurious | event F1 |\n|" + "---|" * 8)
    for folder in folders:
        for line in _class_lines(folder):
            print(line)


def _rows(folder: Path, table: str) -> list[Row]:
    with (folder / "evaluation" / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _screen_line(seed: str, rows: list[Row]) -> str:
    row = next(row for row in rows if row["score"] == "MeanIoU")
    scores = f"{float(row['CIP']):.3f} | {float(row['CDL']):.3f}"
    difference = _interval(row, "CDL − CIP", "{:+.3f}", "{:.3f}")
    relative = _interval({k: str(100 * float(v)) for k, v in row.items() if "relative" in k}, "relative", "{:+.1f} %")
    return f"| {seed} | {scores} | {difference} | {relative} | {float(row['p']):.4f} |"


def _interval(row: Row, name: str, form: str, bound: str = "{:.1f}") -> str:
    low, high = (bound.format(float(row[f"{name} {side}"])) for side in ("low", "high"))
    return f"{form.format(float(row[name]))} [{low}, {high}]"


def _class_lines(folder: Path) -> list[str]:
    scores, errors = _rows(folder, "class_scores"), _rows(folder, "event_errors")
    lines = []
    for name in dict.fromkeys(row["class"] for row in errors):
        of_class = {row["score"]: row for row in scores if row["class"] == name}
        pixel = [_change(of_class[score]["CIP"], of_class[score]["CDL"]) for score in CLASS_SCORES.values()]
        cip, cdl = (next(row for row in errors if (row["class"], row["method"]) == (name, m)) for m in ("CIP", "CDL"))
        found = f"{_found(cip)} -> {_found(cdl)} of {cip['in reference']}"
        spurious = f"{cip['spurious']} -> {cdl['spurious']}"
        events = [found, spurious, _change(cip["F1 at IoU 0.5"], cdl["F1 at IoU 0.5"])]
        lines.append(f"| {folder.name} | {name} | " + " | ".join(pixel + events) + " |")
    return lines


def _found(row: Row) -> int:
    return int(row["in reference"]) - int(row["missed"]) - int(row["misclassified"])


def _change(before: str, after: str) -> str:
    return f"{float(before):.3f} -> {float(after):.3f}"


if __name__ == "__main__":
    main()

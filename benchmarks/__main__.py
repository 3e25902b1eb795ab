"""Run every benchmark of speed and write the page of all ratios.

    python -m benchmarks [--only NAME ...] [--quick] [--clock wall] [--page FILE]

The page is written whole at the end, also where a benchmark failed; the exit status is 1 then.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.page import render
from benchmarks.parts import PARTS, ROOT, run_all
from noisylabels.data.atomic import write_text


def main() -> int:
    options = parse_options()
    asked = [part for part in PARTS if not options.only or part.name in options.only]
    runs = list(run_all(asked, quick=options.quick, clock=options.clock))
    write_text(options.page, render(runs, [part for part in PARTS if part not in asked], quick=options.quick))
    print(f"Wrote {options.page}.")
    failed = [run.part.name for run in runs if run.failure]
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, where a benchmark has them")
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu", help="of benchmarks that know both")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page to write")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

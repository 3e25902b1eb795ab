"""Run every benchmark of speed and write the page of all ratios.

    python -m benchmarks [--only NAME ...] [--quick] [--clock wall] [--page FILE]
    python -m benchmarks --from docs/tables/benchmarks.csv [--page FILE]

The page and its tables are written whole at the end, also where a benchmark failed; the exit status is 1 then. `--from`
measures nothing: it writes the page again from kept rows.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.page import render
from benchmarks.parts import PARTS, ROOT, run_all
from benchmarks.rows import Row, describe_machine, list_rows, read_machine, read_rows, write_machine, write_rows
from noisylabels.data.atomic import write_text


def main() -> int:
    options = parse_options()
    table: Path = options.kept or options.page.parent / "tables" / f"{options.page.stem}.csv"
    facts = table.with_name(f"{table.stem}_machine.csv")
    rows = read_rows(table) if options.kept else measure(options.only, options.quick, options.clock)
    machine = read_machine(facts) if options.kept else describe_machine(quick=options.quick)
    if not options.kept:
        write_rows(table, rows)
        write_machine(facts, machine)
    options.page.parent.mkdir(parents=True, exist_ok=True)
    write_text(options.page, render(rows, machine, table.name))
    print(f"Wrote {options.page}.")
    failed = [row.benchmark for row in rows if row.kind == "failed"]
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def measure(only: list[str] | None, quick: bool, clock: str) -> list[Row]:
    """Run the benchmarks of some names, or all, and give the rows of what came of them."""
    asked = [part for part in PARTS if not only or part.name in only]
    return list_rows(list(run_all(asked, quick=quick, clock=clock)), [part for part in PARTS if part not in asked])


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [part.name for part in PARTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, where a benchmark has them")
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu", help="of benchmarks that know both")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page to write")
    parser.add_argument("--from", dest="kept", type=Path, metavar="CSV", help="write the page from rows of a past run")
    options = parser.parse_args()
    if options.kept and not options.kept.is_file():
        parser.error(f"--from must name a table that a past run wrote, got {options.kept}.")
    return options


if __name__ == "__main__":
    sys.exit(main())

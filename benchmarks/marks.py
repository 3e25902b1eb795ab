"""Tables between two marks of a page: what a benchmark writes into a text that people wrote."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.score_rows import Row, read
from noisylabels.data.atomic import write_text


def replace_between(page: Path, begin: str, end: str, text: str) -> None:
    """Replace the lines between two marks of a page, which stay; the rest of the page is not touched."""
    head, _, rest = page.read_text().partition(begin)
    write_text(page, f"{head}{begin}\n{text}\n{end}{rest.partition(end)[2]}")


def publish(text: str, page: Path | None, begin: str, end: str) -> None:
    """Print a table, and write it between two marks of a page if one is named."""
    print(text)
    if page:
        replace_between(page, begin, end, text)


def add_table(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    write_lines: Callable[[Sequence[Row]], Iterable[str]],
    begin: str,
    end: str,
) -> None:
    """Add the subcommand `table ROWS [--page PAGE]`, which publishes the lines of kept rows."""
    table = commands.add_parser("table")
    table.add_argument("rows", type=Path)
    table.add_argument("--page", type=Path)
    table.set_defaults(
        call=lambda options: publish("\n".join(write_lines(read(options.rows))), options.page, begin, end)
    )

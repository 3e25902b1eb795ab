"""Words that mean the same in every command: options, lists, progress, exit codes.

`--labels` names a label set to read, `--name` one to write, `--reference` what is held to be true, `--methods` what is
compared with it; `--split` names a part of the dataset and `--fractions` its shares. Lists stand in one word with
commas; NAME=VALUE pairs are repeated.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from operator import length_hint
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from noisylabels.data.progress import count_in_lines

SOME_FAILED = 3
"""Exit code where something was left out, named."""

MOST_SHOWN = 5
"""Lines of a kind shown before the rest is counted."""

Item = TypeVar("Item")

Split = Annotated[
    Literal["training", "validation", "test", "all"], typer.Option(help="Which part of the dataset folder.")
]
DatasetFolder = Annotated[Path, typer.Argument(help="Dataset folder.")]
Labels = Annotated[str, typer.Option(help="The label set to read.")]
Reference = Annotated[str, typer.Option(help="The label set that is held to be true.")]
Name = Annotated[str, typer.Option(help="The label set to write.")]
Fractions = Annotated[str, typer.Option(help="Shares of training, validation and test, dealt by group.")]
Workers = Annotated[int, typer.Option(help="Processes; the result is the same for any number.", min=1)]
Overwrite = Annotated[bool, typer.Option(help="Replace label maps that were made with other settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Pattern = Annotated[
    str | None, typer.Option(help="Names of plain TIFF files, e.g. '{plate}/{well}_f{field}_c{channel}.tif'.")
]
Projection = Annotated[
    bool, typer.Option("--projection", help="Read the instrument's projections instead of the focal planes.")
]
Sequence = Annotated[str, typer.Option(help="Harmony's acquisition sequence: latest, all, or one by name.")]
Action = Annotated[str, typer.Option(help="CellVoyager's action: latest, all, or one by its number.")]
Scheduler = Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:port.")]


def read_list(text: str) -> list[str]:
    """Read a list of the command line.

    Examples:
        >>> read_list("cip, cdl"), read_list("")
        (['cip', 'cdl'], [])
    """
    return [word.strip() for word in text.split(",") if word.strip()]


def read_fractions(text: str) -> tuple[float, float, float]:
    """Read the three shares of a split.

    Raises:
        InputError: If they are not three numbers.

    Examples:
        >>> read_fractions("0.85,0.1,0.05")
        (0.85, 0.1, 0.05)
    """
    from noisylabels.data.errors import InputError

    try:
        training, validation, test = (float(share) for share in text.split(","))
    except ValueError as error:
        msg = f"--fractions must be three shares with commas, got {text!r}. Write for instance 0.85,0.1,0.05."
        raise InputError(msg) from error
    return training, validation, test


def read_pairs(pairs: Iterable[str], *, option: str, example: str) -> dict[str, str]:
    """Read NAME=VALUE pairs of an option that is repeated.

    Raises:
        InputError: If one has no name or no value.

    Examples:
        >>> read_pairs(["truth=masks"], option="--labels", example="truth=path/to/masks")
        {'truth': 'masks'}
    """
    from noisylabels.data.errors import InputError

    found = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not name or not value:
            msg = f"{option} must be given as NAME=VALUE, got {pair!r}. Write for instance {example}."
            raise InputError(msg)
        found[name] = value
    return found


def watch(items: Iterable[Item], name: str, *, total: int | None = None) -> Iterator[Item]:
    """Show progress while items pass, as `counting` does; without a total they are asked how many they are."""
    with counting(name, total or length_hint(items) or None) as advance:
        for item in items:
            yield item
            advance()


@contextlib.contextmanager
def counting(name: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show progress on a terminal, and as a line every half minute elsewhere; what is given counts one item.

    Args:
        name: What passes.
        total: How many there will be; None if nobody knows.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield count_in_lines(name, total)
        return
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(name, total=total)
        yield lambda: progress.advance(bar)

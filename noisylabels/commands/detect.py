"""`noisylabels detect`: labels that are probably wrong."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, Labels, Split, watch

app = typer.Typer()


@app.command()
def detect(
    dataset: DatasetFolder,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    labels: Labels = "cip",
    probabilities: Annotated[
        Path | None,
        typer.Option(help="Folder of <id>.npy, (class, row, column) out-of-fold probabilities of a network."),
    ] = None,
    split: Split = "all",
    folds: Annotated[int, typer.Option(min=2, help="Folds of the pixel model, used when there are none.")] = 5,
    ignore_index: Annotated[int | None, typer.Option(help="Label of pixels that count neither way.")] = None,
    min_area: Annotated[int, typer.Option(help="Smallest event, in pixels.")] = 4,
    annotators: Annotated[
        str, typer.Option(help="TABLE.csv:COLUMN of who labelled a field, with a column `id`: a table of each.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Of the folds and the pixel model.")] = 0,
) -> None:
    """Find labels that are probably wrong: issues.parquet and .csv, one row per event, and queue.csv, one per field.

    classes.csv counts the doubted pixels by class, annotators.csv the doubted events by annotator, if they are named.

    `noisylabels annotate score PROJECT label_issue --table queue.csv` orders the annotators' queue by it.
    """
    from noisylabels.importing.folder import parse_column, read_groups
    from noisylabels.noise.detection.study import detect_in_dataset

    people = read_groups(*parse_column(annotators)) if annotators else None
    found = detect_in_dataset(
        dataset, out, labels=labels, probabilities=probabilities, part=split, n_folds=folds, ignore_index=ignore_index,
        min_area_px=min_area, annotators=people, seed=seed, watch=lambda cases: watch(cases, labels),
    )  # fmt: skip
    typer.echo(found.describe())
    typer.echo(f"Next: {found.find_next_step()}.")
    typer.echo(f"  noisylabels annotate create {dataset}.desk {dataset} --start {labels}")
    typer.echo(f"  noisylabels annotate score {dataset}.desk label_issue --table {out / 'queue.csv'}")

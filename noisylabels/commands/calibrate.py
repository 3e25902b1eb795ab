"""`noisylabels calibrate`: the errors of a label set measured, and made again."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, Labels, Reference, Split, read_list, watch

app = typer.Typer()


@app.command()
def calibrate(
    dataset: DatasetFolder,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    labels: Labels = "cip",
    reference: Reference = "truth",
    split: Split = "all",
    features: Annotated[str, typer.Option(help="Event features that misses may depend on.")] = "contrast,area",
    resamples: Annotated[int, typer.Option(min=2, help="Bootstrap resamples of groups or fields.")] = 200,
    groups: Annotated[
        bool, typer.Option("--groups/--fields", help="Resample whole groups of the dataset (wells), or single fields.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the resamples and the re-synthesis.")] = 0,
) -> None:
    """Measure the errors of a label set against the truth, make them again, and compare.

    Writes profile.json (for `corrupt --noise`), model.yaml, checks.csv, features.csv, types.csv and calibration.png.
    """
    from noisylabels.noise.calibration.study import calibrate_dataset

    found = calibrate_dataset(
        dataset, out, weak=labels, truth=reference, part=split, features=read_list(features), n_resamples=resamples,
        seed=seed, by_group=groups, watch=lambda cases: watch(cases, labels),
    )  # fmt: skip
    typer.echo(found.describe())

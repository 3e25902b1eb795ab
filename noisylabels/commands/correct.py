"""`noisylabels correct`: weak labels corrected by what a few trusted fields say."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, Labels, Name, read_list

app = typer.Typer()


@app.command()
def correct(
    dataset: DatasetFolder,
    fields: Annotated[str, typer.Option(help="Ids of the trusted training fields, with commas.")],
    labels: Labels = "cip",
    trusted: Annotated[str, typer.Option(help="The label set of the trusted fields.")] = "truth",
    name: Name = "corrected",
    out: Annotated[Path, typer.Option(help="Folder for the trainings; a second call goes on.")] = Path("correction"),
    steps: Annotated[int, typer.Option(help="Steps of each training.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the trainings.")] = 0,
) -> None:
    """Correct weak labels by a network that learns, from few trusted fields, what the labels get wrong.

    Each well left out in turn, it is compared with a network of the trusted fields alone, and refused if no better.
    """
    from noisylabels.data.dataset import open_dataset
    from noisylabels.experiments.corrector import correct_labels, train_learner

    opened = open_dataset(dataset)
    found = correct_labels(
        opened, labels, trusted=trusted, ids=read_list(fields), name=name, folder=out,
        learn=train_learner(steps=steps, seed=seed),
    )  # fmt: skip
    typer.echo(
        f"On trusted fields left out: corrector {found.corrector:.3f} mean IoU, trusted fields alone "
        f"{found.gold_only:.3f}, labels as they are {found.labels:.3f}"
    )
    typer.echo(f"{dataset / 'labels' / name}: {len(opened.cases)} label maps")

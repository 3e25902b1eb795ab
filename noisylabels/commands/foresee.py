"""`noisylabels foresee`: how much a network can gain over its labels, without a truth."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from noisylabels.commands.options import DatasetFolder, read_list

app = typer.Typer()


@app.command()
def foresee(
    dataset: DatasetFolder,
    labels: Annotated[str, typer.Option(help="Label sets with commas; a student is trained on each.")] = "cip",
    referee: Annotated[
        str | None, typer.Option(help="A label set that votes: its student stands in for the truth of the others.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the students; a second call goes on.")] = Path("foresight"),
    split: Annotated[Literal["validation", "test"], typer.Option(help="The held-out fields.")] = "test",
    steps: Annotated[int, typer.Option(help="Steps of each training.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the trainings.")] = 0,
) -> None:
    """Foresee how much a network can gain over its labels: train a student on each label set, compare both.

    What it lets expect is what image sets showed whose truth is known.
    """
    from noisylabels.data.dataset import open_dataset
    from noisylabels.experiments.expectations import describe, find_next_step, foresee_gains

    fields = open_dataset(dataset)
    found = foresee_gains(fields, read_list(labels), out, referee=referee, split=split, steps=steps, seed=seed)
    typer.echo(describe(found, tuple(fields.classes)))
    typer.echo(find_next_step(found, dataset))

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
    out: Annotated[Path, typer.Option(help="Folder for the students; a second call goes on.")] = Path("foresight"),
    split: Annotated[Literal["validation", "test"], typer.Option(help="The held-out fields.")] = "test",
    steps: Annotated[int, typer.Option(help="Steps of each training.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the trainings.")] = 0,
) -> None:
    """Foresee how much a network can gain over its labels: train a student on each label set, compare both.

    What it lets expect is what real image sets showed whose truth is known.
    """
    from noisylabels.data.dataset import open_dataset
    from noisylabels.data.errors import InputError
    from noisylabels.experiments.foresight import describe_students, find_next_step, train_student
    from noisylabels.experiments.pairs import read_known_pairs

    fields, names = open_dataset(dataset), read_list(labels)
    if not names:
        msg = "--labels must name at least one label set, got none. Write for instance --labels cip."
        raise InputError(msg)
    for name in names:
        fields.require_labels(name)
    students = [train_student(fields, name, out / name, split=split, steps=steps, seed=seed) for name in names]
    known = read_known_pairs()
    typer.echo(describe_students(students, tuple(fields.classes), known))
    typer.echo(find_next_step(students, known, dataset))

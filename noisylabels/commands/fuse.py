"""`noisylabels fuse`: one label set from several that vote."""

from typing import Annotated

import typer

from noisylabels.commands.options import MOST_SHOWN, SOME_FAILED, DatasetFolder, Name, counting
from noisylabels.noise.rules import Rule, Undecided

app = typer.Typer()


@app.command()
def fuse(
    dataset: DatasetFolder,
    labels: Annotated[list[str], typer.Argument(help="Label sets that vote, at least two.")],
    name: Name = "consensus",
    rule: Annotated[Rule, typer.Option(help="How a class wins a pixel.")] = "majority",
    votes: Annotated[int | None, typer.Option(help="Votes that a class needs, with --rule at-least.")] = None,
    undecided: Annotated[Undecided, typer.Option(help="What a pixel becomes that no class wins.")] = "background",
    save_votes: Annotated[bool, typer.Option(help="Also write the votes of every class: votes/NAME/.")] = False,
) -> None:
    """Fuse label sets of a dataset folder by votes of each pixel: runs of a pipeline, other tools, several experts."""
    from noisylabels.data.dataset import open_dataset
    from noisylabels.noise.fusing import Vote, fuse_dataset

    fields = open_dataset(dataset)
    vote = Vote(rule, votes, undecided)
    with counting(name, len(fields.cases)) as advance:
        left_out = fuse_dataset(fields, labels, vote, name=name, save_votes=save_votes, on_field=advance)
    typer.echo(f"{dataset / 'labels' / name}: {len(fields.cases) - len(left_out)} label maps of {len(labels)} votes")
    if left_out:
        more = f" and {len(left_out) - MOST_SHOWN} more" if len(left_out) > MOST_SHOWN else ""
        typer.echo(f"noisylabels: left out, a label set lacks them: {', '.join(left_out[:MOST_SHOWN])}{more}", err=True)
        raise typer.Exit(SOME_FAILED)

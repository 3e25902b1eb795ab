"""`noisylabels quarters`: cut labelled fields in four."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, counting

app = typer.Typer()


@app.command()
def quarters(
    dataset: DatasetFolder, out: Annotated[Path, typer.Argument(help="Dataset folder to make: new or empty.")]
) -> None:
    """Cut every field in four, with all its label maps: label whole fields first, cut them afterwards."""
    from noisylabels.data.dataset import open_dataset
    from noisylabels.data.quarters import cut_dataset

    whole = open_dataset(dataset)
    with counting("quarters", len(whole.cases)) as advance:
        cut = cut_dataset(whole, out, on_field=advance)
    typer.echo(f"{out}: {len(cut.cases)} quarters of {len(whole.cases)} fields")

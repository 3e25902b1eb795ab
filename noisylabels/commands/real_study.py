"""`noisylabels real-study`: the study on real images."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def real_study(
    name: Annotated[str, typer.Argument(help="nuclei or annotators.")],
    data: Annotated[Path, typer.Argument(help="Folder of the images and their label maps.")],
    seeds: Annotated[str, typer.Option(help="Of splits and weights, with commas between.")] = "0,1,2",
    out: Annotated[Path, typer.Option(help="Folder of the study.")] = Path("real-study"),
) -> None:
    """Hold teacher, CDL, MDL and experts against each other on real images; started again, it goes on."""
    from noisylabels.experiments.paper.settings import read_seeds
    from noisylabels.experiments.real.study import run_real_study

    typer.echo(str(run_real_study(name, data, out, seeds=read_seeds(seeds), say=typer.echo)))

"""`noisylabels study`: the paper's study."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def study(
    preset: Annotated[str, typer.Option(help="tiny, small or paper.")] = "small",
    seeds: Annotated[str, typer.Option(help="One screen each, with commas between.")] = "0,1,2",
    out: Annotated[Path, typer.Option(help="Folder of the study.")] = Path("study"),
    workers: Annotated[int | None, typer.Option(help="Processes for simulating and labelling.", min=1)] = None,
) -> None:
    """Compare CIP, CDL and MDL by all of the paper's evaluations and against the truth; started again, it goes on."""
    from noisylabels.experiments.paper.presets import find_preset
    from noisylabels.experiments.paper.report import write_page
    from noisylabels.experiments.paper.settings import read_seeds
    from noisylabels.experiments.paper.study import run_study

    settings, chosen = find_preset(preset, workers=workers), read_seeds(seeds)
    run_study(out, settings, preset=preset, seeds=chosen, say=typer.echo)
    typer.echo(str(write_page(out, settings, preset=preset, seeds=chosen)))

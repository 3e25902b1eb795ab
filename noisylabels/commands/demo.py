"""`noisylabels demo`: the main job from nothing to a report."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put everything.")] = Path("demo"),
    fields: Annotated[int, typer.Option(help="Fields to simulate, each cut in quarters.")] = 30,
    seed: Annotated[int, typer.Option(help="Of the screen.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes for simulating and labelling.", min=1)] = 2,
    epochs: Annotated[int | None, typer.Option(help="Epochs of training, if not the preset's.")] = None,
) -> None:
    """Simulate a screen, label it with the CIP, train CDL on those labels, and report which is nearer to the truth."""
    from noisylabels.experiments.demo import list_steps, run_steps

    steps = list_steps(folder, fields=fields, seed=seed, workers=workers, epochs=epochs)
    seconds = run_steps(steps, say=typer.echo)
    typer.echo(f"{sum(seconds.values()) / 60:.1f} minutes. Open {folder / 'evaluation' / 'report.html'}")

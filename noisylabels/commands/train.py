"""`noisylabels train`: train a bundle on a dataset folder."""

import typer

from noisylabels.commands.common_settings import TRAINING, describe
from noisylabels.commands.overrides import OVERRIDES, Bundle, Presets, Trust, Verbose, read_overrides

app = typer.Typer()


@app.command(context_settings=OVERRIDES, epilog=describe(TRAINING))
def train(
    context: typer.Context,
    bundle: Bundle = "cdl",
    preset: Presets = None,
    trust: Trust = False,
    verbose: Verbose = False,
) -> None:
    """Train a bundle on a dataset folder: noisylabels train cdl --dataset_dir D --output_dir R.

    Every other option is an id of the bundle's config and its new value: --num_epochs 3 --label_name cip.
    Started again after a kill, the same command continues, and ends with the same weights.
    """
    from noisylabels.learning import launcher

    launch = launcher.plan_training(bundle, preset or (), read_overrides(context.args), trust=trust)
    typer.echo(launch.command_line())
    launcher.run(launch, verbose=verbose)

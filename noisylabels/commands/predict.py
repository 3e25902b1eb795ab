"""`noisylabels predict`: a label map for every field."""

import typer

from noisylabels.commands.overrides import OVERRIDES, Bundle, Presets, Trust, read_overrides

app = typer.Typer()


@app.command(context_settings=OVERRIDES)
def predict(context: typer.Context, bundle: Bundle = "cdl", preset: Presets = None, trust: Trust = False) -> None:
    """Write a label map for every field: noisylabels predict cdl --dataset_dir D --ckpt_path R/model.pt.

    Label maps go to labels/<method>/ of the dataset folder (--method, the bundle's name by default), or to
    --output_dir. A plain folder of images will do as --dataset_dir. Without --ckpt_path the weights are those of
    runs/<bundle>, where training puts them.
    """
    from noisylabels.learning import launcher

    launch = launcher.plan_prediction(bundle, preset or (), read_overrides(context.args), trust=trust)
    typer.echo(launch.command_line())
    launcher.run(launch)
    typer.echo(f"label maps: {launcher.find_output(launch)}")

"""`noisylabels predict`: a label map for every field."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.common_settings import PREDICTION, describe
from noisylabels.commands.overrides import OVERRIDES, Presets, Trust, Verbose, read_overrides

app = typer.Typer()


@app.command(context_settings=OVERRIDES, epilog=describe(PREDICTION))
def predict(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="cdl, mdl or nuclei as they come; model.pt or the folder of a training; a bundle.")
    ] = "cdl",
    folder: Annotated[
        Path | None, typer.Argument(help="Dataset folder, or any folder of images; the same as --dataset_dir.")
    ] = None,
    preset: Presets = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write class probabilities as well, <id>.npy in half precision.")
    ] = False,
    instances: Annotated[
        bool, typer.Option("--instances", help="Write instance maps as well: touching objects split by a watershed.")
    ] = False,
    calibrate_on: Annotated[
        str | None, typer.Option(help="Trusted label set: probabilities are calibrated on its validation fields.")
    ] = None,
    trust: Trust = False,
    verbose: Verbose = False,
) -> None:
    """Write a label map for every field: noisylabels predict cdl FOLDER, or predict R/model.pt FOLDER.

    Label maps go to labels/<method>/ of a dataset folder (--method, the model's name by default); those of a plain
    folder of images go to FOLDER-<method> beside it, with a preview. --output_dir names another place. Without weights
    named, or --ckpt_path, they are those of runs/<bundle>, where training puts them, or else those that come along.

    events.csv beside the label maps has a row per event, with the mean probability of its class over its pixels.
    """
    from noisylabels.learning import launcher

    words = list(context.args)
    if folder is not None and str(folder).startswith("--"):  # an option of the config, taken for the folder
        words, folder = [str(folder), *words], None
    overrides = read_overrides(words)
    given = {"dataset_dir": str(folder), **overrides} if folder is not None else overrides
    launch = launcher.plan_prediction(model, preset or (), given, trust=trust)
    if probabilities or instances or calibrate_on:
        from noisylabels.learning.beside import add_outputs

        added = add_outputs(
            launch, probabilities=probabilities, instances=instances, calibrate_on=calibrate_on, say=typer.echo
        )
        launch = launcher.plan_prediction(model, preset or (), {**given, **added}, trust=trust)
    typer.echo(launch.command_line())
    typer.echo(f"weights: {launch.overrides.get('ckpt_path', 'those that the config names')}")
    if taken := launcher.match_launch(launch):
        typer.echo(f"channels: {taken}")
    launcher.run(launch, verbose=verbose, ends=True)
    output = launcher.find_output(launch)
    typer.echo(f"label maps: {output}")
    for what in ("probabilities", "instances"):
        if where := launch.overrides.get(f"{what}_dir"):
            typer.echo(f"{what}: {where}")
    images = Path(str(launch.overrides.get("dataset_dir", "")))
    if images.is_dir() and not (images / "datalist.json").is_file():
        typer.echo(f"preview: {_draw_preview(images, output)}")


def _draw_preview(images: Path, output: Path) -> Path:
    """Draw the first fields with the outlines of what was found in them, in a picture beside the label maps."""
    import numpy as np
    from PIL import Image

    from noisylabels.data.atomic import replacing
    from noisylabels.data.images import read_image, read_label_map
    from noisylabels.importing.look import draw_overlay
    from noisylabels.learning.datalist import read_images

    shown = []
    for field in read_images(images)[:4]:
        image = read_image(field["image"])
        names = tuple(f"channel {place + 1}" for place in range(len(image)))
        shown.append(draw_overlay(image, names, read_label_map(output / f"{field['id']}.tif")))
    rows = max(picture.shape[0] for picture in shown)
    padded = [np.pad(one, [(0, rows - one.shape[0]), (0, 8), (0, 0)]) for one in shown]
    path = output.with_name(f"{output.name}-preview.png")
    with replacing(path) as temporary:
        Image.fromarray(np.hstack(padded)).save(temporary, "PNG")
    return path

"""`noisylabels amend`: what a dataset folder says of itself."""

from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, read_list

app = typer.Typer()


@app.command()
def amend(
    dataset: DatasetFolder,
    classes: Annotated[str, typer.Option(help="One name per class index with commas, background first.")] = "",
    channels: Annotated[str, typer.Option(help="One name per channel with commas, in the order of the images.")] = "",
    pixel_size_um: Annotated[float | None, typer.Option(help="Side of a pixel in micrometres.")] = None,
) -> None:
    """Rename the classes and channels of a dataset folder, or tell its pixel size; no image or label map is touched."""
    from noisylabels.data.amending import amend_dataset
    from noisylabels.data.dataset import open_dataset

    now = amend_dataset(
        open_dataset(dataset),
        class_names=read_list(classes),
        channel_names=read_list(channels),
        pixel_size_um=pixel_size_um,
    )
    size = "unknown" if now.pixel_size_um is None else f"{now.pixel_size_um:g} um"
    typer.echo(f"{dataset}: classes {', '.join(now.classes)}; channels {', '.join(now.channel_names)}; pixel {size}")

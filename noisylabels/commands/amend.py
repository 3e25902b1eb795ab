"""`noisylabels amend`: what a dataset folder says of itself."""

from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, read_fractions, read_list

app = typer.Typer()


@app.command()
def amend(
    dataset: DatasetFolder,
    classes: Annotated[str, typer.Option(help="One name per class index with commas, background first.")] = "",
    channels: Annotated[str, typer.Option(help="One name per channel with commas, in the order of the images.")] = "",
    pixel_size_um: Annotated[float | None, typer.Option(help="Side of a pixel in micrometres.")] = None,
    fractions: Annotated[str, typer.Option(help="Deal groups anew: shares of training, validation and test.")] = "",
    seed: Annotated[int, typer.Option(help="Of --fractions.")] = 0,
) -> None:
    """Rename the classes and channels of a dataset folder, tell its pixel size, or split it anew; pixels stay."""
    from noisylabels.data.amending import amend_dataset
    from noisylabels.data.dataset import open_dataset

    now = amend_dataset(
        open_dataset(dataset),
        class_names=read_list(classes),
        channel_names=read_list(channels),
        pixel_size_um=pixel_size_um,
        fractions=read_fractions(fractions) if fractions else None,
        seed=seed,
    )
    size = "unknown" if now.pixel_size_um is None else f"{now.pixel_size_um:g} um"
    splits = (
        "".join(f", {len(now.ids(name))} {name}" for name in ("training", "validation", "test")) if fractions else ""
    )
    names = f"classes {', '.join(now.classes)}; channels {', '.join(now.channel_names)}"
    typer.echo(f"{dataset}: {names}; pixel {size}{splits}")

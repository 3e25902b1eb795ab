"""`noisylabels borders`: how far labels are swollen or shrunken, without a truth."""

from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, Labels, Split, counting

app = typer.Typer()


@app.command()
def borders(
    dataset: DatasetFolder,
    labels: Labels = "cip",
    split: Split = "all",
    name: Annotated[str, typer.Option(help="Also write a label set whose borders are moved back.")] = "",
    ring: Annotated[float, typer.Option(help="With --name: pixels this near a moved border become 255.", min=0)] = 0.0,
) -> None:
    """Measure how far the labels of isolated events lie outside the half-maximum of their intensity, class by class."""
    from noisylabels.data.dataset import open_dataset
    from noisylabels.data.errors import InputError
    from noisylabels.noise.borders import describe_offsets, measure_dataset, shift_dataset

    fields = open_dataset(dataset)
    if ring and not name:
        msg = f"--ring must come with --name, got {ring} alone. Name the label set to write: --name moved."
        raise InputError(msg)
    with counting(labels, len(fields.ids(split))) as advance:
        offsets = measure_dataset(fields, labels, split=split, on_field=advance)
    typer.echo(describe_offsets(offsets, tuple(fields.classes)))
    if name:
        shift_dataset(fields, labels, offsets, name=name, ring_px=ring)
        typer.echo(f"{dataset / 'labels' / name}: {len(fields.cases)} label maps with moved borders")

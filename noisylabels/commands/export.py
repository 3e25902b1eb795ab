"""`noisylabels export`: a trained network for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.learning.formats import Format

app = typer.Typer()


@app.command()
def export(
    model: Annotated[
        str, typer.Argument(help="cdl, mdl or nuclei as they come; model.pt, or the folder of a training.")
    ],
    to: Annotated[Format, typer.Option(help="What to write.")],
    out: Annotated[Path | None, typer.Option(help="The file; model.zip, .onnx, .ts or .xml if not named.")] = None,
) -> None:
    """Write a trained network as a file that Fiji, QuPath, ilastik, ONNX Runtime or OpenVINO run.

    Normalisation, padding and softmax are inside: raw counts (batch, channel, row, column) in, class probabilities out.
    The file is compared with the network before it is handed over.
    """
    from noisylabels.learning.formats import ENDINGS, require_packages

    require_packages(to)
    from noisylabels.learning.exports import export_model
    from noisylabels.learning.models import load_model

    target = out or Path(f"model{ENDINGS[to]}")
    loaded = load_model(model)
    path = export_model(loaded, target, to=to)
    typer.echo(f"{path}: {', '.join(loaded.channel_names)} -> {', '.join(loaded.classes.names)}, {size_of(path)}")
    typer.echo("Its label maps are those of the network, on two test images.")


def size_of(path: Path) -> str:
    """Return how large a file is.

    Examples:
        >>> size_of(Path(__file__)).endswith(" MB")
        True
    """
    return f"{path.stat().st_size / 1e6:.1f} MB"

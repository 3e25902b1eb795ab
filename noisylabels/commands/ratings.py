"""`noisylabels ratings`: whether blinded experts prefer a method."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from noisylabels.commands.options import read_list

app = typer.Typer()


@app.command()
def ratings(
    sheet: Annotated[Path, typer.Argument(help="Rating sheet (CSV): rater, image, method, score, perhaps subset.")],
    out: Annotated[Path, typer.Option(help="Folder to write: report.html, tables, figures.")],
    methods: Annotated[str, typer.Option(help="Methods, baseline first; default: as they occur.")] = "",
    ks: Annotated[
        Literal["exact", "matlab"], typer.Option(help="p-value of the KS test; matlab is kstest2's formula.")
    ] = "exact",
) -> None:
    """Test whether blinded experts prefer a method, how surely, and how far they agree."""
    from evaluation.rating_folders import write_rating_report

    page, verdict = write_rating_report(sheet, out, methods=read_list(methods), ks_method=ks)
    typer.echo(verdict)
    typer.echo(str(page))

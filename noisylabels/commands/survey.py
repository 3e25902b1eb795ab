"""`noisylabels survey`: the report of a new screen, for which there is no truth."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import DatasetFolder, counting, read_list
from noisylabels.data.dataset import open_dataset

app = typer.Typer()


@app.command()
def survey(
    dataset: DatasetFolder,
    methods: Annotated[str, typer.Option(help="Its label sets, baseline first.")] = "cip,cdl",
    against: Annotated[Path | None, typer.Option(help="Dataset folder that the methods know.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; else report/ in the dataset folder.")] = None,
    gallery: Annotated[int, typer.Option(help="Fields of each kind in the gallery; 0: none.")] = 3,
) -> None:
    """Report on a new screen without a truth: what the methods found, where they disagree, what has drifted."""
    from evaluation.report.headline import next_command
    from evaluation.screen_folders import write_screen_report

    source, usual = open_dataset(dataset), open_dataset(against) if against else None
    n_fields = len(source.ids()) + (len(usual.ids()) if usual else 0)
    named = read_list(methods)
    with counting("fields", n_fields) as advance:
        page, answer = write_screen_report(
            source,
            out or dataset / "report",
            methods=named,
            name=dataset.resolve().name,
            reference=usual,
            n_gallery=2 * gallery,
            on_field=lambda _: advance(),
        )
    typer.echo(answer)
    if len(named) > 1:
        typer.echo(f"  {next_command(str(dataset), named[-1])}")
    typer.echo(str(page))

"""`noisylabels report`: the report of an evaluation folder, written anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisylabels.commands.options import read_pairs
from noisylabels.data.dataset import open_dataset

if TYPE_CHECKING:
    from evaluation.report.pages import Section

app = typer.Typer()


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Evaluation folder, as `noisylabels evaluate` writes it.")],
    dataset: Annotated[Path | None, typer.Option(help="Where the data set lies now; default: where it was.")] = None,
    gallery: Annotated[int, typer.Option(help="Fields of each kind in the gallery; 0: none.")] = 3,
    ratings: Annotated[Path | None, typer.Option(help="Rating sheet (CSV) to report with it.")] = None,
    costs: Annotated[Path | None, typer.Option(help="Cost sheet (CSV) to report with it.")] = None,
    times: Annotated[list[str], typer.Option(help="METHOD=times.csv of the annotation desk, as a cost.")] = [],  # noqa: B006 - typer reads it once
    runs: Annotated[list[str], typer.Option("--run", help="METHOD=run folder of a training, as a cost.")] = [],  # noqa: B006 - typer reads it once
    margin: Annotated[float | None, typer.Option(help="Largest difference that would not matter, for TOST.")] = None,
    controls: Annotated[Path | None, typer.Option(help="Control wells (CSV: well, kind) for Z'.")] = None,
) -> None:
    """Write the report of an evaluation folder anew, with ratings, costs and controls if there are any."""
    from evaluation.folders import read_evaluation, write_evaluation_report
    from evaluation.report.headline import next_command
    from evaluation.screens.plates import read_controls

    evaluation = read_evaluation(folder)
    more = [*_rating_sections(ratings), *_cost_sections(costs, times, runs)]
    wells = read_controls(controls) if controls else None
    place = dataset or Path(evaluation.dataset)
    source = open_dataset(place) if gallery else None
    page, verdict = write_evaluation_report(
        evaluation, folder, source=source, n_gallery=gallery, more=more, controls=wells, margin=margin
    )
    typer.echo(verdict)
    typer.echo(f"  {next_command(str(place), evaluation.methods[-1])}")
    typer.echo(str(page))


def _rating_sections(sheet: Path | None) -> "list[Section]":
    if sheet is None:
        return []
    from evaluation.experts.preferences import compare_ratings
    from evaluation.experts.ratings import read_ratings
    from evaluation.report.rating_section import rating_section

    scores = read_ratings(sheet)
    return [rating_section(scores, compare_ratings(scores))]


def _cost_sections(sheet: Path | None, times: list[str], runs: list[str]) -> "list[Section]":
    from evaluation.experts.costs import cost_of_annotation, cost_of_run, read_costs
    from evaluation.report.cost_section import cost_section

    costs = read_costs(sheet) if sheet else []
    costs += [cost_of_annotation(path, method=method) for method, path in _pairs(times, "--times").items()]
    costs += [cost_of_run(path, method=method) for method, path in _pairs(runs, "--run").items()]
    return [cost_section(costs)] if costs else []


def _pairs(pairs: list[str], option: str) -> dict[str, str]:
    return read_pairs(pairs, option=option, example="MDL=times.csv")

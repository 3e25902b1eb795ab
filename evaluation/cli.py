"""Commands that turn label maps and ratings into numbers and reports: `evaluate`, `report`, `ratings`."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evaluation.study import FieldSource

app = typer.Typer()

SOME_FAILED = 3


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: Annotated[Path, typer.Option(help="Evaluation folder to write: counts, tables, figures, report.html.")],
    methods: Annotated[str, typer.Option(help="Label sets to evaluate, baseline first, as cip,cdl.")] = "cip,cdl",
    reference: Annotated[
        str, typer.Option(help="Label sets to hold them against: truth, or one per expert.")
    ] = "truth",
    split: Annotated[str, typer.Option(help="training, validation, test or all.")] = "all",
    tolerance_px: Annotated[
        float | None, typer.Option(help="Boundary tolerance; default 0.75 % of the diagonal.")
    ] = None,
    ignore_index: Annotated[int | None, typer.Option(help="Class index of the reference to leave out.")] = None,
    overlap: Annotated[str, typer.Option(help="What the IoU of events is measured on: box or mask.")] = "box",
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples and permutations.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of resamples and random galleries.")] = 0,
    gallery: Annotated[int, typer.Option(help="Fields of each kind in the gallery.")] = 3,
) -> None:
    """Hold label maps against a reference: counts, tables with intervals, and a report."""
    from evaluation.folders import Evaluation, write_evaluation, write_evaluation_report
    from evaluation.settings import EvaluationSettings
    from evaluation.study import evaluate_methods

    source = open_fields(dataset)
    settings = EvaluationSettings.from_dict(
        {"tolerance_px": tolerance_px, "ignore_index": ignore_index, "overlap": overlap}
    )
    named = [name.strip() for name in methods.split(",")]
    references = [name.strip() for name in reference.split(",")]
    chosen = None if split == "all" else split
    with typer.progressbar(length=len(source.ids(chosen)), label="fields") as bar:
        study = evaluate_methods(
            source,
            named,
            references=references,
            split=chosen,
            settings=settings,
            on_field=lambda _: bar.update(1),
        )
    evaluation = Evaluation(study, str(dataset.resolve()), tuple(named), tuple(references), split, resamples, seed)
    write_evaluation(evaluation, out)
    page, verdict = write_evaluation_report(evaluation, out, source=source, n_gallery=gallery)
    for place, fault in study.skipped.items():
        typer.echo(f"left out {place}: {fault}", err=True)
    typer.echo(verdict)
    typer.echo(f"{page}: {len(study.table)} entries")
    if study.skipped:
        raise typer.Exit(SOME_FAILED)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Evaluation folder that `evaluate` made.")],
    dataset: Annotated[Path | None, typer.Option(help="Where the data set lies now; default: where it was.")] = None,
    gallery: Annotated[int, typer.Option(help="Fields of each kind in the gallery; 0: none.")] = 3,
) -> None:
    """Write the report of an evaluation folder anew, from its counts."""
    from evaluation.folders import read_evaluation, write_evaluation_report

    evaluation = read_evaluation(folder)
    source = open_fields(dataset or Path(evaluation.dataset)) if gallery else None
    page, verdict = write_evaluation_report(evaluation, folder, source=source, n_gallery=gallery)
    typer.echo(verdict)
    typer.echo(str(page))


def open_fields(dataset: Path) -> "FieldSource":
    """Open a dataset folder for the functions of this room.

    The rooms do not import each other: files and folders are read in one place, `imaging`, and this command, where a
    user's path meets the numbers, looks that reader up by name, as the root command does its rooms.
    """
    source: FieldSource = import_module("imaging.dataset").open_dataset(dataset)
    return source

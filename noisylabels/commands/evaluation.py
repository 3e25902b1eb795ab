"""Commands that turn label maps and ratings into numbers and reports: `evaluate`, `report`, `ratings`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError

if TYPE_CHECKING:
    from evaluation.report.pages import Section
    from evaluation.study import Consensus

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
    boxes: Annotated[
        Path | None, typer.Option(help="Experts' boxes (.csv, COCO .json) instead of a reference.")
    ] = None,
    consensus: Annotated[str, typer.Option(help="Fuse several references: majority or staple.")] = "",
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
    if boxes is not None:
        _evaluate_boxes(dataset, boxes, out, methods=methods, resamples=resamples, seed=seed)
        return
    from evaluation.folders import Evaluation, write_evaluation, write_evaluation_report
    from evaluation.metrics.settings import EvaluationSettings
    from evaluation.study import evaluate_methods

    source = open_dataset(dataset)
    settings = EvaluationSettings.from_dict(
        {"tolerance_px": tolerance_px, "ignore_index": ignore_index, "overlap": overlap}
    )
    named = [name.strip() for name in methods.split(",")]
    references = [name.strip() for name in reference.split(",")]
    chosen = None if split == "all" else split
    fused = cast("Consensus | None", consensus or None)  # checked where it is used
    with typer.progressbar(length=len(source.ids(chosen)), label="fields") as bar:
        study = evaluate_methods(
            source,
            named,
            references=references,
            consensus=fused,
            split=chosen,
            settings=settings,
            on_field=lambda _: bar.update(1),
        )
    evaluation = Evaluation(
        study, str(dataset.resolve()), tuple(named), tuple(references), fused, split, resamples, seed
    )
    write_evaluation(evaluation, out)
    page, verdict = write_evaluation_report(evaluation, out, source=source, n_gallery=gallery)
    for place, fault in study.skipped.items():
        typer.echo(f"left out {place}: {fault}", err=True)
    typer.echo(verdict)
    typer.echo(f"{page}: {len(study.table)} entries")
    if study.skipped:
        raise typer.Exit(SOME_FAILED)


def _evaluate_boxes(dataset: Path, boxes: Path, out: Path, *, methods: str, resamples: int, seed: int) -> None:
    from evaluation.box_folders import write_box_report

    source = open_dataset(dataset)
    names = [name.strip() for name in methods.split(",")]
    page, verdict = write_box_report(source, boxes, out, methods=names, n_resamples=resamples, seed=seed)
    typer.echo(verdict)
    typer.echo(str(page))


@app.command()
def report(
    folder: Annotated[
        Path, typer.Argument(help="Evaluation folder; or a dataset folder without truth (a new screen).")
    ],
    dataset: Annotated[Path | None, typer.Option(help="Where the data set lies now; default: where it was.")] = None,
    gallery: Annotated[int, typer.Option(help="Fields of each kind in the gallery; 0: none.")] = 3,
    ratings: Annotated[Path | None, typer.Option(help="Rating sheet (CSV) to report with it.")] = None,
    costs: Annotated[Path | None, typer.Option(help="Cost sheet (CSV) to report with it.")] = None,
    times: Annotated[list[str], typer.Option(help="METHOD=times.csv of the annotation desk, as a cost.")] = [],  # noqa: B006 - typer reads it once
    runs: Annotated[list[str], typer.Option("--run", help="METHOD=run folder of a training, as a cost.")] = [],  # noqa: B006 - typer reads it once
    margin: Annotated[float | None, typer.Option(help="Largest difference that would not matter, for TOST.")] = None,
    controls: Annotated[Path | None, typer.Option(help="Control wells (CSV: well, kind) for Z'.")] = None,
    methods: Annotated[str, typer.Option(help="New screen: its label sets, baseline first.")] = "cip,cdl",
    against: Annotated[Path | None, typer.Option(help="New screen: dataset folder that the methods know.")] = None,
    out: Annotated[Path | None, typer.Option(help="New screen: folder to write; default: report/ in it.")] = None,
) -> None:
    """Write the report of an evaluation folder anew; or that of a new screen, for which there is no truth."""
    if (folder / "dataset.json").is_file():
        _report_screen(folder, methods=methods, against=against, out=out or folder / "report", gallery=gallery)
        return
    from evaluation.folders import read_evaluation, write_evaluation_report
    from evaluation.screens.plates import read_controls

    evaluation = read_evaluation(folder)
    more = [*_rating_sections(ratings, evaluation.seed), *_cost_sections(costs, times, runs)]
    wells = read_controls(controls) if controls else None
    source = open_dataset(dataset or Path(evaluation.dataset)) if gallery else None
    page, verdict = write_evaluation_report(
        evaluation, folder, source=source, n_gallery=gallery, more=more, controls=wells, margin=margin
    )
    typer.echo(verdict)
    typer.echo(str(page))


def _report_screen(folder: Path, *, methods: str, against: Path | None, out: Path, gallery: int) -> None:
    from evaluation.screen_folders import write_screen_report

    source, usual = open_dataset(folder), open_dataset(against) if against else None
    n_fields = len(source.ids()) + (len(usual.ids()) if usual else 0)
    with typer.progressbar(length=n_fields, label="fields") as bar:
        page, verdict = write_screen_report(
            source,
            out,
            methods=[name.strip() for name in methods.split(",")],
            name=folder.resolve().name,
            reference=usual,
            n_gallery=2 * gallery,
            on_field=lambda _: bar.update(1),
        )
    typer.echo(verdict)
    typer.echo(str(page))


@app.command()
def ratings(
    sheet: Annotated[Path, typer.Argument(help="Rating sheet (CSV): rater, image, method, score, perhaps subset.")],
    out: Annotated[Path, typer.Option(help="Folder to write: report.html, tables, figures.")],
    methods: Annotated[str, typer.Option(help="Methods, baseline first; default: as they occur.")] = "",
    ks: Annotated[str, typer.Option(help="p-value of the KS test: exact, or matlab for kstest2's formula.")] = "exact",
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Ask whether blinded experts prefer a method, how surely, and how far they agree."""
    from evaluation.rating_folders import write_rating_report

    chosen = [name.strip() for name in methods.split(",") if name.strip()]
    page, verdict = write_rating_report(sheet, out, methods=chosen, ks_method=ks, seed=seed)
    typer.echo(verdict)
    typer.echo(str(page))


def _rating_sections(sheet: Path | None, seed: int) -> "list[Section]":
    if sheet is None:
        return []
    from numpy.random import default_rng

    from evaluation.experts.preferences import compare_ratings
    from evaluation.experts.ratings import read_ratings
    from evaluation.report.rating_section import rating_section

    scores = read_ratings(sheet)
    return [rating_section(scores, compare_ratings(scores, rng=default_rng(seed)))]


def _cost_sections(sheet: Path | None, times: list[str], runs: list[str]) -> "list[Section]":
    from evaluation.experts.costs import cost_of_annotation, cost_of_run, read_costs
    from evaluation.report.cost_section import cost_section

    costs = read_costs(sheet) if sheet else []
    costs += [cost_of_annotation(path, method=method) for method, path in map(_pair, times)]
    costs += [cost_of_run(path, method=method) for method, path in map(_pair, runs)]
    return [cost_section(costs)] if costs else []


def _pair(text: str) -> tuple[str, str]:
    method, separator, path = text.partition("=")
    if not (method and separator and path):
        msg = f"--times and --run must be METHOD=PATH, got {text!r}. For instance MDL=times.csv."
        raise InputError(msg)
    return method, path

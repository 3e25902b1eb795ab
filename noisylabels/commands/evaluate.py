"""`noisylabels evaluate`: label maps compared with a reference."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from noisylabels.commands.options import SOME_FAILED, Split, counting, read_list
from noisylabels.data.dataset import open_dataset

app = typer.Typer()


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder.")],
    out: Annotated[Path, typer.Option(help="Evaluation folder to write: counts, tables, figures, report.html.")],
    methods: Annotated[str, typer.Option(help="Label sets to evaluate, baseline first, as cip,cdl.")] = "cip,cdl",
    reference: Annotated[
        str, typer.Option(help="Label sets to compare them with: truth, or one per expert.")
    ] = "truth",
    boxes: Annotated[
        Path | None, typer.Option(help="Experts' boxes (.csv, COCO .json, Pascal VOC folder) instead of a reference.")
    ] = None,
    consensus: Annotated[
        Literal["majority", "staple"] | None, typer.Option(help="How to fuse several references.")
    ] = None,
    split: Split = "all",
    tolerance_px: Annotated[
        float | None, typer.Option(help="Boundary tolerance; default 0.75 % of the diagonal.")
    ] = None,
    ignore_index: Annotated[int | None, typer.Option(help="Class index of the reference to leave out.")] = None,
    overlap: Annotated[Literal["box", "mask"], typer.Option(help="What the IoU of events is measured on.")] = "box",
    primary: Annotated[str, typer.Option(help="Score that the verdict is about: named before you look.")] = "MeanIoU",
    resamples: Annotated[int, typer.Option(help="Random swaps of the permutation tests.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of swaps and random galleries.")] = 0,
    gallery: Annotated[int, typer.Option(help="Fields of each kind in the gallery.")] = 3,
) -> None:
    """Compare label maps with a reference: counts, tables with intervals, and a report."""
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
    named, references = read_list(methods), read_list(reference)
    chosen = None if split == "all" else split
    with counting("fields", len(source.ids(chosen))) as advance:
        study = evaluate_methods(
            source,
            named,
            references=references,
            consensus=consensus,
            split=chosen,
            settings=settings,
            on_field=lambda _: advance(),
        )
    evaluation = Evaluation(
        study, str(dataset.resolve()), tuple(named), tuple(references), consensus, split, resamples, seed, primary
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
    page, verdict = write_box_report(source, boxes, out, methods=read_list(methods), n_resamples=resamples, seed=seed)
    typer.echo(verdict)
    typer.echo(str(page))

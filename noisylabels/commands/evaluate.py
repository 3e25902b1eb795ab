"""`noisylabels evaluate`: label maps compared with a reference."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from noisylabels.commands.options import SOME_FAILED, counting, read_list
from noisylabels.data.claims import refuse_other
from noisylabels.data.dataset import Dataset, open_dataset

if TYPE_CHECKING:
    from noisylabels.data.events import EventTable

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
    split: Annotated[
        Literal["training", "validation", "test", "all"] | None,
        typer.Option(help="Which fields; the test fields if not named, all where there are none."),
    ] = None,
    tolerance_px: Annotated[
        float | None, typer.Option(help="Boundary tolerance; default 0.75 % of the diagonal.")
    ] = None,
    min_area: Annotated[int, typer.Option(help="Smallest event that counts, in pixels.")] = 1,
    ignore_index: Annotated[int | None, typer.Option(help="Class index of the reference to leave out.")] = None,
    overlap: Annotated[
        Literal["box", "mask"] | None,
        typer.Option(help="What the IoU of events is measured on: box if not named, mask of instances."),
    ] = None,
    instances: Annotated[
        bool, typer.Option("--instances", help="Events are the objects of instances/: touching ones told apart.")
    ] = False,
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
    from evaluation.report.headline import next_command
    from evaluation.study import evaluate_methods

    source = open_dataset(dataset)
    settings = EvaluationSettings.from_dict(
        {
            "tolerance_px": tolerance_px,
            "ignore_index": ignore_index,
            "overlap": overlap or ("mask" if instances else "box"),
            "instances": instances,
            "min_area_px": min_area,
        }
    )
    named, references = read_list(methods), read_list(reference)
    scored = split or ("test" if source.ids("test") else "all")
    chosen = None if scored == "all" else scored
    if split is None:
        why = "what was trained on is left out" if scored == "test" else "there are no test fields"
        typer.echo(f"split: {scored}, {len(source.ids(chosen))} fields ({why}; --split all takes every field)")
    plan = {
        "dataset": str(dataset.resolve()),
        "methods": named,
        "references": references,
        "consensus": consensus,
        "split": scored,
    }
    advice = "Name another folder with --out."
    refuse_other(out / "evaluation.json", plan, advice=advice)
    refuse_other(out / "settings.json", {"settings": settings.to_dict()}, advice=advice)
    with counting("fields", len(source.ids(chosen))) as advance:
        study = evaluate_methods(
            source,
            named,
            references=references,
            consensus=consensus,
            split=chosen,
            settings=settings,
            probabilities=_read_probabilities(source, named, instances=instances),
            on_field=lambda _: advance(),
        )
    evaluation = Evaluation(
        study, str(dataset.resolve()), tuple(named), tuple(references), consensus, scored, resamples, seed, primary
    )
    write_evaluation(evaluation, out)
    page, answer = write_evaluation_report(evaluation, out, source=source, n_gallery=gallery)
    for place, fault in study.skipped.items():
        typer.echo(f"left out {place}: {fault}", err=True)
    typer.echo(answer)
    typer.echo(f"  {next_command(str(dataset), named[-1])}")
    typer.echo(f"{page}: {len(study.table)} entries")
    if study.skipped:
        raise typer.Exit(SOME_FAILED)


def _read_probabilities(
    source: Dataset, names: Sequence[str], *, instances: bool
) -> "dict[str, dict[str, EventTable]]":
    """Read the events.csv of every label set that has one."""
    from noisylabels.data.event_files import EVENT_FILE, read_event_file

    place = source.instance_path if instances else source.label_path
    paths = {name: place(name, "x").parent / EVENT_FILE for name in names}
    return {name: read_event_file(path) for name, path in paths.items() if path.is_file()}


def _evaluate_boxes(dataset: Path, boxes: Path, out: Path, *, methods: str, resamples: int, seed: int) -> None:
    from evaluation.box_folders import write_box_report

    source = open_dataset(dataset)
    page, verdict = write_box_report(source, boxes, out, methods=read_list(methods), n_resamples=resamples, seed=seed)
    typer.echo(verdict)
    typer.echo(str(page))

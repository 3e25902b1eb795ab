"""Commands: corrupt, calibrate, detect."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

app = typer.Typer()

DatasetFolder = Annotated[Path, typer.Argument(help="Dataset folder.")]
Part = Annotated[str, typer.Option(help="training, validation, test or all.")]
Item = TypeVar("Item")
SOME_FAILED = 3


@app.command()
def corrupt(
    dataset: DatasetFolder,
    noise: Annotated[
        str, typer.Option(help="careful, conservative, liberal, cip-lcsb, a profile.json, or a model's YAML file.")
    ],
    labels: Annotated[str, typer.Option(help="The clean label set.")] = "truth",
    name: Annotated[str, typer.Option(help="The label set to write.")] = "noisy",
    seed: Annotated[int | None, typer.Option(help="Noise seed, instead of the model's own.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the result is the same for any number.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace a label set that another model made.")] = False,
) -> None:
    """Inject label errors into a dataset folder: label maps, errors.parquet with one row per error, provenance.json.

    Killed and started again, it goes on where it was.
    """
    from noisylabels.data.dataset import open_dataset
    from noisylabels.noise.corruption import corrupt_dataset, make_recipe, summarise_log
    from noisylabels.noise.log import read_log
    from noisylabels.noise.presets import load_model

    model = load_model(noise, open_dataset(dataset).classes, seed=seed)
    recipe = make_recipe(dataset, model, source=labels, name=name)
    done = list(_watched(corrupt_dataset(recipe, n_workers=workers, overwrite=overwrite), name))
    faults = [(case_id, fault) for case_id, fault in done if fault is not None]
    for case_id, fault in faults:
        typer.echo(f"noisylabels: {case_id}: {fault}", err=True)
    counts = summarise_log(read_log(recipe.target / "errors.parquet"))
    injected = ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "no error"
    typer.echo(f"{recipe.target}: {len(done) - len(faults)} label maps, {len(faults)} failed; {injected}")
    if faults:
        raise typer.Exit(SOME_FAILED)


@app.command()
def calibrate(
    dataset: DatasetFolder,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    labels: Annotated[str, typer.Option(help="The weak label set, of a pipeline or an annotator.")] = "cip",
    truth: Annotated[str, typer.Option(help="The true label set.")] = "truth",
    part: Part = "all",
    features: Annotated[str, typer.Option(help="Event features that misses may depend on.")] = "contrast,area",
    resamples: Annotated[int, typer.Option(min=2, help="Bootstrap resamples of fields.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the resamples and the re-synthesis.")] = 0,
) -> None:
    """Measure the errors of a label set against the truth, make them again, and compare.

    Writes profile.json (for `corrupt --noise`), model.yaml, checks.csv, features.csv, types.csv and calibration.png.
    """
    from noisylabels.noise.calibration.study import calibrate_dataset

    found = calibrate_dataset(
        dataset, out, weak=labels, truth=truth, part=part, features=features.split(","), n_resamples=resamples,
        seed=seed, watch=lambda cases: _watched(cases, labels),
    )  # fmt: skip
    typer.echo(found.describe())


@app.command()
def detect(
    dataset: DatasetFolder,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    labels: Annotated[str, typer.Option(help="The label set to examine.")] = "cip",
    probabilities: Annotated[
        Path | None,
        typer.Option(help="Folder of <id>.npy, (class, row, column) out-of-fold probabilities of a network."),
    ] = None,
    part: Part = "all",
    folds: Annotated[int, typer.Option(min=2, help="Folds of the pixel model, used when there are none.")] = 5,
    ignore: Annotated[int | None, typer.Option(help="Label of pixels that count neither way.")] = None,
    min_area: Annotated[int, typer.Option(help="Smallest event, in pixels.")] = 4,
    seed: Annotated[int, typer.Option(help="Of the folds and the pixel model.")] = 0,
) -> None:
    """Find labels that are probably wrong: issues.parquet and .csv, one row per event, and queue.csv, one per field.

    `noisylabels annotate score PROJECT label_issue --table queue.csv` orders the annotators' queue by it.
    """
    from noisylabels.noise.detection.study import detect_in_dataset

    found = detect_in_dataset(
        dataset, out, labels=labels, probabilities=probabilities, part=part, n_folds=folds, ignore_index=ignore,
        min_area_px=min_area, seed=seed, watch=lambda cases: _watched(cases, labels),
    )  # fmt: skip
    typer.echo(found.describe())


def _watched(cases: Iterable[Item], name: str) -> Iterator[Item]:
    """Show progress on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return iter(track(cases, name, console=console, transient=True, disable=not console.is_terminal))

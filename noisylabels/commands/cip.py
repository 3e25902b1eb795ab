"""`noisylabels cip`: label maps of a conventional pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import SOME_FAILED, Name, Overwrite, Workers, counting

app = typer.Typer()


@app.command()
def cip(
    source: Annotated[Path, typer.Argument(help="Dataset folder, or one image file (then give --out).")],
    preset: Annotated[str, typer.Option(help="lcsb-rosella-lc3-2017, rosella-lc3-mended or nuclei.")] = (
        "lcsb-rosella-lc3-2017"
    ),
    settings: Annotated[Path | None, typer.Option(help="YAML file of settings that differ from the preset.")] = None,
    name: Name = "cip",
    out: Annotated[Path | None, typer.Option(help="Folder for the label map of a single file.")] = None,
    channels: Annotated[str, typer.Option(help="Positions of DsRed and pHluorin, as 0,1; else by name.")] = "",
    phases: Annotated[bool, typer.Option(help="Keep the four phases instead of the paper's two.")] = False,
    reference: Annotated[str, typer.Option(help="Label set to compare with: prints a table of errors.")] = "",
    workers: Workers = 1,
    overwrite: Overwrite = False,
) -> None:
    """Label images with a conventional pipeline (the CIP), as weak labels to train on."""
    from noisylabels.cip import labelling
    from noisylabels.data.errors import InputError

    if not source.exists():
        msg = f"{source} must be a dataset folder or an image file, but it does not exist. Check the path."
        raise FileNotFoundError(msg)
    chosen = labelling.load_pipeline(preset, settings)
    if source.is_file():
        labeller, tasks, dataset = labelling.plan_file(source, chosen, out=out, channels=channels, phases=phases)
    else:
        labeller, tasks, dataset = labelling.plan_dataset(source, chosen, name=name, channels=channels, phases=phases)
    if dataset and reference:
        dataset.require_labels(reference)
    labelling.prepare_label_set(tasks, labeller, overwrite=overwrite or dataset is None)
    failures = []
    with counting(name, len(tasks)) as advance:
        for _, failure in labelling.label_files(tasks, labeller, workers=workers):
            failures += [failure] if failure else []
            advance()
    if failures and dataset is None:
        labelling.forget_label_set(tasks)
        raise InputError(failures[0])
    for failure in failures:
        typer.echo(f"noisylabels: {failure}", err=True)
    typer.echo(f"{tasks[0].target.parent}: {len(tasks) - len(failures)} label maps, {len(failures)} failed")
    if dataset and reference and len(failures) < len(tasks):
        typer.echo(labelling.describe_errors(dataset, reference, name, phases=phases))
    if failures:
        raise typer.Exit(SOME_FAILED)

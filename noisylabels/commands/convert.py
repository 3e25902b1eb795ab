"""`noisylabels convert`: look at a plate as its microscope wrote it, and write it as OME-Zarr."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from noisylabels.commands.options import MOST_SHOWN, SOME_FAILED, Action, AsJson, Pattern, Projection, Sequence
from noisylabels.data.errors import InputError
from noisylabels.plates.formats import open_plates
from noisylabels.plates.overview import describe, plate_map
from noisylabels.plates.plate import Choice, Plate

app = typer.Typer(no_args_is_help=True)

Source = Annotated[Path, typer.Argument(help="A plate, or a folder of plates, as the microscope wrote it.")]
Target = Annotated[Path | None, typer.Argument(help="Folder for the OME-Zarr plates; needed unless --dry-run.")]
Channels = Annotated[str | None, typer.Option(help="Channels to take, in order, separated by commas.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plate map and what is missing; write nothing.")]


@app.command()
def convert(
    source: Source,
    target: Target = None,
    pattern: Pattern = None,
    channels: Channels = None,
    time: Annotated[int | None, typer.Option(help="Time point; all if not given.")] = None,
    projection: Projection = False,
    sequence: Sequence = "latest",
    action: Action = "latest",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Convert plates to OME-Zarr 0.5, or only look at them (--dry-run). Nothing is overwritten."""
    plates = open_plates(source, pattern=pattern, choice=Choice(projection, sequence, action))
    if dry_run:
        for plate in plates:
            typer.echo(json.dumps(describe(plate)) if as_json else _portrait(plate))
        return
    if target is None:
        msg = "A folder to write to must be given, got none. Add it after the source, or use --dry-run."
        raise InputError(msg)
    wanted = channels.split(",") if channels else None
    reports = [
        _convert(plate, target / f"{plate.name}.ome.zarr", wanted, time, alone=len(plates) == 1) for plate in plates
    ]
    for report in reports:
        typer.echo(json.dumps(report) if as_json else _describe(report))
    if any(report["problems"] for report in reports):
        raise typer.Exit(SOME_FAILED)


def _convert(
    plate: Plate, folder: Path, channels: list[str] | None, time: int | None, *, alone: bool
) -> dict[str, Any]:
    from noisylabels.plates.omezarr_writer import write_plate

    try:
        left_out = write_plate(folder, plate, channels=channels, time=time)
    except InputError as error:
        if alone:
            raise
        problems = [*plate.problems, str(error)]
        return {"plate": plate.name, "folder": str(folder), "fields": 0, "problems": problems}
    n_fields = sum(1 for _ in plate.fields)
    problems = [*plate.problems, *left_out]
    return {"plate": plate.name, "folder": str(folder), "fields": n_fields - len(left_out), "problems": problems}


def _describe(report: dict[str, Any]) -> str:
    lines = [f"{report['plate']}: {report['fields']} fields -> {report['folder']}"]
    return "\n".join([*lines, *_shortened(report["problems"])])


def _portrait(plate: Plate) -> str:
    facts = describe(plate)
    lines = [
        f"plate {plate.name} ({plate.format}): {facts['wells']} wells, {facts['fields']} fields, "
        f"{len(plate.channels)} channel{'s' * (len(plate.channels) > 1)} ({', '.join(plate.channels)}), "
        f"pixel {facts['pixel_size_um'] or 'unknown'} um",
        plate_map(plate),
    ]
    if facts["missing"]:
        lines.append(f"{len(facts['missing'])} planes are missing:")
        lines += _shortened([f"{entry['field']}: {entry['path']}" for entry in facts["missing"]])
    return "\n".join([*lines, *_shortened(facts["problems"])])


def _shortened(lines: list[str]) -> list[str]:
    more = [f"  ... and {len(lines) - MOST_SHOWN} more (all with --json)"] if len(lines) > MOST_SHOWN else []
    return [*(f"  {line}" for line in lines[:MOST_SHOWN]), *more]

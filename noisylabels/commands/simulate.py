"""`noisylabels simulate`: fields of Rosella cells with perfect truth."""

from pathlib import Path
from typing import Annotated

import typer

from noisylabels.commands.options import Fractions, Workers, counting, read_fractions

app = typer.Typer()


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Dataset folder to make, or to go on with.")],
    fields: Annotated[int, typer.Option(help="How many fields.")] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the screen.")] = 0,
    rows: Annotated[int | None, typer.Option(help="Height in pixels; 512 if nothing else says so.")] = None,
    columns: Annotated[int | None, typer.Option(help="Width in pixels; 680 if nothing else says so.")] = None,
    planes: Annotated[int | None, typer.Option(help="z-planes: 1 or 5.")] = None,
    preset: Annotated[str, typer.Option(help="rosella-lc3, rosella-lc3-new-screen, ...")] = "rosella-lc3",
    settings: Annotated[Path | None, typer.Option(help="YAML or JSON file of settings that differ.")] = None,
    plate: Annotated[str, typer.Option(help="untreated, treatments, dose-response or TABLE.csv.")] = "untreated",
    plate_name: Annotated[str, typer.Option(help="Name of the plate; another name is another plate.")] = "P1",
    plates: Annotated[int, typer.Option(help="Plates P1, P2, ... that differ as days do, split by plate.", min=1)] = 1,
    fields_per_well: Annotated[int | None, typer.Option(help="As few as the plate allows if not given.")] = None,
    fractions: Fractions = "0.85,0.1,0.05",
    workers: Workers = 1,
) -> None:
    """Simulate fields of Rosella cells with perfect truth into a dataset folder."""
    from noisylabels import simulation
    from noisylabels.data.errors import InputError
    from noisylabels.data.settings import read_mapping

    frame = {"rows": rows, "columns": columns, "planes": planes}
    chosen = simulation.preset(preset).replaced(read_mapping(settings) if settings else {})
    chosen = chosen.replaced({"frame": {name: value for name, value in frame.items() if value is not None}})
    layout = simulation.lay_out(plate, chosen.plate)
    if plates > 1:
        if plate_name != "P1":
            msg = f"--plate-name must be left out with --plates, got {plate_name!r}. Plates are called P1, P2, ..."
            raise InputError(msg)
        plan = simulation.plan_plates(
            layout, n_plates=plates, n_fields=fields, seed=seed, fields_per_well=fields_per_well
        )
    else:
        plan = simulation.plan_fields(
            layout, n_fields=fields, seed=seed, plate=plate_name, fields_per_well=fields_per_well
        )
    with counting("simulate", len(plan)) as advance:
        dataset = simulation.simulate_dataset(
            out,
            chosen,
            plan,
            seed=seed,
            fractions=read_fractions(fractions),
            varied=plates > 1,
            workers=workers,
            on_field=lambda _: advance(),
        )
    counts = ", ".join(f"{len(dataset.ids(name))} {name}" for name in ("training", "validation", "test"))
    typer.echo(f"{out}: {len(dataset.ids())} simulated fields ({counts}); labels {', '.join(dataset.label_names())}")

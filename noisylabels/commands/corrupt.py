"""`noisylabels corrupt`: label errors of chosen kinds and doses, logged."""

from typing import Annotated

import typer

from noisylabels.commands.options import SOME_FAILED, DatasetFolder, Labels, Name, Overwrite, Workers, watch

app = typer.Typer()


@app.command()
def corrupt(
    dataset: DatasetFolder,
    noise: Annotated[
        str, typer.Option(help="careful, conservative, liberal, cip-lcsb, a profile.json, or a model's YAML file.")
    ],
    labels: Labels = "truth",
    name: Name = "noisy",
    seed: Annotated[int | None, typer.Option(help="Noise seed, instead of the model's own.")] = None,
    workers: Workers = 1,
    overwrite: Overwrite = False,
) -> None:
    """Inject label errors into a dataset folder: label maps, errors.parquet with one row per error, provenance.json.

    Killed and started again, it goes on where it was.
    """
    from noisylabels.data.dataset import open_dataset
    from noisylabels.noise.corruption import corrupt_dataset, make_recipe, summarise_log
    from noisylabels.noise.log import read_log
    from noisylabels.noise.presets import load_noise

    model = load_noise(noise, open_dataset(dataset).classes, seed=seed)
    recipe = make_recipe(dataset, model, source=labels, name=name)
    done = list(watch(corrupt_dataset(recipe, n_workers=workers, overwrite=overwrite), name))
    faults = [(case_id, fault) for case_id, fault in done if fault is not None]
    for case_id, fault in faults:
        typer.echo(f"noisylabels: {case_id}: {fault}", err=True)
    counts = summarise_log(read_log(recipe.target / "errors.parquet"))
    injected = ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "no error"
    typer.echo(f"{recipe.target}: {len(done) - len(faults)} label maps, {len(faults)} failed; {injected}")
    if faults:
        raise typer.Exit(SOME_FAILED)

"""Commands: train, predict, lint-bundle."""

from typing import Annotated

import typer

from noisylabels.data.errors import InputError

app = typer.Typer()

OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}

Bundle = Annotated[str, typer.Argument(help="cdl, mdl, or the folder of a bundle.")]
Presets = Annotated[list[str] | None, typer.Option("--preset", help="Config file merged over the bundle's, by name.")]


@app.command(context_settings=OVERRIDES)
def train(context: typer.Context, bundle: Bundle = "cdl", preset: Presets = None) -> None:
    """Train a bundle on a dataset folder: noisylabels train cdl --dataset_dir D --output_dir R.

    Every other option is an id of the bundle's config and its new value: --num_epochs 3 --label_name cip.
    Started again after a kill, the same command continues, and ends with the same weights.
    """
    from noisylabels.learning import launcher

    launch = launcher.plan_training(bundle, preset or (), read_overrides(context.args))
    typer.echo(launch.command_line())
    launcher.run(launch)


@app.command(context_settings=OVERRIDES)
def predict(context: typer.Context, bundle: Bundle = "cdl", preset: Presets = None) -> None:
    """Write a label map for every field: noisylabels predict cdl --dataset_dir D --ckpt_path R/model.pt.

    Label maps go to labels/<method>/ of the dataset folder (--method, the bundle's name by default), or to
    --output_dir. A plain folder of images will do as --dataset_dir. Without --ckpt_path the weights are those of
    runs/<bundle>, where training puts them.
    """
    from noisylabels.learning import launcher

    launch = launcher.plan_prediction(bundle, preset or (), read_overrides(context.args))
    typer.echo(launch.command_line())
    launcher.run(launch)
    typer.echo(f"label maps: {launcher.find_output(launch)}")


@app.command("lint-bundle")
def lint_bundle(
    bundle: Bundle,
    everything: Annotated[bool, typer.Option("--all", help="List what is on the allow-list too.")] = False,
) -> None:
    """List what a bundle's configs would call or evaluate that is not on the allow-list, without running it.

    Configs are code: read what is listed before you run a bundle of a stranger. Exit code 3 if there is any.
    """
    from noisylabels.learning import launcher, lint

    findings = lint.lint_bundle(launcher.find_bundle(bundle))
    outside = [finding for finding in findings if finding.fault]
    for finding in findings if everything else outside:
        verdict = finding.fault or "allowed"
        typer.echo(f"{finding.file}: {finding.id}: {finding.text}  [{verdict}]")
    typer.echo(f"{len(findings)} targets and expressions, {len(outside)} outside the allow-list")
    if outside:
        raise typer.Exit(3)


def read_overrides(words: list[str]) -> dict[str, str]:
    """Read `--id value` pairs.

    Args:
        words: What stands on the command line after the command's own options.

    Returns:
        Value as written, by id.

    Raises:
        InputError: If a word is not an option, or an option has no value.

    Examples:
        >>> read_overrides(["--num_epochs", "3", "--train::trainer::max_epochs=2"])
        {'num_epochs': '3', 'train::trainer::max_epochs': '2'}
    """
    overrides: dict[str, str] = {}
    remaining = iter(words)
    for word in remaining:
        if not word.startswith("--"):
            msg = f"An override must be written --id value, got {word!r}. Put -- before its id."
            raise InputError(msg)
        key, equals, value = word[2:].partition("=")
        if not equals:
            following = next(remaining, None)
            if following is None:
                msg = f"An override must have a value, got --{key} and nothing after it. Write --{key} VALUE."
                raise InputError(msg)
            value = following
        overrides[key] = value
    return overrides

"""`noisylabels lint-bundle`: what a bundle's configs would call or evaluate."""

from typing import Annotated

import typer

from noisylabels.commands.overrides import Bundle

REFUSED = 2

app = typer.Typer()


@app.command("lint-bundle")
def lint_bundle(
    bundle: Bundle,
    everything: Annotated[bool, typer.Option("--all", help="List what is on the allow-list too.")] = False,
) -> None:
    """List what a bundle's configs would call or evaluate that is not on the allow-list, without running it.

    Configs are code: read what is listed before you run a bundle of a stranger. Exit code 2 if there is any.
    """
    from noisylabels.learning import lint
    from noisylabels.learning.launch import find_bundle

    findings = lint.lint_bundle(find_bundle(bundle))
    outside = [finding for finding in findings if finding.fault]
    for finding in findings if everything else outside:
        verdict = finding.fault or "allowed"
        place = f"{finding.file}: {finding.id}: {finding.text}" if finding.id else finding.file
        typer.echo(f"{place}  [{verdict}]")
    typer.echo(f"{len(findings)} targets, expressions and files, {len(outside)} outside the allow-list")
    if outside:
        raise typer.Exit(REFUSED)

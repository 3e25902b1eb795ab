"""Commands: annotate PROJECT, and what is done to a project without a browser."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

app = typer.Typer()
DEFAULT_URL = "http://127.0.0.1:8765"
SOME_LEFT_OUT = 3


class ServeByDefault(TyperGroup):
    """A group whose first word, when it is no command of the group, is a project to serve."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `serve` in front of a project."""
        known = args and (args[0] in self.commands or args[0] in ("--help", "-h"))
        return super().parse_args(ctx, args if known or not args else ["serve", *args])


annotate = typer.Typer(cls=ServeByDefault, no_args_is_help=True, help="Correct, box and blindly rate in a browser.")
app.add_typer(annotate, name="annotate")

ProjectFile = Annotated[Path, typer.Argument(help="Project file, made by `noisylabels annotate create`.")]
Seed = Annotated[int, typer.Option(help="Same seed, same draw.")]


@annotate.command()
def serve(
    project: ProjectFile,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but this machine's own needs --token-file.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8765,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the owner's token, instead of a link that works once; without it, NOISYLABELS_TOKEN of the "
            "environment, if set. On the command line it would show in the list of processes."
        ),
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where a proxy or tunnel is reached, for instance https://desk.lab.example.")
    ] = None,
    bundle: Annotated[list[str] | None, typer.Option(help="A network that may predict: NAME=path/of/model.pt.")] = None,
) -> None:
    """Serve a project: prints a link to open in a browser. `noisylabels annotate PROJECT` does the same."""
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.server import Address
    from noisylabels.annotation.server import serve as run

    address, checkpoints = Address(host, port, _token(token_file), public_url), _checkpoints(bundle or [])
    with Project(project) as opened:
        run(opened, address, checkpoints=checkpoints)


@annotate.command()
def create(
    project: Annotated[Path, typer.Argument(help="The new project file, for instance screen.desk.")],
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with the images (and label maps to start from).")],
    quarters: Annotated[bool, typer.Option(help="Cut every field in four, the paper's MDL unit.")] = False,
    start: Annotated[str, typer.Option(help="What corrections start from: a label set, or blank.")] = "blank",
    owner: Annotated[str, typer.Option(help="Your name, as it shall stand at what you correct.")] = "owner",
    seed: Seed = 0,
) -> None:
    """Make a project file for the fields of a dataset folder."""
    from dataclasses import replace

    from noisylabels.annotation.fields import create_project
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.queue import change_queue, queue_settings
    from noisylabels.annotation.users import owner_of

    create_project(project, dataset, quarters=quarters, seed=seed, owner=owner)
    with Project(project) as opened:
        if start != "blank":
            change_queue(opened, owner_of(opened), replace(queue_settings(opened), start=start))
        n_fields = opened.value("SELECT count(*) FROM field")
    typer.echo(f"{project}: {n_fields} fields. Serve it: noisylabels annotate {project}")


@annotate.command()
def invite(
    project: ProjectFile,
    names: Annotated[
        list[str], typer.Argument(help="People; raters and experts were named when their work was planned.")
    ],
    url: Annotated[
        str | None, typer.Option(help="Where the server can be reached; where it was reached last, if not given.")
    ] = None,
) -> None:
    """Print a link for each person, good for one opening. New names become annotators, who correct."""
    from noisylabels.annotation.cookies import invite as make
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.users import add_person, check_name, people_of

    with Project(project) as opened:
        known = {person.name: person for person in people_of(opened)}
        home = (url or opened.value("SELECT value ->> '$' FROM setting WHERE name = 'address'") or DEFAULT_URL).rstrip(
            "/"
        )
        for name in names:
            person = known.get(check_name(name)) or add_person(opened, name, "annotator")
            typer.echo(f"{person.name} ({person.role}): {home}/?token={make(opened, person)}")


@annotate.command()
def revoke(
    project: ProjectFile, names: Annotated[list[str], typer.Argument(help="People whose links and cookies shall end.")]
) -> None:
    """End the links and cookies of people; what they did stays. A new link lets them in again."""
    from noisylabels.annotation.cookies import revoke as end
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.users import person_of

    with Project(project) as opened:
        people = [person_of(opened, name) for name in names]
        for person in people:
            n_cookies, n_links = end(opened, person, "")
            typer.echo(f"{person.name}: {n_cookies} browsers logged out, {n_links} unopened links ended.")


@annotate.command()
def relink(
    project: ProjectFile, dataset: Annotated[Path, typer.Argument(help="Where the dataset folder lies now.")]
) -> None:
    """Record that the dataset folder was moved. Images that are missing or others are named."""
    from noisylabels.annotation.fields import relink as link
    from noisylabels.annotation.project import Project

    with Project(project) as opened:
        others = link(opened, dataset)
    typer.echo(f"{project}: linked with {dataset}.")
    if others:
        typer.echo(f"{len(others)} images are missing or others than they were: {', '.join(others[:10])}", err=True)
        raise typer.Exit(SOME_LEFT_OUT)


@annotate.command()
def status(project: ProjectFile) -> None:
    """Return how far the work is: fields by state, and each person's. No method is named."""
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.tables import summarise

    with Project(project) as opened:
        for line in summarise(opened):
            typer.echo(line)


@annotate.command()
def queue(
    project: ProjectFile,
    strategy: Annotated[
        str | None, typer.Option(help="order, uncertainty, disagreement, label_issue or random.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="A label set of the dataset folder, or blank.")] = None,
    random_share: Annotated[float | None, typer.Option(help="Share of the random stratum, in [0, 1].")] = None,
    repeat_share: Annotated[float | None, typer.Option(help="Hidden repeats per accepted field, in [0, 1].")] = None,
) -> None:
    """Show or change how fields are handed out."""
    from dataclasses import asdict, replace

    from noisylabels.annotation.project import Project
    from noisylabels.annotation.queue import change_queue, queue_settings
    from noisylabels.annotation.users import owner_of

    given = {"strategy": strategy, "start": start, "random_share": random_share, "repeat_share": repeat_share}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with Project(project) as opened:
        if changes:
            change_queue(opened, owner_of(opened), replace(queue_settings(opened), **changes))
        for name, value in asdict(queue_settings(opened)).items():
            typer.echo(f"{name}: {value}")


@annotate.command()
def score(
    project: ProjectFile,
    strategy: Annotated[str, typer.Argument(help="uncertainty, disagreement or label_issue.")],
    table: Annotated[
        Path | None, typer.Option(help="CSV with the columns field and value; else it is computed.")
    ] = None,
    methods: Annotated[tuple[str, str], typer.Option(help="The label sets whose disagreement counts.")] = (
        "cip",
        "cdl",
    ),
    bundle: Annotated[
        str | None, typer.Option(help="The network whose uncertainty counts: NAME=path/of/model.pt.")
    ] = None,
) -> None:
    """Compute or load the scores that order the queue."""
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.queue import set_priorities
    from noisylabels.annotation.scores import (
        measure_disagreement,
        measure_uncertainty,
        read_scores,
        share_with_quarters,
    )
    from noisylabels.data.errors import InputError

    with Project(project) as opened:
        if table is not None:
            values = share_with_quarters(opened, read_scores(table))
        elif strategy == "disagreement":
            values = measure_disagreement(opened, methods)
        elif strategy == "uncertainty" and bundle:
            ((name, checkpoint),) = _checkpoints([bundle]).items()
            values = measure_uncertainty(opened, name, checkpoint)
        else:
            msg = (
                f"Scores of {strategy} must come from --table or, for uncertainty, from --bundle, got "
                "neither. Give one."
            )
            raise InputError(msg)
        set_priorities(opened, strategy, values)
    typer.echo(f"{strategy}: {len(values)} fields scored.")


@annotate.command()
def study(
    project: ProjectFile,
    raters: Annotated[list[str], typer.Argument(help="Their names; the paper has four.")],
    methods: Annotated[tuple[str, str], typer.Option(help="The two label sets to compare.")] = ("cip", "cdl"),
    images: Annotated[int, typer.Option(help="Images that count.")] = 40,
    subsets: Annotated[int, typer.Option(help="Parts of the images; each rater sees one.")] = 2,
    training: Annotated[int, typer.Option(help="Images shown first that do not count.")] = 3,
    repeat_share: Annotated[float, typer.Option(help="Hidden repeats per image, in [0, 1].")] = 0.1,
    seed: Seed = 0,
) -> None:
    """Plan a blinded rating study: everything is drawn now, before the first score."""
    from noisylabels.annotation.allocation import StudySettings
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.ratings import create_study

    settings = StudySettings(methods, images, subsets, training, repeat_share)
    with Project(project) as opened:
        n_trials = create_study(opened, raters, settings, seed=seed)
    typer.echo(f"{n_trials} trials drawn. Make their links: noisylabels annotate invite {project} {' '.join(raters)}")


@annotate.command()
def boxes(
    project: ProjectFile,
    group: Annotated[list[str], typer.Option(help="Experts of one group, separated by commas; once per group.")],
    n_fields: Annotated[int, typer.Option(min=1, help="Fields to draw from the random order.")] = 20,
    seed: Seed = 0,
) -> None:
    """Assign fields to groups of experts, who draw boxes."""
    from noisylabels.annotation.boxes import assign_boxes
    from noisylabels.annotation.project import Project

    with Project(project) as opened:
        rows = opened.rows("SELECT name FROM field ORDER BY lot LIMIT ?", n_fields)
        groups = [names.split(",") for names in group]
        n_tasks = assign_boxes(opened, groups, [row["name"] for row in rows], seed=seed)
    typer.echo(f"{n_tasks} tasks. Make the experts' links: noisylabels annotate invite {project} NAME...")


@annotate.command()
def export(
    project: ProjectFile,
    folder: Annotated[Path, typer.Argument(help="Where to write.")],
    form: Annotated[
        str, typer.Option("--format", help="dataset, tiff, nifti, ome-zarr, roi (ImageJ), geojson (QuPath), instances.")
    ] = "dataset",
    hold_out_random: Annotated[bool, typer.Option(help="Put the random stratum into the test list.")] = False,
) -> None:
    """Write accepted corrections, with the audit trail, the times and costs, and all boxes as tables."""
    from noisylabels.annotation.export import FORMATS, export_dataset, export_files
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.tables import export_audit, export_boxes, export_comments, export_costs, export_times
    from noisylabels.annotation.zarr_labels import export_ome_zarr
    from noisylabels.data.errors import InputError

    writers = {
        "dataset": lambda opened: export_dataset(opened, folder, hold_out_random=hold_out_random),
        "tiff": lambda opened: export_files(opened, folder, "tiff"),
        "nifti": lambda opened: export_files(opened, folder, "nifti"),
        "ome-zarr": lambda opened: export_ome_zarr(opened, folder),
        "roi": lambda opened: export_files(opened, folder, "roi"),
        "geojson": lambda opened: export_files(opened, folder, "geojson"),
        "instances": lambda opened: export_files(opened, folder, "instances"),
    }
    if form not in writers:
        msg = f"A format must be one of {', '.join(FORMATS)}, got {form!r}. Use one of these."
        raise InputError(msg)
    with Project(project) as opened:
        written = writers[form](opened)
        n_revisions = export_audit(opened, folder / "audit.csv")
        export_times(opened, folder / "times.csv")
        export_costs(opened, folder / "costs.csv")
        export_comments(opened, folder / "comments.csv")
        n_boxes = export_boxes(opened, folder)
    typer.echo(f"{folder}: {written.n_fields} fields, {n_revisions} revisions, {n_boxes} boxes.")
    if written.left_out:
        for name, reason in written.left_out.items():
            typer.echo(f"left out {name}: {reason}", err=True)
        raise typer.Exit(SOME_LEFT_OUT)


@annotate.command("import")
def import_(
    project: ProjectFile,
    files: Annotated[
        list[Path], typer.Argument(help="ROI zips or GeoJSON files, each named after its field, as export writes them.")
    ],
    person: Annotated[
        str | None, typer.Option(help="Whose corrections they become; the owner's, if not given.")
    ] = None,
    accept: Annotated[bool, typer.Option(help="Accept the fields too, so that they count.")] = False,
) -> None:
    """Draw files of outlines into their fields: corrections made in Fiji or QuPath. The maps before are kept."""
    from noisylabels.annotation.imports import import_outlines
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.users import owner_of, person_of

    with Project(project) as opened:
        who = owner_of(opened) if person is None else person_of(opened, person)
        done = import_outlines(opened, who, files, accept=accept)
    typer.echo(f"{project}: {len(done.fields)} fields drawn by {who.name}{', accepted' if accept else ''}.")
    if done.left_out:
        for name, reason in done.left_out.items():
            typer.echo(f"left out {name}: {reason}", err=True)
        raise typer.Exit(SOME_LEFT_OUT)


@annotate.command()
def unblind(
    project: ProjectFile,
    folder: Annotated[Path, typer.Argument(help="Where ratings.csv is written.")],
    force: Annotated[bool, typer.Option(help="Although trials are open; the log keeps it.")] = False,
) -> None:
    """Write the scores with their methods' names. That it was done, and when, stays in the project."""
    from noisylabels.annotation.project import Project
    from noisylabels.annotation.unblinding import unblind as write
    from noisylabels.annotation.unblinding import unjudged_trials

    with Project(project) as opened:
        counted, every = write(opened, folder, force=force)
        unjudged = {name: n for name, n in unjudged_trials(opened).items() if n}
    typer.echo(f"{counted} (the scores that count), {every} (all of them).")
    if unjudged:
        who = ", ".join(f"{name} {n}" for name, n in unjudged.items())
        typer.echo(f"{sum(unjudged.values())} trials cannot be judged ({who}): they are no scores.")


def _token(path: Path | None) -> str | None:
    from noisylabels.data.errors import InputError

    if path is None:
        return os.environ.get("NOISYLABELS_TOKEN")
    if not path.is_file():
        msg = f"A token file must exist, got {path}. Write a long secret into it, readable by you alone."
        raise InputError(msg)
    return path.read_text(errors="replace").strip()


def _checkpoints(pairs: list[str]) -> dict[str, Path]:
    from noisylabels.data.errors import InputError

    checkpoints = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        if not name or not Path(path).is_file():
            msg = f"A bundle must be NAME=path of an existing model.pt, got {pair!r}. Train one: noisylabels train."
            raise InputError(msg)
        checkpoints[name] = Path(path).resolve()
    return checkpoints

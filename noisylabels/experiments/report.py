"""The report of an experiment: what the curves say, how sure, and how to repeat any cell of the grid."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.report.assembly import version_facts, write_report
from evaluation.report.markdown import write_markdown
from evaluation.report.pages import Check, Report, Section
from evaluation.report.tables import Table
from noisylabels.data.labels import ClassTable
from noisylabels.experiments.collection import collect, read_result
from noisylabels.experiments.contrasts import contrast_section, teacher_contrasts
from noisylabels.experiments.curves import TEACHER, Arm, Contrast, recall_by_quartile, score_arms, summarise_curve
from noisylabels.experiments.declaration import CLEAN, Declaration
from noisylabels.experiments.epochs import epoch_section
from noisylabels.experiments.figures import draw_curves, draw_recall, draw_sizes
from noisylabels.experiments.memorisation import memorisation_section
from noisylabels.experiments.method_rows import MANY, draw_method_rows
from noisylabels.experiments.runner import Planned
from noisylabels.experiments.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

FEW_SEEDS = 3
REPEAT = "repeat"


def report(
    declaration: Declaration,
    planned: Sequence[Planned],
    folder: Path,
    *,
    publish: Path | None = None,
) -> Path:
    """Write report.html, its tables as CSV and its figures as SVG.

    Args:
        declaration: What was declared.
        planned: The runs of the grid, done or not.
        folder: The experiment's folder.
        publish: A folder that gets the report as README.md with its tables and figures beside it, for a repository.

    Returns:
        The path of the page.

    Raises:
        InputError: If no run is done.
    """
    page = make_report(declaration, planned, folder)
    if publish is not None:
        # The lines that repeat a cell name folders of the machine that ran it.
        shown = tuple(section for section in page.sections if section.anchor != REPEAT)
        write_markdown(replace(page, sections=shown), publish, commands=list_commands(declaration))
    return write_report(page, folder)


def list_commands(declaration: Declaration) -> list[str]:
    """List the lines that run an experiment and report it; where its images lie each reader has to say."""
    images = " --data FOLDER" if "$data" in str(declaration.data.imported) else ""
    name = declaration.name
    return [f"noisylabels experiment run {name}{images}", f"noisylabels experiment report {name}"]


def make_report(declaration: Declaration, planned: Sequence[Planned], folder: Path) -> Report:
    """Put the report together, and write the tidy tables of `collect`.

    Args:
        declaration: What was declared.
        planned: The runs of the grid, done or not.
        folder: The experiment's folder.

    Raises:
        InputError: If no run is done.
    """
    tables = collect(planned, folder)
    arms = score_arms(tables["fields"])
    contrasts = teacher_contrasts(arms, margin=declaration.margin)
    sections = [
        curve_section(declaration, arms),
        contrast_section(arms, contrasts, margin=declaration.margin, methods=declaration.methods),
        event_section(tables["events"], Workspace(folder, declaration).data().classes),
        epoch_section(tables["epochs"]),
        memorisation_section(tables["epochs"]),
        repeat_section(planned, folder),
    ]
    return Report(
        title=f"Experiment: {declaration.name}",
        verdict=f"{declaration.question} {verdict(contrasts)}",
        light="good" if contrasts else "doubt",
        facts=tuple((_facts(declaration, planned) | version_facts()).items()),
        checks=tuple(_checks(declaration, planned, folder)),
        sections=tuple(section for section in sections if section is not None),
    )


def curve_section(declaration: Declaration, arms: Sequence[Arm]) -> Section:
    """Scores by dose, and what each curve comes down to."""
    sizes = list(dict.fromkeys(arm.n_train for arm in arms))
    many = len(sizes) == 1 and len(declaration.methods) > MANY
    drawn = [] if many and len({arm.dose for arm in arms}) == 1 else sizes  # one dose of many methods is rows, no curve
    figures = [
        draw_curves(
            [arm for arm in arms if arm.n_train == size],
            references=_references(declaration, arms, size),
            name="curves" if size is None else f"curves_{size}",
        )
        for size in drawn
    ]
    if len(sizes) > 1:
        figures.append(draw_sizes(arms))
    if many:
        figures.append(draw_method_rows(arms, references=_references(declaration, arms, sizes[0])))
    lead = "Every score is on clean test fields; the labels' own score is that of their labels, corrupted alike."
    tables = [table for table in (_arm_table(arms), _summary_table(arms)) if table.rows]
    return Section("curves", "Dose-response", lead, (*figures, *tables))


def event_section(events: "pd.DataFrame", classes: ClassTable) -> Section:
    """Which events are found, by class, brightness and size."""
    tables = {by: recall_by_quartile(events, by=by, classes=classes) for by in ("brightness", "area_px")}
    figures = [draw_recall(table, by=by) for by, table in tables.items()]
    lead = "A systematic error shows as a quartile that is never found: no loss recovers what is never labelled."
    columns = ["noise", "dose", "method", "class", "quartile", "n_events", "recall"]
    rows = tuple((by, *row) for by, table in tables.items() for row in table[columns].to_numpy(object).tolist())
    heads = ("feature", "noise", "dose", "method", "class", "quartile", "events", "recall")
    listing = Table("recall", "Recall by class and quartile", heads, rows, shown=24)
    return Section("events", "Events", lead, (*figures, listing))


def repeat_section(planned: Sequence[Planned], folder: Path) -> Section:
    """The lines that repeat each run alone."""
    rows = []
    for item in planned:
        if item.state == "done":
            arm = f"{item.run.noise} {item.run.dose:g}, {item.run.method}"
            head = (item.run_id, arm, item.run.noise_seed, item.run.weights_seed)
            rows += [(*head, line) for line in read_result(folder, item.run_id)["commands"]]
    heads = ("run", "arm", "noise seed", "weights seed", "command")
    table = Table("commands", "Every cell alone", heads, tuple(rows), grouped=True, shown=12)
    return Section(REPEAT, "Repeat it", "Run them in the order given, from the folder of the experiment.", (table,))


def verdict(contrasts: Sequence[Contrast]) -> str:
    """Return in one sentence which arms are above their labels, and which below: methods by noise and dose."""
    above = [c.arm for c in contrasts if c.difference.low > 0]
    below = [c.arm for c in contrasts if c.difference.high < 0]
    open_ = len(contrasts) - len(above) - len(below)
    return (
        f"Of {len(contrasts)} noisy arms, above their labels {_list_arms(above)}; "
        f"below {_list_arms(below)}; not decided {open_}."
    )


def _list_arms(arms: Sequence[Arm]) -> str:
    methods: dict[str, list[str]] = {}
    for arm in arms:
        size = "" if arm.n_train is None else f", {arm.n_train} fields"
        methods.setdefault(f"{arm.noise} {arm.dose:g}{size}", []).append(arm.method)
    listed = "; ".join(f"{noise}: {', '.join(names)}" for noise, names in methods.items())
    return f"{len(arms)} ({listed})" if arms else "none"


def _references(declaration: Declaration, arms: Sequence[Arm], size: int | None) -> dict[str, float]:
    gold = [name for name, method in declaration.methods.items() if method.use == "alone"]
    clean = [arm for arm in arms if arm.noise == CLEAN and arm.n_train == size and arm.method not in (TEACHER, *gold)]
    lines = {"clean ceiling": max(arm.score.estimate for arm in clean)} if clean else {}
    if gold:
        most = max(reversed(gold), key=lambda name: declaration.methods[name].trusted)  # fewer are arms of their own
        found = [arm.score.estimate for arm in arms if arm.method == most and arm.n_train == size]
        lines |= {f"gold only ({declaration.methods[most].trusted} fields)": found[0]} if found else {}
    return lines


def _arm_table(arms: Sequence[Arm]) -> Table:
    rows = tuple(
        (arm.noise, arm.dose, "all" if arm.n_train is None else arm.n_train, arm.method, arm.score) for arm in arms
    )
    return Table("arms", "Every arm", ("noise", "dose", "training fields", "method", "Dice"), rows, grouped=True)


def _summary_table(arms: Sequence[Arm]) -> Table:
    rows = []
    noises = dict.fromkeys(arm.noise for arm in arms if arm.noise != CLEAN)
    for noise in noises:
        for method, size in dict.fromkeys((arm.method, arm.n_train) for arm in arms):
            group = [arm for arm in arms if (arm.method, arm.n_train) == (method, size) and arm.noise in (noise, CLEAN)]
            curve = sorted(group, key=lambda arm: arm.dose)
            if len(curve) > 1 and curve[0].noise == CLEAN:
                rows.append((noise, method, "all" if size is None else size, *summarise_curve(curve).values()))
    note = "ED10, ED50: dose at which Dice has lost 10 % or half of its clean value; empty: not within the doses tried."
    heads = ("noise", "method", "training fields", "ED10", "ED50", "mean over doses")
    return Table("summaries", "What each curve comes down to", heads, tuple(rows), note, grouped=True)


def _facts(declaration: Declaration, planned: Sequence[Planned]) -> dict[str, str]:
    seeds = "; ".join(f"{name} {', '.join(map(str, levels))}" for name, levels in declaration.seeds.items())
    done = [item.seconds for item in planned if item.seconds is not None]
    return {
        "runs": f"{len(done)} of {len(planned)} done, {sum(done) / 60:.0f} minutes in all",
        "seeds": f"{seeds} ({'crossed' if declaration.crossed else 'side by side'})",
        "validation": declaration.validation,
        "bundle": " + ".join([declaration.bundle, *declaration.preset]),
        "trained with": ", ".join(f"{name} {version(name)}" for name in ("monai", "torch")),
        "changed settings": ", ".join(f"{key} = {value}" for key, value in declaration.overrides.items()) or "none",
    }


def _checks(declaration: Declaration, planned: Sequence[Planned], folder: Path) -> list[Check]:
    done = [item for item in planned if item.state == "done"]
    n_missing = len(planned) - len(done)
    sources = {read_result(folder, item.run_id)["code"] for item in done}
    checks = [Check("bad", f"{n_missing} of {len(planned)} runs are not done.")] if n_missing else []
    n_draws = len({(item.run.noise_seed, item.run.weights_seed) for item in done})
    if n_draws < FEW_SEEDS:
        drawn = "One draw" if n_draws == 1 else f"{n_draws} draws"
        within = ", and intervals are over groups of fields only" if n_draws == 1 else ""
        checks.append(Check("doubt", f"{drawn} of noise and weights: signs may be read, sizes hardly{within}."))
    if len(sources) > 1:
        checks.append(Check("doubt", f"The runs were made by {len(sources)} states of the source code."))
    if declaration.data.toy is not None:
        checks.append(Check("doubt", "Toy fields, not cells: a test of the machinery and of signs."))
    return checks or [Check("good", "All runs are done, with several seeds.")]

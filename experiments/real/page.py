"""The reports of the study on real images, from the results of its steps."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from evaluation.report.assembly import version_facts
from evaluation.report.pages import Check, Light, Report, Section
from evaluation.report.tables import Cell, Style, Table
from experiments.real.annotators import CONSENSUS, name_others
from experiments.real.scores import EVENTS_IOU, Row, interval_of_cell, list_metrics
from experiments.real.settings import RealSettings
from noisylabels.labels import ClassTable

METRICS = [metric.name for metric in list_metrics(ClassTable(("background", "event")))]
PRIMARY = METRICS[0]
FOUND, F1 = METRICS[2:]
Results = Mapping[int, Mapping[str, Any]]


def report_nuclei(results: Results, settings: RealSettings) -> Report:
    """Report teacher, CDL and MDL against the curated masks, each seed for itself.

    Args:
        results: Step results by seed and step.
        settings: What was asked for.
    """
    scored = {seed: steps["scores"] for seed, steps in results.items()}
    rows = [(f"seed {seed}", row) for seed, scores in scored.items() for row in scores["scores"]]
    pairs = [(f"seed {seed}", row) for seed, scores in scored.items() for row in scores["differences"]]
    first = next(iter(results.values()))
    fields = first["fields"]
    n_few = len(fields["few"])
    facts = {
        "images": ", ".join(f"{fields[split]} {split}" for split in ("training", "validation", "test")),
        "CDL": f"{settings.epochs} epochs on the teacher's labels, which also choose the epoch",
        "MDL": f"{n_few} curated images, to train on and to choose the epoch; as many steps",
        "intervals": f"95 %, groups of adjacent tiles resampled {settings.resamples} times",
    }
    sections = (
        Section("scores", "Against the curated masks", "", (_scores("scores", "Test images", rows),)),
        Section("differences", "Differences", "Later minus earlier.", (_differences(pairs),)),
    )
    verdict, light = _verdict_of_nuclei(pairs)
    return _report("Real nuclei: teacher, CDL and MDL", verdict, light, facts, settings, results, sections)


def report_annotators(results: Results, settings: RealSettings) -> Report:
    """Report how far experts agree, and whether networks beat the experts they learnt from.

    Args:
        results: Step results by seed and step.
        settings: What was asked for.
    """
    first = next(iter(results.values()))
    labs = [name.removesuffix("-agreement") for name in first if name.endswith("-agreement")]
    agreement = Table(
        "agreement",
        "Experts against each other, and each against the consensus of the others",
        ("laboratory", "images", "experts", f"{PRIMARY}, pairs", f"{F1}, pairs", f"{PRIMARY}, others", f"{F1}, others"),
        tuple(_agreement_row(lab, first[f"{lab}-agreement"]) for lab in labs),
        "Means over pairs, or over experts; in brackets the least and the largest. The consensus is STAPLE's, without "
        "the expert who is held against it.",
    )
    pairs = [
        (head, row)
        for head, row in _by_expert(results, "others", "differences")
        if row["method"] != f"network-{CONSENSUS}" or not row["baseline"].startswith("network-")
    ]
    facts = {
        "networks": f"one per expert and one of the consensus, {settings.epochs} epochs; the labels that are learnt "
        "from choose the epoch",
        "test images": ", ".join(f"{steps['scores']['test']} (seed {seed})" for seed, steps in results.items()),
        "intervals": f"95 %, groups of images resampled {settings.resamples} times",
    }
    lead = (
        "An expert and the network that learnt from that expert alone, both against the consensus of the other experts "
        f"({name_others('expert-k')}). A network of the consensus stands beside them."
    )
    sections = (
        Section("agreement", "The ceiling", "No network can be shown to be better than experts agree.", (agreement,)),
        Section(
            "networks",
            "Network against expert",
            lead,
            (_scores("networks", "Test images", _by_expert(results, "others", "scores")),),
        ),
        Section("differences", "Differences", "Later minus earlier.", (_differences(pairs),)),
        Section(
            "own",
            "Network against its own expert",
            "",
            (_scores("own", "Test images", _by_expert(results, "own", "scores")),),
        ),
    )
    verdict, light = _verdict_of_annotators(pairs)
    title = "Real experts: agreement, and networks that learnt from one of them"
    return _report(title, verdict, light, facts, settings, results, sections)


def _by_expert(results: Results, reference: str, kind: str) -> list[tuple[str, Row]]:
    """Rows of every seed and expert, with what they are about."""
    return [
        (f"seed {seed}, {expert}", row)
        for seed, steps in results.items()
        for expert, scores in steps["scores"]["by_expert"].items()
        for row in scores[reference][kind]
    ]


def _report(
    title: str,
    verdict: str,
    light: Light,
    facts: Mapping[str, str],
    settings: RealSettings,
    results: Results,
    sections: tuple[Section, ...],
) -> Report:
    minutes = sum(step["seconds"] for steps in results.values() for step in steps.values()) / 60
    more = {
        "seeds": ", ".join(map(str, results)),
        "time": f"{minutes:.0f} minutes of wall time in all",
        "trained with": ", ".join(f"{name} {version(name)}" for name in ("monai", "torch")),
        "changed settings": ", ".join(f"{key} = {value}" for key, value in settings.overrides.items()),
    }
    few = [Check("doubt", f"{len(results)} seeds: signs may be read, sizes hardly.")] if len(results) < 3 else []
    return Report(title, verdict, light, tuple((dict(facts) | more | version_facts()).items()), tuple(few), sections)


def _scores(name: str, title: str, rows: Sequence[tuple[str, Row]]) -> Table:
    cells = tuple((head, row["method"], *(interval_of_cell(row[m]) for m in METRICS)) for head, row in rows)
    note = f"{FOUND}, {F1}: events by IoU of their boxes from {EVENTS_IOU:g} on."
    return Table(name, title, ("", "method", *METRICS), cells, note, grouped=True)


def _differences(rows: Sequence[tuple[str, Row]]) -> Table:
    cells = tuple(
        (head, f"{row['method']} - {row['baseline']}", *(interval_of_cell(row[m]) for m in METRICS), row["p"])
        for head, row in rows
    )
    note = f"p: paired permutation test of {PRIMARY}, not adjusted."
    styles: dict[str, Style] = {"p": "p"}
    styles.update(dict.fromkeys(METRICS, "signed"))
    return Table("differences", "Pairs", ("", "pair", *METRICS, "p"), cells, note, styles=styles, grouped=True)


def _agreement_row(lab: str, agreement: Mapping[str, Any]) -> tuple[Cell, ...]:
    columns = [
        [row[metric][0] for row in agreement[kind]] for kind in ("pairs", "against_others") for metric in (PRIMARY, F1)
    ]
    return (lab, agreement["images"], len(agreement["against_others"]), *map(_spread, columns))


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f}, {max(values):.3f})"


def _verdict_of_nuclei(pairs: Sequence[tuple[str, Row]]) -> tuple[str, Light]:
    told = [_tell(pairs, method, baseline) for method, baseline in (("CDL", "CIP"), ("MDL", "CDL"), ("MDL", "CIP"))]
    won = all(row[PRIMARY][1] > 0 for _, row in pairs if (row["method"], row["baseline"]) == ("CDL", "CIP"))
    return f"{PRIMARY} against the curated masks: {'; '.join(told)}.", "good" if won else "doubt"


def _verdict_of_annotators(pairs: Sequence[tuple[str, Row]]) -> tuple[str, Light]:
    alone = [row for _, row in pairs if row["method"] != f"network-{CONSENSUS}"]
    better = sum(row[PRIMARY][1] > 0 for row in alone)
    worse = sum(row[PRIMARY][2] < 0 for row in alone)
    text = (
        f"Of {len(alone)} networks that learnt from one expert, {better} are nearer to the consensus of the others "
        f"than their expert, {worse} farther, {len(alone) - better - worse} not decided ({PRIMARY}, 95 % intervals)."
    )
    return text, "good" if better == len(alone) else "doubt"


def _tell(pairs: Sequence[tuple[str, Row]], method: str, baseline: str) -> str:
    """Say in how many seeds a method is above another, and below."""
    cells = [row[PRIMARY] for _, row in pairs if (row["method"], row["baseline"]) == (method, baseline)]
    mean = float(np.mean([cell[0] for cell in cells]))
    above, below = sum(cell[1] > 0 for cell in cells), sum(cell[2] < 0 for cell in cells)
    return f"{method} - {baseline} {mean:+.3f} (above in {above}, below in {below} of {len(cells)} seeds)"

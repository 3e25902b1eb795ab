"""The report on annotators: how far experts agree, and whether networks beat the experts they learnt from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics.count_files import read_counts
from evaluation.metrics.counts import CountTable
from evaluation.report.pages import Light, Report, Section
from evaluation.report.tables import Cell, Table
from noisylabels.experiments.real.annotator_data import CONSENSUS, name_others
from noisylabels.experiments.real.annotators import METHODS, name_network
from noisylabels.experiments.real.nuclei import COUNTS
from noisylabels.experiments.real.page import (
    F1,
    METRICS,
    PRIMARY,
    Results,
    assemble,
    list_seeds,
    tabulate_differences,
    tabulate_scores,
    tell_difference,
)
from noisylabels.experiments.real.scores import Scores, join_counts, score
from noisylabels.experiments.real.settings import RealSettings

EVERYBODY = "all experts"
LEAD = """An expert, the network that learnt from her labels alone, and the network of the consensus of all: each held
against the consensus of the *other* experts. "all experts" adds up the counts of all of them."""


def make_report(folder: Path, results: Results, settings: RealSettings) -> Report:
    """Report how far experts agree, and whether networks beat the experts they learnt from.

    Args:
        folder: The folder of the study.
        results: What the steps returned.
        settings: What was asked for.
    """
    seeds = list_seeds(results)
    counts = {seed: read_counts(folder / seed / COUNTS) for seed in seeds}
    joined, experts = join_counts(counts), results[seeds[0]][COUNTS]["experts"]
    n = settings.resamples
    others = _score_by_expert(joined, {one: name_others(one) for one in experts}, METHODS, n)
    own = _score_by_expert(joined, {one: one for one in experts}, METHODS[1:], n)
    held = [name_others(one) for one in experts]
    by_seed = {seed: score(_select_references(table, held), METHODS, resamples=n) for seed, table in counts.items()}
    networks = [name_network(name) for name in (*experts, CONSENSUS)]
    gold = score(joined.select(reference=CONSENSUS), networks, resamples=n)
    whole = others[EVERYBODY]
    facts = {
        "networks": f"one per expert and one of the consensus of all, {settings.epochs} epochs",
        "test images": ", ".join(f"{len(results[seed][COUNTS]['test'])} ({seed})" for seed in seeds),
        "seed": "of the split and of the weights; groups of images are never cut",
    }
    differences = tabulate_differences("differences", "Pairs", others)
    sections = (
        Section("agreement", "The ceiling", "", (_tabulate_labs(results), _tabulate_experts(results))),
        Section("networks", "Network against expert", LEAD, (tabulate_scores("networks", "Test images", others),)),
        Section("differences", "Differences", "Later minus earlier.", (differences,)),
        Section("seeds", "All experts, seed by seed", "", (tabulate_differences("seeds", "Pairs", by_seed),)),
        Section("own", "Networks against the expert's own labels", "", (tabulate_scores("own", "Test images", own),)),
        Section("gold", "Networks against the consensus of all", "", (_tabulate_gold(gold),)),
    )
    title = "Real experts: agreement, and networks that learnt from one of them"
    light: Light = "good" if _low(whole) > 0 else "doubt"
    return assemble(title, _tell(others), light, facts, settings, results, sections, n_groups=whole.n_groups)


def _score_by_expert(
    table: CountTable, references: Mapping[str, str], methods: Sequence[str], resamples: int
) -> dict[str, Scores]:
    """Score methods against the reference of each expert, and against all of these together."""
    parts = {one: table.select(reference=reference) for one, reference in references.items()}
    parts[EVERYBODY] = _select_references(table, list(references.values()))
    return {one: score(part, methods, resamples=resamples) for one, part in parts.items()}


def _select_references(table: CountTable, references: Sequence[str]) -> CountTable:
    return table.select(np.isin(table.keys["reference"], references))


def _tabulate_labs(results: Results) -> Table:
    heads = (
        "laboratory",
        "images",
        "experts",
        *(f"{m}, {kind}" for kind in ("pairs", "others") for m in (PRIMARY, F1)),
    )
    note = "Means over ordered pairs of experts, or over experts; in brackets the least and the largest."
    rows = tuple(_lab_row(lab, found) for lab, found in _agreements(results).items())
    return Table(
        "laboratories", "Experts against each other, and against the consensus of the others", heads, rows, note
    )


def _lab_row(lab: str, found: Mapping[str, Any]) -> tuple[Cell, ...]:
    kinds = [values for _, _, values in found["pairs"]], list(found["against_others"].values())
    columns = [[values[METRICS.index(metric)] for values in kind] for kind in kinds for metric in (PRIMARY, F1)]
    return (lab, found["images"], len(found["against_others"]), *map(_spread, columns))


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f}, {max(values):.3f})"


def _tabulate_experts(results: Results) -> Table:
    rows = tuple(
        (lab, expert, *values)
        for lab, found in _agreements(results).items()
        for expert, values in found["against_others"].items()
    )
    title = "Each expert against the consensus of the others, on all images of the laboratory"
    return Table("experts", title, ("laboratory", "expert", *METRICS), rows, grouped=True)


def _agreements(results: Results) -> dict[str, Mapping[str, Any]]:
    end = "-agreement"
    return {name.removesuffix(end): found for name, found in results["shared"].items() if name.endswith(end)}


def _tabulate_gold(gold: Scores) -> Table:
    note = f"The consensus holds the expert's own opinion too. {gold.n_groups} groups of images."
    table = tabulate_scores("gold", "Test images", {f"{CONSENSUS} of all": gold}, head="reference")
    return replace(table, note=note)


def _low(scores: Scores) -> float:
    """Lower end of what her network has over the expert, in the first metric."""
    return float(scores.differences[0][2].low)


def _tell(others: Mapping[str, Scores]) -> str:
    alone = [scores.differences[0][2] for one, scores in others.items() if one != EVERYBODY]
    better, worse = sum(found.low > 0 for found in alone), sum(found.high < 0 for found in alone)
    whole = others[EVERYBODY]
    pairs = (METHODS[1], METHODS[0]), (METHODS[2], METHODS[0])
    return (
        f"{PRIMARY} against the consensus of the other experts: "
        f"{'; '.join(tell_difference(whole, *pair) for pair in pairs)}. Of {len(alone)} experts' networks {better} are "
        f"nearer to it than their expert, {worse} farther, {len(alone) - better - worse} not decided."
    )

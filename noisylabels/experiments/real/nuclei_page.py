"""The report on nuclei: teacher, CDL and MDL against the curated masks."""

from pathlib import Path

from evaluation.metrics.count_files import read_counts
from evaluation.report.pages import Light, Report, Section
from noisylabels.experiments.real.nuclei import COUNTS, METHODS
from noisylabels.experiments.real.page import (
    ALL_SEEDS,
    PRIMARY,
    Results,
    assemble,
    list_seeds,
    tabulate_differences,
    tabulate_scores,
    tell_difference,
)
from noisylabels.experiments.real.scores import join_counts, score
from noisylabels.experiments.real.settings import RealSettings

ASKED = (("CDL", "CIP"), ("MDL", "CDL"), ("MDL", "CIP"), ("MDL from CDL", "MDL"))


def make_report(folder: Path, results: Results, settings: RealSettings) -> Report:
    """Report teacher, CDL and MDL against the curated masks.

    Args:
        folder: The folder of the study.
        results: What the steps returned.
        settings: What was asked for.
    """
    counts = {seed: read_counts(folder / seed / COUNTS) for seed in list_seeds(results)}
    tables = {ALL_SEEDS: join_counts(counts), **counts}
    scored = {about: score(table, METHODS, resamples=settings.resamples) for about, table in tables.items()}
    fields, few = results["shared"]["fields"], len(next(results[seed] for seed in counts)["mdl"]["few"])
    whole = scored[ALL_SEEDS]
    facts = {
        "images": ", ".join(f"{n} {split}" for split, n in fields.items() if split != "seconds"),
        "CIP": "the preset `nuclei` of `noisylabels cip`",
        "CDL": f"{settings.epochs} epochs on the teacher's labels, which also choose the epoch",
        "MDL": f"{few} curated images, of which {min(few, settings.few)} to train on and the rest to choose the epoch; "
        "as many steps as CDL, from scratch and from CDL's weights",
        "seed": "of the weights, and of which images are curated; the split is the same for all",
    }
    sections = (
        Section("scores", "Against the curated masks", "", (tabulate_scores("scores", "Test images", scored),)),
        Section(
            "differences",
            "Differences",
            "Later minus earlier.",
            (tabulate_differences("differences", "Pairs", scored),),
        ),
    )
    verdict = f"{PRIMARY} against the curated masks: {'; '.join(tell_difference(whole, *pair) for pair in ASKED)}."
    won = next(row[2].low > 0 for row in whole.differences if row[:2] == ASKED[0])
    light: Light = "good" if won else "doubt"
    return assemble(
        "Real nuclei: teacher, CDL and MDL", verdict, light, facts, settings, results, sections, n_groups=whole.n_groups
    )

"""Evaluation folders: counts and events as tidy tables, what was done as JSON, and the report made from them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.experts.experts import CONSENSUS
from evaluation.metrics.count_files import read_counts, write_counts
from evaluation.metrics.counts import CountTable
from evaluation.report.assembly import compare_all, make_report, write_report
from evaluation.report.expert_section import expert_section
from evaluation.report.galleries import FieldView
from evaluation.report.gallery_section import gallery_section, show_typical
from evaluation.report.pages import Gallery, Section
from evaluation.sources import FieldSource, method_name
from evaluation.statistics.comparison import PRIMARY, Comparison
from evaluation.study import Consensus, Study, fuse
from noisylabels.data.atomic import replacing, write_text
from noisylabels.data.errors import InputError
from noisylabels.data.events import EventTable
from noisylabels.data.labels import LabelMap


@dataclass(frozen=True)
class Evaluation:
    """What was evaluated, how, and what was counted.

    Args:
        study: The counts, events, hashes and faults.
        dataset: Where the data set lies.
        methods: Label sets of the methods, baseline first.
        references: Label sets they were compared with.
        consensus: How the experts were fused, if they were: then the consensus is the main reference.
        split: Which fields.
        n_resamples: Random swaps of the permutation tests.
        seed: Of swaps and random galleries.
        primary: Title of the score that the verdict is about, named before the data are seen.
    """

    study: Study
    dataset: str
    methods: tuple[str, ...]
    references: tuple[str, ...]
    consensus: Consensus | None
    split: str
    n_resamples: int
    seed: int
    primary: str = PRIMARY


ABOUT = ("dataset", "methods", "references", "consensus", "split", "n_resamples", "seed", "primary")


def write_evaluation(evaluation: Evaluation, folder: str | Path) -> None:
    """Write counts (Parquet, CSV), events (Parquet, CSV), settings.json and evaluation.json.

    Args:
        evaluation: What to write.
        folder: Evaluation folder; made when missing. Its files of an earlier evaluation are replaced.
    """
    root = Path(folder)
    write_counts(evaluation.study.table, root)
    frame = evaluation.study.events.to_pandas()
    with replacing(root / "events.parquet") as path:
        frame.to_parquet(path, index=False)
    with replacing(root / "events.csv") as path:
        frame.to_csv(path, index=False)
    about = {name: getattr(evaluation, name) for name in ABOUT}
    about |= {"hashes": dict(evaluation.study.hashes), "skipped": dict(evaluation.study.skipped)}
    write_text(root / "evaluation.json", json.dumps(about, indent=1) + "\n")


def read_evaluation(folder: str | Path) -> Evaluation:
    """Read a folder that `write_evaluation` made.

    Args:
        folder: Evaluation folder.

    Raises:
        FileNotFoundError: If it is none.
        InputError: If its JSON is not whole.
    """
    import pandas as pd

    root = Path(folder)
    if not (root / "evaluation.json").is_file():
        msg = f"{root} must be an evaluation folder with evaluation.json, got none. Run `noisylabels evaluate` first."
        raise FileNotFoundError(msg)
    about = json.loads((root / "evaluation.json").read_text())
    lacking = [name for name in (*ABOUT, "hashes", "skipped") if name not in about]
    if lacking:
        msg = f"{root / 'evaluation.json'} must say {', '.join(lacking)}, got nothing of them. Evaluate again."
        raise InputError(msg)
    frame = pd.read_parquet(root / "events.parquet")
    events = EventTable({str(name): frame[name].to_numpy() for name in frame})
    study = Study(read_counts(root), events, about["hashes"], about["skipped"])
    return Evaluation(
        study,
        about["dataset"],
        tuple(about["methods"]),
        tuple(about["references"]),
        about["consensus"],
        about["split"],
        about["n_resamples"],
        about["seed"],
        about["primary"],
    )


def write_evaluation_report(
    evaluation: Evaluation,
    folder: str | Path,
    *,
    source: FieldSource | None,
    n_gallery: int = 3,
    more: Sequence[Section] = (),
    controls: Mapping[str, str] | None = None,
    margin: float | None = None,
) -> tuple[Path, str]:
    """Write report.html, tables/*.csv and figures/*.svg into an evaluation folder.

    Args:
        evaluation: What was counted.
        folder: Evaluation folder.
        source: The data set, for the gallery; None leaves the gallery out.
        n_gallery: Fields of each kind in the gallery.
        more: Further sections: ratings, costs.
        controls: "positive" or "negative" by well name, for Z'.
        margin: Largest difference of scores that would not matter; None: equivalence is not asked about.

    Returns:
        The page, and the answer in words: the verdict, what stands beside it, what comes next.
    """
    study = evaluation.study
    table, events = _main_entries(evaluation)
    comparison = compare_all(
        table, n_resamples=evaluation.n_resamples, seed=evaluation.seed, primary=evaluation.primary
    )
    gallery = [_gallery(evaluation, table, comparison, source, n_gallery)] if source and n_gallery else []
    experts = [expert_section(study.table, comparison.methods)] if len(evaluation.references) > 1 else []
    name = Path(evaluation.dataset).name
    title = f"{' and '.join(comparison.methods)} against {', '.join(evaluation.references)} on {name}"
    facts = {
        "data set": f"{name}, split: {evaluation.split}",
        "methods": ", ".join(comparison.methods),
        "reference": ", ".join(evaluation.references)
        + (f"; fused by {evaluation.consensus}" if evaluation.consensus else ""),
        "intervals": "jackknife over clusters, Student's t",
        "tests": f"{evaluation.n_resamples} swaps by cluster, seed {evaluation.seed}; primary: {evaluation.primary}",
    }
    report = make_report(
        table,
        comparison,
        events=events,
        title=title,
        facts=facts,
        hashes=study.hashes,
        skipped=study.skipped,
        more=[*experts, *more, *gallery],
        controls=controls,
        margin=margin,
        typical=_typical(evaluation, table, comparison, source) if source and n_gallery else None,
    )
    return write_report(report, folder), report.spoken


def _main_entries(evaluation: Evaluation) -> tuple[CountTable, EventTable]:
    """Entries of methods, not of experts against each other; against the consensus alone where there is one."""
    table, events = evaluation.study.table, evaluation.study.events
    names = [method_name(name) for name in evaluation.methods]
    references = [CONSENSUS] if evaluation.consensus else list(evaluation.references)
    rows = np.isin(table.keys["method"], names) & np.isin(table.keys["reference"], references)
    return table.select(rows), events.select(np.isin(events["reference"].astype(str), references))


def _gallery(evaluation: Evaluation, table: CountTable, comparison: Comparison, source: FieldSource, n: int) -> Section:
    look = _looker(evaluation, table, source)
    return gallery_section(table, comparison, look, channel_names=source.channel_names, n=n, seed=evaluation.seed)


def _typical(evaluation: Evaluation, table: CountTable, comparison: Comparison, source: FieldSource) -> Gallery:
    look = _looker(evaluation, table, source)
    return show_typical(table, comparison, look, channel_names=source.channel_names)


def _looker(evaluation: Evaluation, table: CountTable, source: FieldSource) -> Callable[[str], FieldView]:
    ignored = table.settings.ignore_index

    def read(name: str, field: str) -> LabelMap:
        label_map = source.label_map(name, field, ignore_index=ignored)
        return label_map if ignored is None else np.where(label_map == ignored, np.uint8(0), label_map)

    def look(field: str) -> FieldView:
        predictions = {method_name(name): read(name, field) for name in evaluation.methods}
        image = np.asarray(source.image(field))
        truths = [read(name, field) for name in evaluation.references]
        truth = fuse(truths, by=evaluation.consensus) if evaluation.consensus else truths[0]
        return FieldView(image, truth, predictions, source.pixel_size_um)

    return look

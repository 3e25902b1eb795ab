"""Box reports: methods' events against the boxes that experts drew."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evaluation.experts.box_files import (
    FieldBoxes,
    count_crowds,
    read_coco_boxes,
    read_csv_boxes,
    read_voc_boxes,
)
from evaluation.experts.experts import CONSENSUS, count_experts
from evaluation.metrics.count_files import write_counts
from evaluation.metrics.events import find_events
from evaluation.metrics.scores import event_f1, found_share
from evaluation.report.assembly import version_facts, write_report
from evaluation.report.bars import draw_scores
from evaluation.report.expert_section import expert_section
from evaluation.report.pages import Check, Report, Section
from evaluation.report.sections import score_table
from evaluation.report.verdicts import judge
from evaluation.sources import FieldSource, method_name
from evaluation.statistics.comparison import compare_methods
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable

FEW_FIELDS = 20


def read_boxes(path: str | Path, *, classes: ClassTable) -> dict[str, FieldBoxes]:
    """Read the boxes of one or more experts, by expert and field.

    Args:
        path: CSV, COCO JSON, or a folder of Pascal VOC XML files.
        classes: The class table.

    Raises:
        InputError: If it is none of them, or faulty.
    """
    if Path(path).suffix == ".csv":
        return read_csv_boxes(path, classes=classes)
    if Path(path).suffix == ".json":
        return read_coco_boxes(path, classes=classes)
    if Path(path).is_dir():
        return read_voc_boxes(path, classes=classes)
    msg = f"Boxes must be a .csv, a COCO .json or a folder of Pascal VOC .xml files, got {path}. Convert them first."
    raise InputError(msg)


def write_box_report(
    source: FieldSource,
    boxes: str | Path,
    folder: str | Path,
    *,
    methods: Sequence[str],
    n_resamples: int = 10_000,
    seed: int = 0,
    on_field: Callable[[str], None] = lambda _: None,
) -> tuple[Path, str]:
    """Report methods against experts' boxes: counts, report.html, tables/*.csv and figures/*.svg.

    Args:
        source: The data set; fields that no expert looked at are left alone.
        boxes: The boxes; see `read_boxes`.
        folder: Folder to write into; made when missing.
        methods: Label sets, baseline first.
        n_resamples: Random swaps of the permutation tests.
        seed: Of the swaps.
        on_field: Called with each field's name once its events are found.

    Returns:
        The page, and the verdict in words.

    Raises:
        InputError: If no field of the data set has boxes.
    """
    experts = read_boxes(boxes, classes=source.classes)
    names = [method_name(method) for method in methods]
    looked_at = {field for drawn in experts.values() for field in drawn}
    fields = [field for field in source.ids() if field in looked_at]
    if not fields:
        there = ", ".join(sorted(looked_at)[:3])
        msg = f"{boxes} must have boxes of fields of the data set, got {there}. Name the fields as the data set does."
        raise InputError(msg)
    found: dict[str, FieldBoxes] = {name: {} for name in names}
    for field in fields:
        for method, name in zip(methods, names, strict=True):
            found[name][field] = find_events(source.label_map(method, field))
        on_field(field)
    clusters = {field: str(source.case(field).group) for field in fields}
    known = {expert: {field: drawn[field] for field in drawn if field in clusters} for expert, drawn in experts.items()}
    table = count_experts(known, found, classes=source.classes, clusters=clusters)
    write_counts(table, folder)
    main = table.select(np.isin(table.keys["method"], names) & (table.keys["reference"] != CONSENSUS))
    groups = ("", *source.classes.foreground)
    metrics = [make(source.classes, one, iou=iou) for one in groups for make, iou in MEASURES]
    comparison = compare_methods(main, metrics, methods=names, n_resamples=n_resamples, rng=np.random.default_rng(seed))
    light, verdict = judge(comparison, metric=metrics[0], name="share of experts' events found", verb="finds events")
    items = (
        score_table(comparison, metrics, name="box_scores", title="Events against experts' boxes"),
        draw_scores({m.title: {name: comparison.interval(name, m) for name in names} for m in metrics}),
    )
    lead = "found: best predicted event of the same class, used many times if need be (the paper); F1: one to one."
    sections = (
        Section("boxes", "Events against boxes", lead, items),
        expert_section(table, names, pixels=False),
    )
    n = len(fields)
    checks: tuple[Check, ...] = (
        Check("good" if n >= FEW_FIELDS else "doubt", f"{n} fields have boxes."),
        Check("good" if len(known) > 1 else "doubt", f"Experts: {', '.join(known)}."),
    )
    crowds = count_crowds(boxes) if Path(boxes).suffix == ".json" else 0
    if crowds:
        checks += (Check("doubt", f"{crowds} annotations mark groups, not events (iscrowd): left out."),)
    facts = {"boxes": str(Path(boxes).resolve()), "methods": ", ".join(names), "seed": str(seed)} | version_facts()
    report = Report(
        f"{' and '.join(names)} against experts' boxes", verdict, light, tuple(facts.items()), checks, sections
    )
    return write_report(report, folder), verdict


MEASURES = ((found_share, 0.1), (found_share, 0.5), (event_f1, 0.1), (event_f1, 0.5))

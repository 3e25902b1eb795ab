"""The gallery part of a report: the worst, the best and some random fields of the last method."""

from collections.abc import Callable, Sequence

import numpy as np

from evaluation.metrics.counts import CountTable
from evaluation.report.galleries import FieldView, choose_fields, show_fields
from evaluation.report.pages import Gallery, Section
from evaluation.report.pictures import usual_spans
from evaluation.report.tables import text_of
from evaluation.report.verdicts import score_name
from evaluation.statistics.comparison import Comparison

TITLES = {"worst": "Worst fields of {}", "best": "Best fields of {}", "random": "Fields at random, {}"}


def gallery_section(
    table: CountTable,
    comparison: Comparison,
    look: Callable[[str], FieldView],
    *,
    channel_names: Sequence[str],
    n: int,
    seed: int,
) -> Section:
    """Show the worst, the best and some random fields of the last method, by the primary score.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
        look: Gives the pixels of a field by its name.
        channel_names: One name per channel.
        n: How many fields of each kind.
        seed: Of the random choice.
    """
    values = comparison.field_scores(comparison.primary_metric)
    called = score_name(comparison.primary_metric)
    names, rows = np.unique(comparison.fields, return_index=True)  # a field occurs once per reference
    chosen = choose_fields(values[rows, -1], n=n, rng=np.random.default_rng(seed))
    spans = usual_spans(look(str(names[place])).image for places in chosen.values() for place in places)
    galleries = tuple(
        show_fields(
            f"{TITLES[kind].format(comparison.methods[-1])} ({called})",
            [(str(names[place]), _remark(comparison.methods, values[rows[place]])) for place in places],
            look,
            classes=table.classes,
            channel_names=channel_names,
            spans=spans,
            reference=table.references[0],
        )
        for kind, places in chosen.items()
        if len(places)
    )
    lead = f"Numbers hide what a look shows. Fields are named as their files; behind each its {called} by method."
    return Section("gallery", "Gallery", lead, galleries)


def show_typical(
    table: CountTable, comparison: Comparison, look: Callable[[str], FieldView], *, channel_names: Sequence[str]
) -> Gallery:
    """Show the field whose score by the last method is the middle one.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
        look: Gives the pixels of a field by its name.
        channel_names: One name per channel.
    """
    values = comparison.field_scores(comparison.primary_metric)
    order = np.argsort(values[:, -1], kind="stable")
    defined = [place for place in order if np.isfinite(values[place, -1])] or list(order)
    place = defined[len(defined) // 2]
    row = (str(comparison.fields[place]), _remark(comparison.methods, values[place]))
    title = f"A typical field: its {score_name(comparison.primary_metric)} is the middle one"
    return show_fields(
        title, [row], look, classes=table.classes, channel_names=channel_names, reference=table.references[0]
    )


def _remark(methods: Sequence[str], scores: np.ndarray) -> str:
    return ", ".join(f"{method} {text_of(float(score))}" for method, score in zip(methods, scores, strict=True))

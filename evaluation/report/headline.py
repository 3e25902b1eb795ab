"""What stands beside the verdict: events found and false, what is not better, and what a person does next."""

from shlex import quote

import numpy as np

from evaluation.metrics.counts import ERRORS, CountTable
from evaluation.metrics.scores import event_f1
from evaluation.report.answer import ON_REFERENCE
from evaluation.report.checks import DECISIVE_CLUSTERS
from evaluation.report.tables import text_of
from evaluation.statistics.comparison import Comparison

N_FIELDS = 10
SHOWN_IOU = 0.5


def count_found(table: CountTable, comparison: Comparison) -> str:
    """Return how many events each method finds and how many it adds that are none, by class.

    An event is found unless no pixel of it is predicted as any event; false is one that touches no event.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
    """
    sentences = []
    for index, name in enumerate(table.classes.foreground, start=1):
        parts = []
        for method in comparison.methods:
            errors = table.select(method=method).errors[:, index].sum(0)
            total, missed, false = (int(errors[ERRORS.index(kind)]) for kind in ("n_reference", "missed", "spurious"))
            parts.append(f"{method} {total - missed} of {total} found, {false} false")
        sentences.append(f"{name}: {'; '.join(parts)}")
    return f"Events, {'. '.join(sentences)}."


def list_not_better(table: CountTable, comparison: Comparison) -> str:
    """Return the classes in whose pixels or events the last method is not shown to be better than the first.

    A green headline is about one score alone; this line says where it does not hold.

    Args:
        table: The counts.
        comparison: The comparison of its methods.

    Returns:
        A sentence that begins with "Not better:"; empty where there is one method, or everything is better.
    """
    if len(comparison.methods) < 2:
        return ""
    last, first = comparison.methods[-1], comparison.methods[0]
    names = table.classes.foreground
    events = {event_f1(table.classes, name, iou=SHOWN_IOU).title: f"{name} (event F1" for name in names}
    pixels = {f"IoU: {name}": f"{name} (IoU" for name in names}
    phrases = []
    for metric in comparison.metrics:
        called = (events | pixels).get(metric.title)
        if called is None:
            continue
        difference = comparison.difference(last, first, metric)
        if difference.decides() and difference.absolute.estimate > 0:
            continue
        column = comparison.metrics.index(metric)
        scores = (comparison.estimates[comparison.methods.index(one), column] for one in (first, last))
        phrases.append(f"{called} {' to '.join(text_of(float(score)) for score in scores)})")
    return f"Not better: {', '.join(phrases)}." if phrases else ""


def find_next_step(table: CountTable, comparison: Comparison) -> str:
    """Return in one sentence what a person should do now, from the numbers.

    Args:
        table: The counts.
        comparison: The comparison of its methods.
    """
    last, first = comparison.methods[-1], comparison.methods[0]
    if comparison.n_clusters < DECISIVE_CLUSTERS:
        return (
            f"draw the reference in more wells: with {comparison.n_clusters} of the {DECISIVE_CLUSTERS} that a test "
            "needs, no method can be shown to be better"
        )
    difference = comparison.difference(last, first, comparison.primary_metric) if last != first else None
    if difference is not None and difference.decides() and difference.absolute.estimate < 0:
        return f"keep {first}, and look in the gallery where {last} loses before more is trained on the same labels"
    errors = _error_shares(table, last)
    kind, name, share = max(errors, key=lambda entry: entry[2]) if errors else ("", "", 0.0)
    if share == 0:
        return f"use {last} on new fields, and look at ten at random: no event of it is wrong here"
    fields = ", ".join(_worst_fields(comparison)[:3])
    n = min(N_FIELDS, len(set(comparison.fields.tolist())))
    return f"correct the {n} fields where {last} is worst ({fields}, ...), above all {kind} {name} ({share:.0%})"


def next_command(dataset: str, label_set: str) -> str:
    """Write the command that lays the fields before a person.

    Examples:
        >>> next_command("screen", "cdl")
        'noisylabels annotate create screen.desk screen --start cdl'
    """
    desk, folder = quote(f"{dataset}.desk"), quote(dataset)
    return f"noisylabels annotate create {desk} {folder} --start {label_set}"


def _error_shares(table: CountTable, method: str) -> list[tuple[str, str, float]]:
    """List kinds of errors with their class and their share of the events of its side."""
    counted = table.select(method=method).errors.sum(0)
    found = []
    for index, name in enumerate(table.classes.foreground, start=1):
        for kind in ("missed", "misclassified", "incomplete", "spurious"):
            side = "n_reference" if kind in ON_REFERENCE else "n_prediction"
            total = int(counted[index, ERRORS.index(side)])
            if total:
                found.append((kind, name, float(counted[index, ERRORS.index(kind)]) / total))
    return found


def _worst_fields(comparison: Comparison) -> list[str]:
    values = comparison.by_field[:, -1, comparison.metrics.index(comparison.primary_metric)]
    order = [place for place in np.argsort(values, kind="stable") if np.isfinite(values[place])]
    return list(dict.fromkeys(str(comparison.fields[place]) for place in order))

"""The verdict: one or two sentences that answer the question of a report, with their interval."""

import math

from evaluation.metrics.scores import Metric
from evaluation.report.pages import Light
from evaluation.report.tables import text_of
from evaluation.statistics.comparison import Comparison, Difference


def judge(
    comparison: Comparison, *, metric: Metric | None = None, name: str | None = None, verb: str = "segments"
) -> tuple[Light, str]:
    """Return whether the last method beats the first, and how surely.

    A method is called better only where the interval of the difference excludes 0 and the permutation test agrees:
    with few clusters either alone is wrong too often (`python -m benchmarks.coverage`).

    Args:
        comparison: Two or more methods, baseline first; one method gets its score alone.
        metric: What the verdict is about; None: the primary score.
        name: What to call it; None: its own name, or "mean IoU".
        verb: What a method does better or worse.

    Returns:
        A light ("good": better, "doubt": not shown either way, "bad": worse) and the sentences.
    """
    key, last = metric or comparison.primary_metric, comparison.methods[-1]
    called = name or score_name(key)
    if len(comparison.methods) == 1:
        score = text_of(comparison.interval(last, key))
        return "doubt", f"{last} reaches a {called} of {score}; it was compared with no other method."
    first = comparison.methods[0]
    difference = comparison.difference(last, first, key)
    scores = f"{called} {text_of(comparison.interval(last, key))} against {text_of(comparison.interval(first, key))}"
    change = (
        f"a difference of {text_of(difference.absolute, style='signed')}, relative "
        f"{text_of(difference.relative, style='percent')}"
    )
    n_fields, n = len(set(comparison.fields.tolist())), comparison.n_clusters
    basis = f"over {n_fields} fields in {n} clusters (permutation p {_p(difference)})"
    sentence = f"{scores[0].upper()}{scores[1:]}: {change}, {basis}"
    if not difference.decidable():
        n_known = n - difference.absolute.n_undefined
        return (
            "doubt",
            f"Whether {last} {verb} better than {first} cannot be decided with {n_known} clusters, whatever the "
            f"difference: no p-value below {difference.floor:.3g} is possible. {sentence}.",
        )
    if not difference.decides():
        return (
            "doubt",
            f"No difference is shown between {last} and {first}. {sentence}; {_lacking(difference)}.",
        )
    better = difference.absolute.estimate > 0
    word = "better" if better else "worse"
    return (
        "good" if better else "bad",
        f"{last} {verb} {word} than {first}. {sentence}; the interval excludes 0 and the test agrees.",
    )


def score_name(metric: Metric) -> str:
    """Call a score as a reader does: "mean IoU", or its own title."""
    return "mean IoU" if metric.title == "MeanIoU" else metric.title


def _lacking(difference: Difference) -> str:
    if math.isnan(difference.absolute.low):
        return "there is no interval: too few clusters say anything about the score"
    if not difference.absolute.excludes(0):
        return "the interval includes 0"
    return "the interval excludes 0 but the permutation test does not agree"


def _p(difference: Difference) -> str:
    """Write a p-value; the smallest that the swaps allow is a bound, not a value."""
    text = text_of(difference.p_adjusted, style="p")
    if text.startswith("<"):
        return text
    return f"at most {text}" if difference.p_adjusted <= difference.floor * (1 + 1e-9) else f"= {text}"

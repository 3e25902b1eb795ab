"""The verdict: one or two sentences that answer the question of a report, with their interval."""

from evaluation.metrics.scores import Metric
from evaluation.report.pages import Light
from evaluation.report.tables import text_of
from evaluation.statistics.comparison import Comparison
from evaluation.statistics.resampling import Interval

KEY_METRIC = "MeanIoU"


def key_metric(comparison: Comparison) -> Metric:
    """Find the metric that the verdict is about: the mean IoU of the data set."""
    return next(metric for metric in comparison.metrics if metric.name == KEY_METRIC and not metric.class_name)


def judge(
    comparison: Comparison, *, metric: Metric | None = None, name: str = "mean IoU", verb: str = "segments"
) -> tuple[Light, str]:
    """Say whether the last method beats the first, and how surely.

    Args:
        comparison: Two or more methods, baseline first; one method gets its score alone.
        metric: What the verdict is about; None: the mean IoU of the data set.
        name: What to call it.
        verb: What a method does better or worse.

    Returns:
        A light ("good": better, "doubt": not shown either way, "bad": worse) and the sentences.
    """
    key, last = metric or key_metric(comparison), comparison.methods[-1]
    if len(comparison.methods) == 1:
        score = _text(comparison.interval(last, key))
        return "doubt", f"{last} reaches a {name} of {score}; it was held against no other method."
    first = comparison.methods[0]
    difference = comparison.difference(last, first, key)
    scores = f"{name} {_text(comparison.interval(last, key))} against {_text(comparison.interval(first, key))}"
    change = (
        f"a difference of {text_of(difference.absolute, style='signed')}, relative "
        f"{text_of(difference.relative, style='percent')}"
    )
    n_fields = len(set(comparison.fields.tolist()))
    basis = f"over {n_fields} fields in {comparison.n_clusters} clusters (permutation p {_p(difference.p)})"
    if not difference.absolute.excludes(0):
        return (
            "doubt",
            f"No difference shown between {last} and {first}: {scores}, {change}, {basis}; the interval includes 0.",
        )
    better = difference.absolute.estimate > 0
    word = "better" if better else "worse"
    return (
        "good" if better else "bad",
        f"{last} {verb} {word} than {first}: {scores}, {change}, {basis}; the interval excludes 0.",
    )


def _text(interval: Interval) -> str:
    return text_of(interval)


def _p(value: float) -> str:
    text = text_of(value, style="p")
    return text if text.startswith("<") else f"= {text}"

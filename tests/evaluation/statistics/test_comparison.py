import re

import numpy as np
import pytest

from evaluation.metrics.counts import CountTable, FieldKey
from evaluation.metrics.fields import count_field, count_fields
from evaluation.metrics.scores import class_metrics, data_set_metrics, event_f1
from evaluation.metrics.tables import tabulate_classes, tabulate_data_set
from evaluation.statistics.comparison import compare_methods, rank_methods
from noisylabels.data.errors import InputError
from noisylabels.data.labels import ROSELLA
from tests.cases import draw
from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH

METRICS = (*data_set_metrics(ROSELLA), *class_metrics(ROSELLA))


def count(maps_by_method, truths, clusters=None):
    """Count fields; the same truths for every method."""
    fields = (
        (FieldKey(f"f{place}", method, cluster=clusters[place] if clusters else ""), truth, prediction)
        for method, maps in maps_by_method.items()
        for place, (truth, prediction) in enumerate(zip(truths, maps, strict=True))
    )
    return count_fields(fields, classes=ROSELLA)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    truths = [EMPTY, *(rng.choice(3, (12, 15), p=[0.8, 0.1, 0.1]).astype(np.uint8) for _ in range(9))]
    worse = [np.where(rng.random(truth.shape) < 0.3, 0, truth).astype(np.uint8) for truth in truths]
    better = [np.where(rng.random(truth.shape) < 0.1, 0, truth).astype(np.uint8) for truth in truths]
    return count({"CIP": worse, "CDL": better}, truths)


def test_every_score_of_the_data_set_is_the_one_of_the_tables(table):
    expected = tabulate_data_set(table).set_index("method")
    for metric in data_set_metrics(ROSELLA):
        for method in table.methods:
            assert metric.of_data_set(table.select(method=method)) == pytest.approx(expected.loc[method, metric.name])


def test_every_score_of_a_class_is_the_one_of_the_tables(table):
    expected = tabulate_classes(table).set_index(["method", "class_name"])
    columns = {"Accuracy (= recall)": "Accuracy", "precision": "Precision", "specificity": "Specificity"}
    shared = [metric for metric in class_metrics(ROSELLA) if not metric.name.startswith("event")]
    assert len(shared) == 3 * 7
    for metric in shared:
        value = expected.loc[("CIP", metric.class_name), columns.get(metric.name, metric.name)]
        assert metric.of_data_set(table.select(method="CIP")) == pytest.approx(value), metric.title


def test_scores_of_single_fields_are_those_of_the_tables(table):
    part = table.select(method="CDL")
    alone = [tabulate_data_set(part.select(np.array([row]))).iloc[0] for row in range(len(part))]
    for metric in data_set_metrics(ROSELLA):
        np.testing.assert_allclose(metric.of_fields(part), [row[metric.name] for row in alone])


def test_counting_absent_classes_as_zero_lowers_the_mean():
    table = count({"CIP": [EMPTY]}, [EMPTY])
    skip, zero = (
        {metric.name: metric.of_data_set(table) for metric in data_set_metrics(ROSELLA, absent=absent)}
        for absent in ("skip", "zero")
    )
    assert (skip["MeanIoU"], zero["MeanIoU"]) == (1, pytest.approx(1 / 3))
    assert (skip["GlobalAccuracy"], zero["GlobalAccuracy"]) == (1, 1)


def test_event_f1_is_counted_by_eye():
    table = count({"CIP": [draw("11..22 / 11...1")]}, [draw("11..22 / 11....")])
    assert event_f1(ROSELLA, "phagophore", iou=0.5).of_data_set(table) == pytest.approx(2 / 3)  # one pair of 1 and 2
    assert event_f1(ROSELLA, "autolysosome", iou=0.95).of_data_set(table) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: event_f1(ROSELLA, "background", iou=0.5),
            "The class of an event score must not be the background, got background. Name another class.",
        ),
        (
            lambda: event_f1(ROSELLA, "phagophore", iou=0.33),
            "An IoU threshold must be one of 0.05, 0.1, ..., 0.95, got 0.33. Those are what was counted.",
        ),
    ],
    ids=["background", "threshold"],
)
def test_bad_event_scores_get_one_sentence(call, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()


def test_differences_are_paired_and_signed(table):
    result = compare_methods(table, METRICS, n_resamples=300, rng=np.random.default_rng(0))
    assert (result.methods, result.n_clusters, result.by_field.shape) == (("CIP", "CDL"), 10, (10, 2, len(METRICS)))
    for metric in METRICS:
        difference = result.difference("CDL", "CIP", metric)
        scores = [metric.of_data_set(table.select(method=method)) for method in result.methods]
        assert difference.absolute.estimate == pytest.approx(scores[1] - scores[0])
        assert difference.relative.estimate == pytest.approx(scores[1] / scores[0] - 1)
        absolute = difference.absolute
        assert absolute.low <= absolute.estimate <= absolute.high or absolute.n_undefined > 5
        assert not metric.compared or difference.p <= difference.p_adjusted
    assert result.difference("CDL", "CIP", METRICS[2]).absolute.low > 0


def test_paired_intervals_are_narrower_than_those_of_single_scores(table):
    """Fields differ in difficulty; the same fields in every resample cancel that."""
    rng = np.random.default_rng(0)
    truths = [rng.choice(3, (12, 15), p=[0.8, 0.1, 0.1]).astype(np.uint8) for _ in range(12)]
    losses = np.linspace(0.1, 0.8, 12)
    masks = [rng.random(truth.shape) < loss for truth, loss in zip(truths, losses, strict=True)]
    worse = [np.where(mask, 0, truth).astype(np.uint8) for mask, truth in zip(masks, truths, strict=True)]
    better = [
        np.where(mask & (rng.random(mask.shape) < 0.9), 0, t).astype(np.uint8)
        for mask, t in zip(masks, truths, strict=True)
    ]
    result = compare_methods(count({"CIP": worse, "CDL": better}, truths), METRICS[:3], n_resamples=500, rng=rng)
    score, difference = result.interval("CIP", METRICS[2]), result.difference("CDL", "CIP", METRICS[2]).absolute
    assert difference.high - difference.low < (score.high - score.low) / 2


def test_a_method_against_its_copy_differs_by_nothing():
    table = count({"CIP": [EMPTY, SHIFTED], "CDL": [EMPTY, SHIFTED]}, [EMPTY, TRUTH])
    result = compare_methods(table, METRICS, n_resamples=50, rng=np.random.default_rng(0))
    for difference in result.differences:
        assert difference.p == 1 or np.isnan(difference.p)
        assert not difference.absolute.excludes(0)


def test_a_method_that_hardly_differs_is_alike_and_a_worse_one_is_not():
    half = [SHIFTED if place % 10 == 0 else TRUTH for place in range(40)]
    table = count({"CIP": [TRUTH] * 40, "CDL": half}, [TRUTH] * 40)
    result = compare_methods(table, METRICS[:1], n_resamples=400, rng=np.random.default_rng(0))
    wide, narrow = (result.equivalence("CDL", "CIP", METRICS[0], margin=margin) for margin in (0.1, 0.001))
    assert wide.difference == pytest.approx(-0.1 * 6 / 48)  # one field in ten has 6 of its 48 pixels wrong
    assert (wide.equivalent, narrow.equivalent, narrow.not_inferior) == (True, False, False)


def test_the_primary_score_is_tested_alone_and_named_before(table):
    rng = np.random.default_rng(0)
    found = compare_methods(table, METRICS, primary="IoU: phagophore", rng=rng)
    assert found.primary_metric.title == "IoU: phagophore"
    primary = found.difference("CDL", "CIP", found.primary_metric)
    assert primary.p == primary.p_adjusted
    alone = compare_methods(table, [found.primary_metric], rng=rng).differences[0]
    assert alone.p == primary.p
    with pytest.raises(InputError, match=r"^The primary score must be one of GlobalAcc.*, got MeanBFScore\. Name"):
        compare_methods(table, METRICS, primary="MeanBFScore", rng=rng)


def test_a_method_that_finds_nothing_does_not_win_by_the_boundary_f1():
    """MATLAB's mean skips the fields in which a method misses the class; the strict one counts them as 0."""
    rough = draw("111..... / ..1..... / ........ / ........ / ........ / ........")
    truth = draw("11...... / 11...... / ........ / ........ / ........ / ........")
    careful, lazy = [rough] * 8, [truth] * 4 + [EMPTY] * 4
    table = count({"CIP": careful, "CDL": lazy}, [truth] * 8)
    matlab, strict = (
        next(m for m in class_metrics(ROSELLA) if m.title == f"{name}: phagophore")
        for name in ("MeanBFScore", "BoundaryF1")
    )
    scores = {m.name: [m.of_data_set(table.select(method=one)) for one in table.methods] for m in (matlab, strict)}
    assert scores["MeanBFScore"][1] == 1 > scores["MeanBFScore"][0]
    assert scores["BoundaryF1"] == [scores["MeanBFScore"][0], 0.5]
    found = compare_methods(table, [strict, matlab], rng=np.random.default_rng(0))
    assert np.isnan(found.difference("CDL", "CIP", matlab).p)


def test_quarters_count_as_one_cluster():
    table = count({"CIP": [SHIFTED] * 8, "CDL": [TRUTH] * 8}, [TRUTH] * 8, clusters=["a"] * 4 + ["b"] * 4)
    result = compare_methods(table, METRICS[:1], n_resamples=50, rng=np.random.default_rng(0))
    assert result.n_clusters == 2
    assert result.differences[0].p == 0.5  # two clusters: 2 of 4 swaps are as extreme
    assert result.cluster_means(METRICS[0]).shape == (2, 2)


def test_only_fields_that_all_methods_have_are_compared():
    one = count_field(TRUTH, SHIFTED, classes=ROSELLA)
    entries = [(FieldKey("a", "CIP"), one), (FieldKey("b", "CIP"), one), (FieldKey("b", "CDL"), one)]
    result = compare_methods(
        CountTable.stack(entries, classes=ROSELLA), METRICS[:1], n_resamples=9, rng=np.random.default_rng(0)
    )
    assert result.fields.tolist() == ["b"]


def test_a_pair_that_was_not_compared_is_refused(table):
    result = compare_methods(table, METRICS[:1], n_resamples=9, rng=np.random.default_rng(0))
    message = "A pair must be two of CIP, CDL, later one first, got CIP and CDL. Swap them."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        result.difference("CIP", "CDL", METRICS[0])


def test_ranks_give_scipys_friedman_and_leave_out_undefined_units():
    from scipy.stats import friedmanchisquare

    scores = np.random.default_rng(0).normal([0.5, 0.55, 0.7], 0.1, (15, 3))
    result = rank_methods(np.vstack([scores, [np.nan, 1, 1]]), ["CIP", "CDL", "MDL"])
    assert result["n"] == 15
    assert result["friedman_p"] == pytest.approx(friedmanchisquare(*scores.T).pvalue)
    assert [(pair["method"], pair["baseline"]) for pair in result["pairs"]] == [
        ("CDL", "CIP"),
        ("MDL", "CIP"),
        ("MDL", "CDL"),
    ]
    assert all(pair["p"] <= pair["p_holm"] for pair in result["pairs"])


def test_nothing_to_rank_is_undefined():
    assert np.isnan(rank_methods(np.zeros((0, 3)), ["a", "b", "c"])["friedman_p"])
    assert np.isnan(rank_methods(np.ones((5, 3)), ["a", "b", "c"])["friedman_p"])

"""Simulated experts and ratings: drawn cases and laws."""

import numpy as np
import pytest

from evaluation.metrics.counts import CountTable, FieldKey
from evaluation.metrics.fields import count_field
from noisylabels.data.labels import ROSELLA
from noisylabels.experiments.paper.experts import correct_prediction
from noisylabels.experiments.paper.ratings import measure_quality, simulate_ratings
from tests.cases import draw

EMPTY = draw("..... / .....")


def correct(prediction, opinion, *, diligence=1.0):
    return correct_prediction(prediction, opinion, diligence=diligence, rng=np.random.default_rng(0))


CASES = {
    "both empty": ("..... / .....", "..... / .....", "..... / .....", (0, 0, 0, 0)),
    "empty prediction": ("..... / .....", "11... / .....", "11... / .....", (0, 0, 1, 0)),
    "empty opinion": ("11... / .....", "..... / .....", "..... / .....", (0, 1, 0, 0)),
    "good enough stays as it is": ("111.. / .....", "11... / .....", "111.. / .....", (1, 0, 0, 0)),
    "too large is redrawn": ("11111 / .....", "11... / .....", "11... / .....", (0, 1, 1, 0)),
    "another class is redrawn": ("11... / ...2.", "22... / ...2.", "22... / ...2.", (1, 1, 1, 0)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_correction_redraws_what_disagrees_and_leaves_the_rest(name):
    prediction, opinion, expected, counts = CASES[name]
    correction = correct(draw(prediction), draw(opinion))
    assert correction.label_map.tolist() == draw(expected).tolist()
    assert correction[1:] == counts


@pytest.mark.parametrize("prediction", ["..... / .....", "11.22 / ..1.."])
def test_without_diligence_a_prediction_stays_and_all_is_overlooked(prediction):
    correction = correct(draw(prediction), draw("2.... / ....1"), diligence=0.0)
    assert correction.label_map.tolist() == draw(prediction).tolist()
    assert (correction.erased, correction.added) == (0, 0)
    assert correction.overlooked >= 2


def test_a_corrected_map_leans_towards_the_prediction_it_was_made_from():
    truth, swollen = draw(".11.. / .11.. / ....."), draw(".111. / .111. / .....")
    corrected = correct(swollen, truth).label_map
    assert (corrected == swollen).all()  # IoU 4/6: nobody redraws it, though the truth is smaller


def table_of(maps):
    truth = draw("11... / ...2.")
    entries = [
        (FieldKey("f", method), count_field(truth, label_map, classes=ROSELLA)) for method, label_map in maps.items()
    ]
    return CountTable.stack(entries, classes=ROSELLA)


def test_quality_is_the_mean_dice_of_the_classes():
    quality = measure_quality(table_of({"none": EMPTY, "half": draw("11... / ....."), "one": draw("1.... / ...2.")}))
    assert quality["none"]["f"] == 0
    assert quality["half"]["f"] == 0.5
    assert quality["one"]["f"] == pytest.approx((2 / 3 + 1) / 2)


def test_an_empty_quarter_left_empty_is_perfect():
    table = CountTable.stack([(FieldKey("f", "CIP"), count_field(EMPTY, EMPTY, classes=ROSELLA))], classes=ROSELLA)
    assert measure_quality(table) == {"CIP": {"f": 1.0}}


def test_another_method_changes_no_score_of_the_others():
    images = [f"f{index}" for index in range(5)]
    one = {"CIP": dict.fromkeys(images, 0.4)}
    both = {**one, "CDL": dict.fromkeys(images, 0.7)}
    alone, beside = (simulate_ratings(q, raters=["a", "b"], images=images, seed=3) for q in (one, both))
    assert alone.score.tolist() == beside.score[beside.method == "CIP"].tolist()


def test_many_raters_see_the_true_quality_within_the_ends_of_the_scale():
    images, raters = [f"f{index}" for index in range(60)], [f"r{index}" for index in range(40)]
    quality = {"CIP": dict.fromkeys(images, 1 / 3), "CDL": dict.fromkeys(images, 2 / 3)}
    ratings = simulate_ratings(quality, raters=raters, images=images, seed=1)
    means = [np.mean(list(ratings.scores(method=method).values())) for method in quality]
    assert means == pytest.approx([4, 7], abs=0.6)  # 1 + 9 q, but for 100 draws of SD 1 and 1.5
    assert means[1] - means[0] == pytest.approx(3, abs=0.35)
    assert ratings.score.min() >= 1
    assert ratings.score.max() <= 10

"""Statistics of a grid, against hand-made tables and slow definitions."""

import numpy as np
import pandas as pd
import pytest

from noisylabels.data.labels import ROSELLA
from noisylabels.experiments.collection import confusion_of, dice
from noisylabels.experiments.curves import (
    area_under_curve,
    contrast_arms,
    effective_dose,
    find_arm,
    recall_by_quartile,
    score_arms,
    summarise_curve,
)
from noisylabels.experiments.figures import draw_recall


def rows(run_id, noise, dose, method, matrices, *, seed=0, source="prediction"):
    """One row per field; a matrix is ((tn, fp), (fn, tp)) of one event class."""
    return [
        {
            "id": run_id, "noise": noise, "dose": dose, "method": method, "n_train": None,
            "noise_seed": seed, "weights_seed": 0, "order_seed": 0, "split_seed": 0,
            "field": f"f{i}", "group": f"g{i}", "source": source,
            **{f"confusion_{r}_{c}": matrix[r][c] for r in range(2) for c in range(2)},
        }
        for i, matrix in enumerate(matrices)
    ]  # fmt: skip


RIGHT, HALF, NONE = ((90, 0), (0, 10)), ((90, 0), (5, 5)), ((90, 0), (10, 0))


def table():
    return pd.DataFrame(
        rows("a", "clean", 0.0, "gdl", [RIGHT] * 4)
        + rows("a", "clean", 0.0, "gdl", [RIGHT] * 4, source="labels")
        + rows("b", "random", 0.5, "gdl", [RIGHT, RIGHT, HALF, HALF])
        + rows("c", "random", 0.5, "gdl", [RIGHT, HALF, HALF, HALF], seed=1)
        + rows("b", "random", 0.5, "gdl", [HALF] * 4, source="labels")
        + rows("c", "random", 0.5, "gdl", [HALF] * 4, seed=1, source="labels")
    )


def test_dice_of_an_empty_set_is_undefined_and_absent_classes_are_left_out():
    assert np.isnan(dice(np.array([[5, 0], [0, 0]])))
    assert dice(np.array([[5, 0, 0], [0, 2, 0], [0, 0, 0]])) == 1.0


def test_confusions_are_read_in_order_for_many_classes():
    frame = pd.DataFrame([{f"confusion_{r}_{c}": 10 * r + c for c in range(3) for r in range(3)}])
    assert confusion_of(frame)[0].tolist() == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]


def test_an_arm_is_the_mean_over_seeds_of_dice_pooled_over_fields():
    arm = find_arm(score_arms(table()), noise="random", dose=0.5, method="gdl")
    # pooled: 30 hits, 10 missed -> 60/70; 25 hits, 15 missed -> 50/65
    assert arm.score.estimate == pytest.approx((60 / 70 + 50 / 65) / 2)
    assert arm.score.low <= arm.score.estimate <= arm.score.high


def test_the_labels_are_scored_once_per_noise_and_dose():
    arms = score_arms(table())
    labels = [arm for arm in arms if arm.method == "labels"]
    assert [(arm.noise, arm.dose) for arm in labels] == [("clean", 0.0), ("random", 0.5)]
    assert labels[1].score.estimate == pytest.approx(2 * 20 / (2 * 20 + 20))


def test_dose_zero_of_any_noise_is_the_clean_arm():
    arms = score_arms(table())
    assert find_arm(arms, noise="dim", dose=0.0, method="gdl").noise == "clean"
    assert find_arm(arms, noise="dim", dose=0.5, method="gdl") is None


def test_the_interval_adds_the_variances_over_groups_and_over_seeds():
    rng = np.random.default_rng(1)
    hits = rng.integers(0, 21, (3, 12))
    frame = pd.DataFrame(
        [
            row
            for source in ("prediction", "labels")
            for seed, part in enumerate(hits)
            for row in rows(
                f"r{seed}", "random", 0.5, "gdl", [((80, 0), (20 - h, h)) for h in part], seed=seed, source=source
            )
        ]
    )
    arm = find_arm(score_arms(frame), noise="random", dose=0.5, method="gdl")

    def score(kept):
        return np.mean([2 * part.sum() / (part.sum() + 20 * part.size) for part in kept])

    groups = [score(np.delete(hits, place, axis=1)) for place in range(12)]
    seeds = [score(np.delete(hits, place, axis=0)) for place in range(3)]
    variances = [(len(one) - 1) * np.var(one) for one in (groups, seeds)]
    assert arm.score.error == pytest.approx(np.sqrt(sum(variances)))
    assert arm.score.df == pytest.approx(sum(variances) ** 2 / (variances[0] ** 2 / 11 + variances[1] ** 2 / 2))
    assert 0 < arm.score.low < arm.score.estimate < arm.score.high < 1


def test_contrasts_are_paired_by_fields():
    arms = score_arms(table())
    noisy = find_arm(arms, noise="random", dose=0.5, method="gdl")
    clean = find_arm(arms, noise="random", dose=0.0, method="gdl")
    itself, harm = contrast_arms([(noisy, noisy), (noisy, clean)], margin=0.02)
    assert (itself.difference.low, itself.difference.high) == (0, 0)
    assert itself.p == 1.0
    assert itself.no_harm.equivalent
    assert harm.difference.estimate == pytest.approx(noisy.score.estimate - 1)
    assert not harm.no_harm.not_inferior
    assert harm.p_holm >= harm.p


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([1.0, 0.9, 0.5], 1.0), ([1.0, 0.6, 0.4], 0.75), ([1.0, 0.9, 0.8], np.nan), ([0.8, 0.4, 0.4], 0.5)],
)
def test_ed50_is_where_half_of_the_clean_score_is_lost(scores, expected):
    assert effective_dose([0, 0.5, 1.0], scores, loss=0.5) == pytest.approx(expected, nan_ok=True)


def test_the_area_is_the_mean_over_doses():
    assert area_under_curve([0, 0.5, 1.0], [1.0, 0.5, 0.5]) == pytest.approx(0.625)
    assert area_under_curve([0], [0.7]) == 0.7


def test_a_curve_comes_down_to_three_numbers():
    arms = score_arms(table())
    curve = [find_arm(arms, noise="random", dose=dose, method="gdl") for dose in (0.0, 0.5)]
    summary = summarise_curve(curve)
    loss_at_half = 1 - curve[1].score.estimate
    assert summary["ED10"].estimate == pytest.approx(0.5 * 0.1 / loss_at_half)
    assert np.isnan(summary["ED50"].estimate)
    assert summary["mean over doses"].estimate == pytest.approx((1 + curve[1].score.estimate) / 2)


def drawn_events():
    """Two classes of four events, the second brighter as a whole; of each, the dimmest is missed."""
    return pd.DataFrame(
        {
            "noise": "random", "dose": 0.5, "method": "gdl", "n_train": 8,
            "class_index": [1, 1, 1, 1, 2, 2, 2, 2],
            "brightness": [4.0, 2.0, 3.0, 1.0, 10.0, 20.0, 30.0, 40.0],
            "missed": [False, False, False, True, True, False, False, False],
            "misclassified": [False, True, False, False, False, False, False, False],
        }
    )  # fmt: skip


def test_recall_is_counted_by_class_and_by_quartile_within_the_class():
    recall = recall_by_quartile(drawn_events(), by="brightness", classes=ROSELLA)
    counted = {(row["class"], row["quartile"]): (row["n_events"], row["recall"]) for _, row in recall.iterrows()}
    assert counted == {
        ("phagophore", 1): (1, 0.0),
        ("phagophore", 2): (1, 0.0),
        ("phagophore", 3): (1, 1.0),
        ("phagophore", 4): (1, 1.0),
        ("autolysosome", 1): (1, 0.0),
        ("autolysosome", 2): (1, 1.0),
        ("autolysosome", 3): (1, 1.0),
        ("autolysosome", 4): (1, 1.0),
    }
    assert list(recall)[:4] == ["noise", "dose", "method", "n_train"]


def test_rows_of_recall_stand_in_the_order_of_arms_classes_and_quartiles():
    both = pd.concat([drawn_events().iloc[::-1], drawn_events().assign(noise="dim")])
    recall = recall_by_quartile(both, by="brightness", classes=ROSELLA)
    order = [
        (name, which, quartile)
        for name in ("random", "dim")
        for which in ROSELLA.foreground
        for quartile in range(1, 5)
    ]
    assert recall[["noise", "class", "quartile"]].to_numpy().tolist() == [list(row) for row in order]


def test_recall_of_no_events_is_no_rows():
    assert recall_by_quartile(drawn_events().iloc[:0], by="brightness", classes=ROSELLA).empty


def test_events_that_are_equally_bright_share_a_quartile():
    equal = drawn_events().assign(brightness=1.0)
    recall = recall_by_quartile(equal, by="brightness", classes=ROSELLA)
    assert recall[["class", "quartile", "n_events", "recall"]].to_numpy().tolist() == [
        ["phagophore", 1, 4, 0.5],
        ["autolysosome", 1, 4, 0.75],
    ]


def test_the_figure_shows_each_class_and_each_noise_at_its_largest_dose():
    dim = drawn_events().assign(noise="dim", dose=1.0)
    lower = drawn_events().assign(dose=0.3)
    recall = recall_by_quartile(pd.concat([lower, drawn_events(), dim]), by="brightness", classes=ROSELLA)
    svg = draw_recall(recall, by="brightness").svg.decode()
    for text in ("recall, phagophore", "recall, autolysosome", "random, dose 0.5", "dim, dose 1", "gdl"):
        assert f">{text}<" in svg
    assert "dose 0.3" not in svg

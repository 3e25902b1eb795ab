"""Right and wrong labels by epoch: drawn tables, seeds averaged, the clean arm left out."""

import pandas as pd
import pytest

from noisylabels.experiments.memorisation import (
    SHARES,
    average_shares,
    column_of,
    draw_memorisation,
    memorisation_section,
)


def epochs(*rows):
    factors = ["noise", "dose", "method", "n_train", "weights_seed", "epoch"]
    return pd.DataFrame(rows, columns=[*factors, *map(column_of, SHARES)])


CLEAN_ROW = ("clean", 0.0, "gdl", None, 0, 1, 0.9, None, None)
TWO_SEEDS = (
    ("misses", 0.5, "gdl", None, 0, 1, 0.8, 0.1, 0.9),
    ("misses", 0.5, "gdl", None, 1, 1, 0.6, 0.3, 0.7),
)


@pytest.mark.parametrize("table", [pd.DataFrame({"noise": ["misses"], "epoch": [1]}), epochs(CLEAN_ROW)])
def test_without_wrong_labels_that_were_followed_there_is_no_section(table):
    assert memorisation_section(table) is None


def test_seeds_are_averaged_and_the_clean_arm_is_left_out():
    shares = average_shares(epochs(CLEAN_ROW, *TWO_SEEDS))
    assert len(shares) == 1
    assert shares.iloc[0][["correct_fitted", "corrupted_memorised", "corrupted_recovered"]].tolist() == pytest.approx(
        [0.7, 0.2, 0.8]
    )


def test_the_section_tells_the_last_epoch():
    later = ("misses", 0.5, "gdl", None, 0, 2, 1.0, 0.5, 0.5)
    section = memorisation_section(epochs(*TWO_SEEDS, later))
    table = section.items[1]
    assert table.rows == (("misses", 0.5, "gdl", 2, 1.0, 0.5, 0.5),)


def test_the_figure_has_a_row_for_each_noise_and_a_column_for_each_share():
    swapped = ("swaps", 0.3, "ce", None, 0, 1, 0.9, 0.0, 1.0)
    figure = draw_memorisation(average_shares(epochs(*TWO_SEEDS, swapped)))
    for text in ("misses, 0.5", "swaps, 0.3", *SHARES.values(), "gdl", "ce"):
        assert text in figure.svg.decode()

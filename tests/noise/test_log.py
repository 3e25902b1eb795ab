"""The error log and the randomness behind it."""

import numpy as np
import pytest
from scipy.stats import kstest

from noisylabels.data.keys import combine_keys, generator, normals, uniforms
from noisylabels.noise.log import COLUMNS, join_logs, make_rows, read_log, write_log


@pytest.mark.parametrize("n_rows", [0, 3])
def test_a_log_survives_its_file(tmp_path, n_rows):
    log = make_rows(
        "a", "incomplete", np.arange(1, n_rows + 1),
        mode="cut", cover=0.5, key=combine_keys(0, np.arange(n_rows)),
    )  # fmt: skip
    write_log(tmp_path / "log.parquet", log)
    again = read_log(tmp_path / "log.parquet")
    assert list(again) == list(COLUMNS)
    assert all(np.array_equal(again[name], log[name]) for name in COLUMNS)
    assert all(again[name].dtype == dtype for name, dtype in COLUMNS.items())


def test_no_logs_join_to_an_empty_one():
    assert len(join_logs([])) == 0
    assert list(join_logs([])) == list(COLUMNS)


def test_draws_are_uniform_normal_and_independent_between_kinds_images_and_seeds():
    events = np.arange(20_000)
    drawn = [
        uniforms(combine_keys(seed, image, events, kind)) for seed in (0, 1) for image in "ab" for kind in ("m", "s")
    ]
    for one in drawn:
        assert kstest(one, "uniform").pvalue > 1e-4
    correlations = np.corrcoef(drawn)[np.triu_indices(len(drawn), 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(len(events))
    assert kstest(normals(combine_keys(0, events)), "norm").pvalue > 1e-4


def test_one_key_starts_one_generator():
    key = combine_keys(1, "a")
    assert generator(key).random() == generator(key).random() != generator(combine_keys(2, "a")).random()


def test_the_order_of_the_parts_counts():
    assert combine_keys(1, 2) != combine_keys(2, 1)
    assert combine_keys(-1) == combine_keys(2**64 - 1)

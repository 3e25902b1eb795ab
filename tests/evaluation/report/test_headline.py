import numpy as np
import pytest

from evaluation.metrics.counts import FieldKey
from evaluation.metrics.fields import count_fields
from evaluation.report.assembly import compare_all
from evaluation.report.headline import count_found, find_next_step, list_not_better, next_command
from noisylabels.data.labels import ROSELLA
from tests.evaluation.datasets import EMPTY, SHIFTED, TRUTH


def compared(**maps):
    """Count methods on as many fields, each a cluster of its own, and compare them."""
    n = len(next(iter(maps.values())))
    table = count_fields(
        (
            (FieldKey(f"f{place}", method, "truth", f"w{place}"), TRUTH, one)
            for method, fields in maps.items()
            for place, one in enumerate(fields)
        ),
        classes=ROSELLA,
    )
    assert len(table) == n * len(maps)
    return table, compare_all(table, n_resamples=200, seed=0)


def test_events_found_and_false_are_counted_by_class():
    table, comparison = compared(CIP=[EMPTY] * 8, CDL=[TRUTH] * 8)
    # two events of each class in each of eight fields
    assert count_found(table, comparison) == (
        "Events, phagophore: CIP 0 of 16 found, 0 false; CDL 16 of 16 found, 0 false. "
        "autolysosome: CIP 0 of 16 found, 0 false; CDL 16 of 16 found, 0 false."
    )


def test_a_false_event_is_one_that_touches_none():
    false = TRUTH.copy()
    false[0, 4] = 1
    table, comparison = compared(CDL=[false] * 8)
    assert "phagophore: CDL 16 of 16 found, 8 false" in count_found(table, comparison)


def test_what_is_not_better_is_named_with_both_scores():
    worse = np.where(TRUTH == 1, 0, TRUTH).astype(np.uint8)  # no phagophore at all
    table, comparison = compared(CIP=[SHIFTED] * 8, CDL=[worse] * 8)
    line = list_not_better(table, comparison)
    assert line.startswith("Not better: phagophore (IoU 0.400 to 0.000), phagophore (event F1 ")
    assert "autolysosome" not in line
    assert list_not_better(*compared(CIP=[EMPTY] * 8, CDL=[TRUTH] * 8)) == ""
    assert list_not_better(*compared(CDL=[TRUTH] * 8)) == ""


@pytest.mark.parametrize(
    ("maps", "step"),
    [
        ({"CIP": [EMPTY] * 3, "CDL": [TRUTH] * 3}, "draw the reference in more wells: with 3 of the 6 that a test "),
        ({"CIP": [TRUTH] * 8, "CDL": [EMPTY] * 8}, "keep CIP, and look in the gallery where CDL loses before more is "),
        ({"CIP": [EMPTY] * 8, "CDL": [TRUTH] * 8}, "use CDL on new fields, and look at ten at random: no event of it "),
        (
            {"CIP": [EMPTY] * 8, "CDL": [SHIFTED] * 8},
            "correct the 8 fields where CDL is worst (f0, f1, f2, ...), above",
        ),
    ],
    ids=["few wells", "worse", "no error", "errors"],
)
def test_what_comes_next_follows_from_the_numbers(maps, step):
    assert find_next_step(*compared(**maps)).startswith(step)


def test_the_next_command_lays_the_fields_before_a_person():
    assert next_command("screen", "cdl") == "noisylabels annotate create screen.desk screen --start cdl"

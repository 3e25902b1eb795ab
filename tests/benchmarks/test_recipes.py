"""The table of recipes: medians over seeds, collapsed runs counted, fewer fields on request."""

from benchmarks.recipes import COLUMNS, narrow, write_lines
from noisylabels.data.dataset import open_dataset
from tests.bundles.small_screen import write_screen


def row(seed, mean_iou, least_iou, spurious, recipe="crops"):
    values = ("s21", "cdl", "cip", recipe, "100", seed, mean_iou, least_iou, spurious, 10 * (seed + 1))
    return dict(zip(COLUMNS, map(str, values), strict=True))


def test_a_class_left_behind_or_a_flood_is_a_collapse():
    rows = [row(0, 0.6, 0.3, 1.0), row(1, 0.5, 0.09, 1.0), row(2, 0.7, 0.3, 5.1), row(0, 0.4, 0.1, 5.0, recipe="whole")]
    assert list(write_lines(rows))[2:] == [
        "| s21 | cdl | cip | crops | 100 | 3 | 0.600 [0.500, 0.700] | 2 | 20 |",
        "| s21 | cdl | cip | whole | 100 | 1 | 0.400 [0.400, 0.400] | 0 | 10 |",
    ]


def test_no_run_is_a_table_without_lines():
    assert len(list(write_lines([]))) == 2


def test_few_fields_are_the_first(tmp_path):
    screen = write_screen(tmp_path / "s", splits=("training",) * 4 + ("validation",) * 2)
    whole = open_dataset(screen)
    few = narrow(whole, tmp_path / "few", "cip", 2)
    assert narrow(whole, tmp_path / "none", "cip", None) is whole
    assert few.ids("training") == whole.ids("training")[:2]
    assert few.ids("validation") == whole.ids("validation")

import numpy as np
import pandas as pd
import pytest

from evaluation.metrics.counts import CountTable, FieldKey
from evaluation.metrics.fields import count_fields
from evaluation.metrics.scores import data_set_metrics
from evaluation.metrics.tables import (
    absent_matters,
    tabulate_classes,
    tabulate_confusion,
    tabulate_data_set,
)
from noisylabels.data.labels import ROSELLA
from tests.cases import draw

# Field one: background 5 px, phagophore 3 of which 2 right, autolysosome 2 all right; field two: all background.
ONE = draw("..... / 111.. / ...22"), draw("..... / 11... / ...22")
TWO = draw("..... / ..... / ....."), draw("..... / ..... / .....")


def two_fields(method="CDL"):
    fields = [(FieldKey("f0", method), *TWO), (FieldKey("f1", method), *ONE)]
    return count_fields(fields, classes=ROSELLA)


def scores_of_fields(name):
    (metric,) = (metric for metric in data_set_metrics(ROSELLA) if metric.name == name)
    return metric.of_fields(two_fields())


def test_no_field_gives_a_table_with_its_heads():
    frame = tabulate_data_set(CountTable.empty(ROSELLA))
    assert len(frame) == 0
    assert "MeanIoU" in frame


def test_the_data_set_is_pooled_and_the_boundary_score_is_not():
    row = tabulate_data_set(two_fields()).iloc[0]
    assert row.n_fields == 2
    assert row.GlobalAccuracy == 29 / 30
    assert row.MeanAccuracy == pytest.approx(np.mean([1, 2 / 3, 1]))
    assert row.MeanIoU == pytest.approx(np.mean([25 / 26, 2 / 3, 1]))
    assert row.WeightedIoU == pytest.approx((25 * 25 / 26 + 3 * 2 / 3 + 2) / 30)
    fields = scores_of_fields("MeanBFScore")
    assert pytest.approx(fields.mean()) == row.MeanBFScore
    assert fields[0] == 1


def test_fields_are_scored_alone_in_their_order():
    assert two_fields().keys["field"].tolist() == ["f0", "f1"]
    assert scores_of_fields("MeanIoU").tolist() == pytest.approx([1, np.mean([10 / 11, 2 / 3, 1])])


def test_classes_are_scored_on_pooled_pixels():
    frame = tabulate_classes(two_fields()).set_index("class_name")
    assert frame.Accuracy["phagophore"] == pytest.approx(2 / 3)
    assert frame.IoU["phagophore"] == pytest.approx(2 / 3)
    assert frame.Precision["phagophore"] == 1
    assert frame.Dice["phagophore"] == pytest.approx(4 / 5)
    assert frame.Specificity["background"] == pytest.approx(4 / 5)
    # Exact hits only at this size: phagophore's outline of three has two hits, recall 2/3, precision 1.
    assert frame.MeanBFScore["phagophore"] == pytest.approx(0.8)
    assert frame.n_fields_undefined.tolist() == [0, 1, 1]
    assert frame.reference_px.tolist() == [25, 3, 2]
    assert frame.prediction_px.tolist() == [26, 2, 2]


def test_the_confusion_matrix_of_each_method_is_pooled():
    tables = tabulate_confusion(two_fields())
    assert list(tables) == [("reference", "CDL")]
    expected = pd.DataFrame([[25, 0, 0], [1, 2, 0], [0, 0, 2]], index=list(ROSELLA), columns=list(ROSELLA))
    pd.testing.assert_frame_equal(tables["reference", "CDL"], expected)
    shares = tabulate_confusion(two_fields(), by="row")["reference", "CDL"]
    assert shares.loc["phagophore", "background"] == pytest.approx(1 / 3)


def test_an_absent_class_matters_where_means_change():
    assert absent_matters(two_fields())  # field one has no phagophore: its boundary F1 is undefined there
    full = count_fields([(FieldKey("f1", "CDL"), *ONE)], classes=ROSELLA)
    assert not absent_matters(full)


def test_methods_have_rows_of_their_own():
    fields = [(FieldKey("f1", method), *ONE) for method in ("CIP", "CDL")]
    frame = tabulate_data_set(count_fields(fields, classes=ROSELLA))
    assert frame.method.tolist() == ["CIP", "CDL"]

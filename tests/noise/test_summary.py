"""Tables of doubted labels, counted by eye."""

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.labels import ClassTable
from noisylabels.noise.detection.events import COLUMNS, join_issues
from noisylabels.noise.detection.summary import Tally, tabulate_annotators

CLASSES = ClassTable(["background", "cell", "nucleus"])


def issues(*rows):
    columns = {name: np.zeros(len(rows), dtype) for name, dtype in COLUMNS.items()}
    columns["image"] = np.array([image for image, _ in rows], object)
    columns["kind"] = np.array([kind for _, kind in rows], object)
    return join_issues([type(join_issues([]))(columns)])


def test_no_fields_no_rows():
    assert Tally(CLASSES).by_class().empty
    assert tabulate_annotators([], issues(), {}).empty


def test_doubted_pixels_are_counted_by_class_and_ignored_ones_are_no_class():
    tally = Tally(CLASSES)
    labels = np.array([[0, 0, 0, 1, 2, 255]])
    seen = np.array([[0, 1, 1, 2, 2, 0]])
    flags = np.array([[False, True, True, True, False, False]])
    tally.add(labels, np.moveaxis(np.eye(3)[seen], -1, 0), flags)
    tally.add(labels, np.moveaxis(np.eye(3)[seen], -1, 0), np.zeros_like(flags))
    rows = tally.by_class().to_numpy().tolist()
    assert rows == [["background", "cell", 2, 2 / 6], ["cell", "nucleus", 1, 1 / 2]]


def test_doubted_events_are_counted_by_annotator_the_most_a_field_first():
    queue = [{"field": name, "quality": quality} for name, quality in (("a", 0.9), ("b", 0.5), ("c", 0.7))]
    table = tabulate_annotators(
        queue, issues(("a", "missed"), ("b", "missed"), ("b", "spurious")), {"a": "anna", "c": "anna", "b": "bob"}
    )
    assert table.columns.tolist() == [
        "annotator", "fields", "missed", "incomplete", "misclassified", "spurious", "per_field", "quality",
    ]  # fmt: skip
    assert table.drop(columns="quality").to_numpy().tolist() == [
        ["bob", 1, 1, 0, 0, 1, 2.0],
        ["anna", 2, 1, 0, 0, 0, 0.5],
    ]
    assert table["quality"].tolist() == pytest.approx([0.5, 0.8])


def test_a_field_of_nobody_is_refused():
    message = (
        "Every field must have an annotator, got none for 1 of 1: b. Add them to the table, or examine another --split."
    )
    with pytest.raises(InputError) as error:
        tabulate_annotators([{"field": "b", "quality": 1.0}], issues(), {"a": "anna"})
    assert str(error.value) == message

"""The class table and the checks at a label map's door."""

import re

import numpy as np
import pytest

from noisylabels.data.errors import InputError
from noisylabels.data.labels import (
    IGNORE_INDEX,
    PHASES_TO_ROSELLA,
    ROSELLA,
    ROSELLA_PHASES,
    ClassTable,
    check_label_map,
    merge_classes,
)
from tests.cases import draw


def test_an_empty_label_map_of_any_integer_type_is_accepted():
    for dtype in (np.uint8, np.int64, bool):
        checked = check_label_map(np.zeros((0, 4), dtype), ROSELLA)
        assert checked.shape == (0, 4)
        assert checked.dtype == np.uint8


def test_a_label_map_passes_unchanged():
    label_map = draw("1.2/.12")
    assert check_label_map(label_map.astype(np.int32), ROSELLA).tolist() == label_map.tolist()


@pytest.mark.parametrize(
    ("label_map", "like", "message"),
    [
        pytest.param(
            np.zeros((1, 2, 3), int),
            None,
            "a.tif must be (row, column), got shape (1, 2, 3). Give one two-dimensional label map.",
            id="three axes",
        ),
        pytest.param(
            np.zeros((2, 3)),
            None,
            "a.tif must hold integers, got float64. Give class indices, not probabilities or colours.",
            id="floats",
        ),
        pytest.param(
            np.zeros((2, 3), int),
            (3, 2),
            "a.tif must have the size of its image, (3, 2), got (2, 3). Pair it with its own image.",
            id="transposed",
        ),
        pytest.param(
            np.array([[0, 3], [4, 4]]),
            None,
            "Values of a.tif must be class indices 0..2 (background, phagophore, autolysosome), got 3, 4 in 3 pixels. "
            "Map or drop that class first.",
            id="five classes",
        ),
        pytest.param(
            np.array([[0, -1]]),
            None,
            "Values of a.tif must be class indices 0..2 (background, phagophore, autolysosome), got -1 in 1 pixels. "
            "Map or drop that class first.",
            id="negative",
        ),
    ],
)
def test_what_is_no_label_map_is_refused_in_one_sentence(label_map, like, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_label_map(label_map, ROSELLA, source="a.tif", like=like)


def test_the_papers_reduction_keeps_phagophores_and_autolysosomes():
    renamed = merge_classes(draw("01234"), PHASES_TO_ROSELLA)
    assert [ROSELLA.names[i] for i in renamed[0]] == [
        "background",
        "phagophore",
        "background",
        "background",
        "autolysosome",
    ]
    assert ROSELLA_PHASES.index("autolysosome") == 4


def test_a_class_without_a_new_name_is_refused():
    with pytest.raises(InputError, match=r"got none for \[2\]"):
        merge_classes(draw("012"), {0: 0, 1: 1})


@pytest.mark.parametrize("names", [(), ("background",), ("a", "a"), ("a", "")])
def test_a_class_table_needs_two_different_names(names):
    with pytest.raises(InputError):
        ClassTable(names)


def test_channel_def_makes_the_round_trip():
    assert ClassTable.from_channel_def(ROSELLA.channel_def()) == ROSELLA
    with pytest.raises(InputError, match="without gaps"):
        ClassTable.from_channel_def({"0": "background", "2": "nucleus"})


def test_twelve_classes_keep_their_numeric_order():
    table = ClassTable(("background", *(f"class {i}" for i in range(1, 12))))
    assert ClassTable.from_channel_def(table.channel_def()).names == table.names


def test_the_ignore_index_is_let_through_only_where_it_is_asked_for():
    map_ = np.array([[0, 2, 255]], np.uint8)
    assert check_label_map(map_, ROSELLA, ignore_index=IGNORE_INDEX).tolist() == [[0, 2, 255]]
    with pytest.raises(InputError, match=r"\(background, phagophore, autolysosome\), got 255 in 1 pixels\."):
        check_label_map(map_, ROSELLA)
    with pytest.raises(InputError, match=r"autolysosome\), or 255 to be ignored, got 7 in 1 pixels\."):
        check_label_map(np.array([[7, 255]]), ROSELLA, ignore_index=IGNORE_INDEX)

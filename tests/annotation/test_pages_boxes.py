"""The boxes page in a real browser: what experts draw is what is exported."""

import numpy as np
import pandas as pd
import pytest

from noisylabels.annotation.boxes import BoxDesk, assign_boxes
from noisylabels.annotation.tables import export_boxes
from noisylabels.annotation.users import person_of
from tests.annotation.pages import Tab, served

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(tmp_path):
    with served(tmp_path) as desk:
        names = [row["name"] for row in desk.project.rows("SELECT name FROM field")]
        assign_boxes(desk.project, [["ella", "eva"], ["emil"]], names[:2])
        yield desk


@pytest.fixture
def tab(desk, context):
    tab = Tab(context, desk.url + desk.link("ella"))
    yield tab
    assert tab.faults == []


def boxes(desk, tab, name="ella"):
    """The boxes on the server's disk, as edges with their class."""
    tab.saved()
    found = BoxDesk(desk.project, person_of(desk.project, name)).boxes(tab.task())
    return [(box.class_index, box.row_min, box.column_min, box.row_max, box.column_max) for box in found]


def covered(path):
    """The half-open box of the pixels that a drag touched."""
    (row_a, column_a), (row_b, column_b) = path[0], path[-1]
    low = np.floor([min(row_a, row_b), min(column_a, column_b)])
    high = np.ceil([max(row_a, row_b), max(column_a, column_b)])
    return tuple(int(edge) for edge in (*low, *high))


def test_a_box_is_drawn_moved_resized_classed_and_deleted(desk, tab):
    assert tab.page.url.startswith(desk.url + "/boxes")
    first = covered(tab.drag((5.4, 6.4), (14.6, 20.6)))
    assert boxes(desk, tab) == [(1, *first)]
    tab.keys("Escape", "2")
    second = covered(tab.drag((40.4, 50.4), (30.6, 35.6)))  # backwards, at once, without a mode
    assert boxes(desk, tab) == [(1, *first), (2, *second)]

    tab.drag((10.5, 13.5), (13.5, 18.5))  # by its inside: moves 3 down, 5 to the right
    first = (first[0] + 3, first[1] + 5, first[2] + 3, first[3] + 5)
    assert boxes(desk, tab) == [(1, *first), (2, *second)]
    tab.drag((first[2], 18.5), (first[2] + 4, 18.5))  # by its lower edge
    first = (*first[:2], first[2] + 4, first[3])
    assert boxes(desk, tab) == [(1, *first), (2, *second)]
    tab.keys("2")
    assert boxes(desk, tab) == [(2, *first), (2, *second)]
    tab.keys("Delete")
    assert boxes(desk, tab) == [(2, *second)]

    states = []
    for _ in range(6):
        states.append(boxes(desk, tab))
        tab.keys("Control+z")
    assert boxes(desk, tab) == []
    for state in states[::-1]:
        tab.keys("Control+Shift+z")
        assert sorted(boxes(desk, tab)) == sorted(state)
    tab.page.reload()
    tab.ready()
    assert tab.text("#count") == "1"
    assert boxes(desk, tab) == [(2, *second)]


def test_boxes_can_be_drawn_without_a_mouse(desk, tab):
    tab.keys("n")
    ((index, *drawn),) = boxes(desk, tab)
    assert index == 1
    assert (drawn[2] - drawn[0], drawn[3] - drawn[1]) == (10, 10)
    tab.keys("ArrowDown", "ArrowDown", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "2")
    expected = (2, drawn[0] + 2, drawn[1] - 1, drawn[2] + 1, drawn[3])
    assert boxes(desk, tab) == [expected]
    tab.keys("n", "[")  # another one, and back to the first
    assert tab.page.get_attribute("#boxes li:first-child button", "aria-pressed") == "true"
    tab.keys("x")
    assert len(boxes(desk, tab)) == 1


def test_a_slip_of_the_mouse_is_no_box(desk, tab):
    tab.drag((10.4, 10.4), (11.6, 30.6))  # two rows high
    assert tab.text("#notice") == "A box must have at least 3 pixels on each side. Draw it again."
    tab.click(20.5, 20.5)
    assert boxes(desk, tab) == []
    path = tab.drag((10.4, 10.4), (12.6, 30.6))
    assert boxes(desk, tab) == [(1, *covered(path))]


def test_two_groups_draw_apart_and_are_exported_together(desk, browser, tmp_path):
    drawn = {}
    for name in ("ella", "eva", "emil"):
        context = browser.new_context()
        tab = Tab(context, desk.url + desk.link(name))
        assert tab.text("#count") == "0"
        assert tab.page.query_selector_all("#tasks li").__len__() == 2
        drawn[name] = [(1, *covered(tab.drag((5.4, 6.4 + len(name)), (14.6, 20.6))))]
        assert boxes(desk, tab, name) == drawn[name]
        first = tab.task()
        tab.keys("Enter")
        tab.page.wait_for_selector(f"#stage:not([data-field='{first}']):not([data-field=''])")
        tab.keys("s")
        tab.page.wait_for_selector("#progress-text:text-is('2 of 2 done')")
        assert tab.faults == []
        context.close()
    export_boxes(desk.project, tmp_path)
    table = pd.read_csv(tmp_path / "boxes.csv")
    assert list(table["group"].astype(str)) == ["1", "1", "2"]
    assert set(table["class"]) == {"phagophore"}
    edges = table[["row_min", "column_min", "row_max", "column_max"]].itertuples(index=False, name=None)
    by_expert = dict(zip(table["expert"], edges, strict=True))
    assert by_expert == {name: box[1:] for name, (box,) in drawn.items()}

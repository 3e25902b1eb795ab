"""Every hand and keyboard: fingers, trackpads, layouts; what was set is remembered; review, and the way out."""

import numpy as np
import pytest

from noisylabels.annotation.boxes import BoxDesk, assign_boxes
from noisylabels.annotation.users import add_person, person_of
from tests.annotation.pages import VIEWPORT, Tab, agree, correct, near_line, served, wound_around

pytestmark = pytest.mark.browser

PRESS = """([key, code, held]) => document.body.dispatchEvent(new KeyboardEvent("keydown",
    {key, code, bubbles: true, cancelable: true, ...held}))"""
SCALE = "() => desk.locate(0, 1).x - desk.locate(0, 0).x"


@pytest.fixture
def desk(tmp_path):
    with served(tmp_path) as desk:
        yield desk


def touch(client, kind, *places):
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_zoom_and_save_nothing_and_one_finger_paints(desk, browser):
    context = browser.new_context(viewport=VIEWPORT, has_touch=True)
    tab = correct(context, desk)
    session, task = desk.session(), tab.task()
    expected = session.label_map(task).copy()
    before = tab.page.evaluate(SCALE)
    client = context.new_cdp_session(tab.page)
    touch(client, "touchStart", (500, 400))
    touch(client, "touchStart", (500, 400), (540, 400))
    for spread in (20, 50, 80):
        touch(client, "touchMove", (500 - spread / 2, 400), (540 + spread / 2, 400))
    touch(client, "touchEnd")
    assert tab.page.evaluate(SCALE) == pytest.approx(before * 3, rel=0.05)  # from 40 to 120 pixels apart
    agree(tab, session, task, expected)
    assert desk.project.value("SELECT count(*) FROM revision") == 1
    tab.keys(".")
    places = [tab.at(20.5, 10.5), tab.at(20.5, 30.5)]
    touch(client, "touchStart", places[0])
    touch(client, "touchMove", places[1])
    touch(client, "touchEnd")
    expected[near_line([tab.point(*place) for place in places], 7)] = 1
    tab.page.wait_for_timeout(200)  # time for what must not come
    agree(tab, session, task, expected)
    context.close()


def test_a_trackpad_zooms_as_far_as_the_fingers_go(desk, context):
    tab = correct(context, desk)
    before = tab.page.evaluate(SCALE)
    tab.page.mouse.move(*tab.at(20.5, 30.5))
    at = tab.at(20.5, 30.5)
    for _ in range(30):
        tab.page.mouse.wheel(0, -8)  # a flick: many small turns
    wanted = pytest.approx(before * 2 ** (240 * 0.002), rel=0.02)
    tab.until(lambda: tab.page.evaluate(SCALE) == wanted)
    tab.page.wait_for_timeout(300)  # and no further
    assert tab.page.evaluate(SCALE) == wanted
    assert np.allclose(tab.at(20.5, 30.5), at, atol=2)


def test_keys_work_on_other_keyboards_and_undo_in_a_polygon_takes_a_corner(desk, context):
    tab = correct(context, desk)
    press = lambda key, code, **held: tab.page.evaluate(PRESS, [key, code, held])  # noqa: E731
    press("у", "KeyE")  # Russian
    assert tab.page.get_attribute("[data-tool=eraser]", "aria-pressed") == "true"
    press("é", "Digit2")  # French
    assert tab.page.is_checked("#class-2")
    press("]", "Digit9", ctrlKey=True, altKey=True)  # German
    assert tab.text("#diameter-text") == "8 px"
    session, task = desk.session(), tab.task()
    expected = session.label_map(task).copy()
    path = tab.drag((40.5, 10.5), (40.5, 50.5), steps=1)
    expected[near_line(path, 8)] = 0
    tab.keys("p", "1")
    corners = [tab.click(3.3, 3.2), tab.click(5.4, 22.7), tab.click(19.6, 8.4)]
    tab.click(30.5, 50.5)
    tab.keys("Control+z")
    tab.keys("Enter")
    expected[wound_around(corners)] = 1
    agree(tab, session, task, expected)


def test_contrast_is_kept_for_a_plate_and_the_rest_for_the_person(desk, context):
    tab = correct(context, desk)
    first = tab.task()
    tab.page.fill("#high-number-0", "2000")
    tab.page.fill("#gamma-number-0", "0.5")
    tab.page.fill("#opacity", "80")
    tab.keys("]", "]", "o")
    tab.keys("Escape")
    tab.page.click("#title")
    tab.keys("Enter")
    tab.leaves(first)
    for _ in range(2):
        assert tab.page.input_value("#high-number-0") == "2000"
        assert tab.page.input_value("#gamma-number-0") == "0.5"
        assert (tab.page.input_value("#opacity"), tab.page.input_value("#diameter")) == ("80", "9")
        assert tab.page.is_checked("#outline")
        tab.page.reload()
        tab.ready()
    tab.page.click("#contrast-reset")
    assert tab.page.input_value("#high-number-0") != "2000"
    assert "µm · zoom" in tab.text(".scale-bar")


def test_what_cannot_be_told_is_painted_as_ignored(desk, context):
    tab = correct(context, desk)
    session, task = desk.session(), tab.task()
    expected = session.label_map(task).copy()
    tab.keys("x")
    path = tab.drag((20.5, 10.5), (20.5, 40.5), steps=1)
    expected[near_line(path, 7)] = 255
    agree(tab, session, task, expected)
    tab.page.mouse.move(*tab.at(20.5, 20.5))
    assert tab.text("#cursor-class") == "cannot tell here"
    with tab.page.expect_download() as saved:
        tab.page.click("#outlines-geojson")
    assert '"FeatureCollection"' in saved.value.path().read_text()


def test_the_next_boxes_class_changes_no_box_boxes_nest_and_undo_outlives_the_page(desk, context):
    names = [row["name"] for row in desk.project.rows("SELECT name FROM field")]
    assign_boxes(desk.project, [["ella"], ["emil"]], names[:2])
    tab = Tab(context, desk.url + desk.link("ella"))
    tab.page.wait_for_selector("body[data-loading='']")

    def classes():
        tab.saved()
        return [box.class_index for box in BoxDesk(desk.project, person_of(desk.project, "ella")).boxes(tab.task())]

    tab.drag((5.4, 6.4), (40.6, 50.6))
    tab.keys("2")
    assert classes() == [1]
    tab.page.keyboard.down("Shift")
    tab.drag((15.4, 16.4), (25.6, 30.6))
    tab.page.keyboard.up("Shift")
    assert classes() == [1, 2]
    tab.page.reload()
    tab.ready()
    tab.page.wait_for_selector("body[data-loading='']")
    tab.keys("Control+z")
    assert classes() == [1]
    tab.keys("Control+Shift+z")
    assert classes() == [1, 2]


def test_the_owner_returns_a_field_and_its_person_sees_why(desk, browser):
    anna, owner = browser.new_context(viewport=VIEWPORT), browser.new_context(viewport=VIEWPORT)
    add_person(desk.project, "anna", "annotator")
    hers = correct(anna, desk, "anna")
    assert hers.text("#person") == "anna"
    task = hers.task()
    hers.keys("Enter")
    hers.leaves(task)
    tab = Tab(owner, desk.url + desk.link())
    tab.page.click("#fields button.small >> nth=0")
    tab.page.click("#review-tasks a")
    tab.page.wait_for_selector(f"#stage[data-field='{task}']")
    assert tab.text("#state") == "accepted by anna"
    before = desk.project.value("SELECT count(*) FROM revision")
    tab.drag((20.5, 10.5), (20.5, 40.5))
    tab.page.click("#return")
    tab.page.fill("#judge-comment", "The rim is missing.")
    tab.page.click("#judge-do")
    tab.page.wait_for_selector("#state:text-is('returned by anna')")
    assert desk.project.value("SELECT count(*) FROM revision") == before
    hers.open(f"{desk.url}/correct?task={task}")
    hers.shows(task)
    assert hers.text("#comment") == "The rim is missing."
    assert hers.text("#state") == "returned"
    hers.page.click("#logout")
    hers.page.wait_for_url(desk.url + "/")
    assert hers.page.evaluate("fetch('/api/session').then((answer) => answer.status)") == 401
    for context in (anna, owner):
        context.close()

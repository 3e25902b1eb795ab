"""The correction page in a real browser: what is painted, shown and saved is one label map."""

import numpy as np
import pytest
from scipy import ndimage

from noisylabels.annotation.colours import class_colour
from tests.annotation.pages import agree, correct, hash_map, near_line, served, wound_around

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(tmp_path):
    with served(tmp_path) as desk:
        yield desk


@pytest.fixture
def tab(desk, context):
    tab = correct(context, desk)
    yield tab
    assert tab.faults == []


def start_of(desk, tab):
    """The task on the page and its label map."""
    session, task = desk.session(), tab.task()
    return session, task, session.label_map(task).copy()


def test_every_tool_changes_what_its_definition_says(desk, tab):
    session, task, expected = start_of(desk, tab)
    agree(tab, session, task, expected)

    tab.keys("b", "2")  # brush, class 2, 7 pixels wide
    path = tab.drag((20.5, 10.5), (24.5, 30.5), (10.5, 40.5), steps=1)
    expected[near_line(path, 7)] = 2
    agree(tab, session, task, expected)

    tab.keys("e", "[", "[", "[")  # eraser, 4 pixels wide
    path = tab.drag((22, 12), (22, 30), steps=1)
    expected[near_line(path, 4)] = 0
    agree(tab, session, task, expected)

    tab.keys("l", "1")  # a lasso that crosses itself: a star, wound around twice in the middle
    star = [(24 - 18 * np.cos(0.8 * np.pi * k + 0.1), 40 + 18 * np.sin(0.8 * np.pi * k + 0.1)) for k in range(5)]
    path = tab.drag(*star, steps=1)
    inside = wound_around(path)
    assert inside[24, 40]
    expected[inside] = 1
    agree(tab, session, task, expected)

    tab.keys("p", "2")  # a polygon: three corners, closed by Enter
    corners = [tab.click(3.3, 3.2), tab.click(5.4, 22.7), tab.click(19.6, 8.4)]
    tab.keys("Enter")
    expected[wound_around(corners)] = 2
    agree(tab, session, task, expected)

    tab.keys("f", "1")  # fill the event of class 2 that the polygon is part of
    tab.click(8.5, 9.5)
    events, _ = ndimage.label(expected == 2, np.ones((3, 3)))
    expected[events == events[8, 9]] = 1
    agree(tab, session, task, expected)

    tab.keys("0")  # fill a background region with class 1 by way of pick: pick 1 in the star, fill background
    tab.keys("i")
    tab.click(24.5, 40.5)
    assert tab.page.is_checked("#class-1")
    tab.keys("f")
    row, column = np.argwhere(expected == 0)[0]
    tab.click(row + 0.5, column + 0.5)
    regions, _ = ndimage.label(expected == 0)
    expected[regions == regions[row, column]] = 1
    agree(tab, session, task, expected)

    tools = [row["tool"] for row in desk.project.rows("SELECT tool FROM revision ORDER BY id")]
    assert tools == ["start", "brush", "eraser", "lasso", "polygon", "fill", "fill"]


def test_only_one_class_may_change(desk, tab):
    session, task, expected = start_of(desk, tab)
    tab.page.select_option("#only", "1")
    tab.keys("b", "2")
    path = tab.drag((30.5, 5.5), (30.5, 60.5), steps=1)
    expected[near_line(path, 7) & (expected == 1)] = 2
    agree(tab, session, task, expected)
    tab.keys("k", "k")  # from "only 1" over "only 2" to every class
    assert tab.page.input_value("#only") == ""


def test_undo_and_redo_reach_every_state_also_after_loading_the_page_again(desk, tab):
    session, task, expected = start_of(desk, tab)
    states = [expected]
    for row in (5.5, 15.5, 25.5, 35.5):
        path = tab.drag((row, 10.5), (row + 4, 50.5), steps=1)
        states.append(states[-1].copy())
        states[-1][near_line(path, 7)] = 1
        agree(tab, session, task, states[-1])
    for state in states[-2:0:-1]:
        tab.keys("Control+z")
        agree(tab, session, task, state)
    tab.keys("Control+Shift+z")
    agree(tab, session, task, states[2])
    tab.page.reload()
    tab.ready()
    for state in (states[1], states[0]):
        tab.page.click("#undo")
        wait_for_hash(tab, state)
        agree(tab, session, task, state)
    assert tab.page.is_disabled("#undo")
    for state in states[1:]:
        tab.page.click("#redo")
        wait_for_hash(tab, state)
        agree(tab, session, task, state)
    assert tab.page.is_disabled("#redo")


def wait_for_hash(tab, state):
    tab.until(lambda: tab.hash() == hash_map(state))
    assert tab.hash() == hash_map(state)


def test_escape_forgets_what_is_being_drawn(desk, tab):
    session, task, expected = start_of(desk, tab)
    tab.press_at(20.5, 20.5)
    tab.move_to((30.5, 40.5))
    assert tab.hash() != hash_map(expected)
    tab.keys("Escape")
    tab.lift()
    tab.keys("p")
    tab.click(3, 3)
    tab.click(3, 20)
    tab.click(20, 20)
    tab.keys("Escape", "b")
    agree(tab, session, task, expected)
    assert desk.project.value("SELECT count(*) FROM revision") == 1


def test_accept_skip_cannot_judge_back_and_forward(desk, tab):
    session = desk.session()
    first = tab.task()
    path = tab.drag((20.5, 20.5), (20.5, 40.5), steps=1)
    painted = near_line(path, 7)
    tab.keys("Enter")
    tab.page.wait_for_selector(f"#stage:not([data-field='{first}']):not([data-field=''])")
    second = tab.task()
    assert session.task(first).state == "accepted"
    assert (session.label_map(first)[painted] == 1).all()
    tab.keys("s")
    tab.page.wait_for_selector(f"#stage:not([data-field='{second}']):not([data-field=''])")
    third = tab.task()
    tab.keys("j")
    tab.page.fill("#judge-comment", "out of focus")
    tab.page.click("dialog[open] button[value=judge]")
    tab.page.wait_for_selector("#stage[data-field='none']")
    assert "queue is empty" in tab.text("#empty")
    assert [session.task(task).state for task in (second, third)] == ["skipped", "cannot_judge"]
    assert desk.project.value("SELECT comment FROM closing WHERE state = 'cannot_judge'") == "out of focus"
    for task, key, word in (
        (third, "PageUp", "cannot judge"),
        (second, "PageUp", "skipped"),
        (first, "PageUp", "accepted"),
    ):
        tab.keys(key)
        tab.shows(task)
        tab.page.wait_for_selector(f"#state:text-is('{word}')")
    tab.keys("PageDown")
    tab.shows(second)
    assert tab.text("#progress-text") == "1 of 3 accepted"


def test_views_and_contrast_show_the_counts_and_change_nothing(desk, tab):
    session, task, expected = start_of(desk, tab)
    red, green = session.planes(task)[:, 11, 23]
    tab.keys("t", "c")  # no labels over the image, first channel alone
    assert tab.pixel(11.5, 23.5) == pytest.approx((brightness(red, tab, 0),) * 3, abs=2)
    tab.keys("c")
    assert tab.pixel(11.5, 23.5) == pytest.approx((brightness(green, tab, 1),) * 3, abs=2)
    tab.keys("c")
    magenta_and_green = (brightness(red, tab, 0), brightness(green, tab, 1), brightness(red, tab, 0))
    assert tab.pixel(11.5, 23.5) == pytest.approx(magenta_and_green, abs=2)
    before = contrast_of(tab, 1)
    tab.page.fill("#high-1", "400")
    tab.page.fill("#low-1", "100")
    assert contrast_of(tab, 1) != before
    lit = (brightness(red, tab, 0), brightness(green, tab, 1), brightness(red, tab, 0))
    assert tab.pixel(11.5, 23.5) == pytest.approx(lit, abs=2)
    tab.page.fill("#high-1", "0")  # below the low end: stays above it, no fault
    low, high = contrast_of(tab, 1)
    assert low < high
    tab.page.click("#contrast-reset")
    assert contrast_of(tab, 1) == before
    agree(tab, session, task, expected)
    assert desk.project.value("SELECT count(*) FROM revision") == 1


def test_labels_lie_over_the_image_in_the_colour_of_their_class(desk, tab):
    tab.keys("b", "1", *"]" * 20)  # 27 pixels wide
    tab.click(24.5, 32.5)
    tab.page.fill("#opacity", "100")
    blue, yellow = class_colour(1), class_colour(2)
    assert tab.pixel(24.5, 32.5) == blue
    tab.keys("o")  # outlines: hollow, the rim stays
    tab.saved()
    ones = desk.session().label_map(tab.task()) == 1
    rim = ones & ~ndimage.binary_erosion(ones)
    (row, column), *_ = np.argwhere(rim)
    assert tab.pixel(row + 0.5, column + 0.5) == blue
    assert not rim[24, 32]
    assert tab.pixel(24.5, 32.5) != blue
    tab.keys("o", "2")
    tab.click(24.5, 32.5)
    assert tab.pixel(24.5, 32.5) == yellow
    assert tab.text("#cursor-class") == "autolysosome"
    assert tab.text("#cursor-place").startswith("row 24, column 32 · DsRed ")
    tab.keys("t")
    assert tab.pixel(24.5, 32.5) != yellow


def test_painting_is_true_to_the_pixel_when_zoomed_and_moved(desk, tab):
    session, task, expected = start_of(desk, tab)
    tab.page.mouse.move(*tab.at(30.5, 20.5))
    tab.page.mouse.wheel(0, -100)
    tab.page.mouse.wheel(0, -100)
    tab.keys("ArrowRight", "ArrowUp", "-", "h")
    tab.drag((30.5, 20.5), (28.5, 24.5))  # moves the image
    tab.page.keyboard.down(" ")  # so does this
    tab.keys("b")
    tab.drag((28.5, 24.5), (30.5, 20.5))
    tab.page.keyboard.up(" ")
    assert desk.project.value("SELECT count(*) FROM revision") == 1
    path = tab.drag((28.5, 18.5), (33.5, 26.5), steps=1)
    expected[near_line(path, 7)] = 1
    agree(tab, session, task, expected)
    view = tab.at(0, 0)
    tab.keys(".")
    assert tab.at(0, 0) != view


def test_every_key_is_in_the_help_and_every_tool_on_a_key(desk, tab):
    tools = tab.page.eval_on_selector_all("[data-tool]", "tools => tools.map(tool => tool.dataset.tool)")
    assert tools == ["brush", "eraser", "lasso", "polygon", "fill", "pick", "region", "pan"]
    for tool, key in zip(tools, "belpfirh", strict=True):
        tab.keys(key)
        pressed = tab.page.eval_on_selector_all("[aria-pressed=true]", "tools => tools.map(tool => tool.dataset.tool)")
        assert pressed == [tool]
    tab.keys("?")
    tab.page.wait_for_selector("#help[open]")
    text = tab.text("#help-keys")
    for words in (
        "Eraser",
        "Undo",
        "Only this class may change",
        "Cannot judge",
        "Zoom in",
        "Forget what is drawn",
    ):
        assert words in text
    tab.keys("?")
    assert tab.page.query_selector("#help[open]") is None


def test_what_is_not_on_the_disk_is_not_called_saved(desk, tab, context):
    session, task, expected = start_of(desk, tab)
    context.set_offline(True)
    for row in (10.5, 20.5):
        expected[near_line(tab.drag((row, 10.5), (row, 30.5), steps=1), 7)] = 1
    tab.page.wait_for_selector("#saved[data-waiting='2'][data-trouble=yes]")
    assert tab.text("#saved").startswith("The server does not answer.")
    assert desk.project.value("SELECT count(*) FROM revision") == 1
    tab.keys("Control+z")  # waits in line with the rest
    context.set_offline(False)
    tab.saved()
    assert desk.project.value("SELECT count(*) FROM revision") == 3
    tab.keys("Control+Shift+z")
    agree(tab, session, task, expected)
    assert {fault for fault in tab.faults if "ERR_INTERNET_DISCONNECTED" not in fault} == set()
    tab.faults.clear()


def test_jobs_are_asked_for_until_the_server_answers(desk, tab):
    done = {"job": "j1", "kind": "predict", "bundle": "cdl", "state": "done", "task": None, "error": None}
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.abort() if len(asked) <= 5 else route.fulfill(json={"jobs": [done]})  # a page asks five times itself

    tab.page.route("**/api/jobs", answer)
    tab.open(desk.url + "/correct")
    tab.page.wait_for_selector("#jobs li[data-job=j1]")
    assert len(asked) == 6
    assert {fault for fault in tab.faults if "ERR_FAILED" not in fault} == set()
    tab.faults.clear()


@pytest.mark.parametrize("choice", ["#keep-mine", "#take-other"])
def test_two_tabs_on_one_field_keep_both_and_tell_the_second(desk, tab, context, choice):
    session, task, start = start_of(desk, tab)
    other = correct(context, desk)
    assert other.task() == task
    theirs, mine = start.copy(), start.copy()
    theirs[near_line(tab.drag((10.5, 10.5), (10.5, 50.5), steps=1), 7)] = 1
    tab.saved()
    other.keys("2")
    mine[near_line(other.drag((40.5, 10.5), (40.5, 50.5), steps=1), 7)] = 2
    other.page.wait_for_selector("#conflict[open]")
    hashes = [row["sha256"] for row in desk.project.rows("SELECT sha256 FROM revision ORDER BY id")]
    assert hashes == [hash_map(start), hash_map(theirs), hash_map(mine)]
    agree(tab, session, task, theirs)
    other.page.click(choice)
    other.page.wait_for_selector("#conflict:not([open])", state="attached")
    wanted = mine if choice == "#keep-mine" else theirs
    wait_for_hash(other, wanted)
    other.page.wait_for_selector("#stage[aria-busy=false]")
    agree(other, session, task, wanted)
    wanted[near_line(other.drag((25.5, 10.5), (25.5, 50.5), steps=1), 7)] = 2
    agree(other, session, task, wanted)
    assert [fault for fault in other.faults if "409" not in fault] == []


def test_an_image_that_cannot_be_read_is_told_and_skipped(desk, tab):
    name = desk.project.value("SELECT field.name FROM field ORDER BY id LIMIT 1 OFFSET 1")
    (desk.path.parent / f"dataset/images/{name}.ome.tif").write_bytes(b"no image")
    first = tab.task()
    tab.keys("Enter")
    tab.page.wait_for_selector(f"#stage:not([data-field='{first}']):not([data-field=''])")
    assert "is another than when the project was made" in tab.text("#empty")
    tab.drag((10.5, 10.5), (20.5, 20.5))
    assert desk.project.value("SELECT max(id) FROM revision") == desk.session().head(tab.task()).revision
    broken = tab.task()
    tab.keys("s")
    tab.page.wait_for_selector(f"#stage:not([data-field='{broken}']):not([data-field=''])")
    assert tab.page.is_hidden("#empty")


def contrast_of(tab, channel):
    return [int(tab.page.input_value(f"#{end}-number-{channel}")) for end in ("low", "high")]


def brightness(count, tab, channel):
    low, high = contrast_of(tab, channel)
    return round(255 * min(1, max(0, (int(count) - low) / (high - low))))

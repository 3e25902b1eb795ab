"""Screens and hands of all kinds: an upright tablet, a palm beside the pen, forced colours, long names of classes."""

import json

import pytest

from tests.annotation.pages import VIEWPORT, Desk, agree, correct, near_line, served
from tests.annotation.test_pages_hands import touch

pytestmark = pytest.mark.browser

BEYOND = """() => {
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll("button, input, select, a")].filter((part) => {
        const box = part.getBoundingClientRect();
        return box.width > 0 && (box.left < -1 || box.right > width + 1) && !part.closest("[hidden]");
    }).map((part) => part.id || part.textContent);
}"""


def test_a_tablet_held_upright_shows_every_tool_and_the_field(tmp_path, browser):
    with served(tmp_path) as desk:
        context = browser.new_context(viewport={"width": 744, "height": 1133}, has_touch=True)
        tab = correct(context, desk)
        assert tab.page.evaluate(BEYOND) == []
        stage = tab.page.locator("#stage").bounding_box()
        assert stage["width"] > 600
        assert stage["height"] > 500
        for selector in ("#accept", "#skip", "#undo", "[data-tool=brush]", "#classes"):
            box = tab.page.locator(selector).bounding_box()
            assert box["y"] + box["height"] <= 1133 + 1, selector
        assert tab.faults == []
        context.close()


def test_a_palm_beside_the_pen_paints_nothing(tmp_path, browser):
    with served(tmp_path) as desk:
        context = browser.new_context(viewport=VIEWPORT, has_touch=True)
        tab = correct(context, desk)
        session, task = desk.session(), tab.task()
        expected = session.label_map(task).copy()
        client = context.new_cdp_session(tab.page)
        palm, further, first, last = (tab.at(*place) for place in ((40, 50), (41, 45), (20.5, 10.5), (20.5, 30.5)))

        def pen(kind, place):
            about = {"button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen"}
            client.send("Input.dispatchMouseEvent", {"type": kind, "x": place[0], "y": place[1], **about})

        touch(client, "touchStart", palm)  # the hand comes down first
        pen("mousePressed", first)
        touch(client, "touchMove", further)
        pen("mouseMoved", last)
        pen("mouseReleased", last)
        touch(client, "touchEnd")
        expected[near_line([tab.point(*first), tab.point(*last)], 7)] = 1
        tab.page.wait_for_timeout(200)  # time for what must not come
        agree(tab, session, task, expected)
        assert desk.project.value("SELECT count(*) FROM revision WHERE tool = 'brush'") == 1
        context.close()


def test_forced_colours_keep_the_image_and_mark_what_is_chosen(tmp_path, browser):
    with served(tmp_path) as desk:
        context = browser.new_context(viewport=VIEWPORT, forced_colors="active")
        tab = correct(context, desk)
        tab.keys("2")
        mark = "(name) => getComputedStyle(document.querySelector(name), '::before').content"
        assert tab.page.evaluate(mark, ".classes label:has(#class-2) .name") == '"▸ "'
        assert tab.page.evaluate(mark, ".classes label:has(#class-1) .name") == "none"
        swatch = "(name) => getComputedStyle(document.querySelector(name)).backgroundColor"
        assert tab.page.evaluate(swatch, ".classes label:has(#class-1) .swatch") == "rgb(170, 221, 255)"
        assert len({tab.pixel(row + 0.5, 20.5) for row in range(5, 40, 3)}) > 3  # the image is no plain ground
        context.close()


def test_long_names_of_classes_push_nothing_off_the_page(tmp_path, context):
    with served(tmp_path) as desk:
        about = tmp_path / "dataset" / "dataset.json"
        told = json.loads(about.read_text())
        long = "autolysosome with undigested cargo and a double membrane"
        told["class_names"] = ["background", "phagophore", long]
        about.write_text(json.dumps(told))
        setting = json.dumps(told["class_names"])
        with desk.project.writing() as connection:
            connection.execute("UPDATE setting SET value = ? WHERE name = 'classes'", (setting,))
        again = Desk(desk.path)
        try:
            tab = correct(context, again)
            assert tab.page.evaluate(BEYOND) == []
            row = tab.page.locator(".classes label:has(#class-2)")
            assert row.bounding_box()["height"] < 60
            assert row.get_attribute("title") == long or row.locator(f"[title='{long}']").count() == 1
            assert tab.page.locator("#accept").bounding_box()["x"] < VIEWPORT["width"] - 60
        finally:
            again.stop()

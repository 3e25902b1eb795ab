"""Pages that switch whole or not at all: what is scored, accepted or painted is what the person sees."""

import pytest

from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.ratings import create_study
from tests.annotation.pages import VIEWPORT, Tab, correct, served

pytestmark = pytest.mark.browser

LIT = """(selector) => {
    const canvas = document.querySelector(selector);
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
}"""


def failed(tab):
    tab.page.wait_for_selector("body[data-loading=failed]")


def colours(tab, stage):
    """Count the colours on a stage: 1 where it is empty."""
    tab.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return tab.page.evaluate(LIT, f"{stage} canvas")


@pytest.fixture
def study(tmp_path, browser):
    """Four trials before one rater, the first scored."""
    with served(tmp_path, 9) as desk:
        raters = ("anna", "ben", "cleo", "dan")
        create_study(desk.project, raters, StudySettings(("cip", "cdl"), 8, n_training=0))
        context = browser.new_context(viewport=VIEWPORT)
        tab = Tab(context, desk.url + desk.link("anna"))
        tab.page.wait_for_selector("body[data-loading='']")
        yield desk, context, tab
        context.close()


def scores(desk):
    query = "SELECT trial.token, left_score, right_score FROM score JOIN trial ON trial = trial.id ORDER BY score.id"
    return [tuple(row) for row in desk.project.rows(query)]


def test_no_score_is_taken_for_a_picture_that_did_not_come(study):
    desk, context, tab = study
    first = tab.page.get_attribute("body", "data-trial")
    context.route("**/media", lambda route: route.abort())
    tab.keys("7", "4", "Enter")
    failed(tab)
    assert tab.text("#loading-text") == "This could not be loaded. The server does not answer."
    for stage in ("#stage-left", "#stage-image", "#stage-right"):
        assert colours(tab, stage) == 1
    tab.keys("1", "1", "Enter")
    assert scores(desk) == [(first, 7, 4)]
    assert tab.page.locator("input:checked[name^=score]").count() == 0
    context.unroute("**/media")
    tab.page.click("#load-again")
    tab.page.wait_for_selector("body[data-loading='']")
    second = tab.page.get_attribute("body", "data-trial")
    assert colours(tab, "#stage-image") > 1
    tab.keys("2", "3", "Enter")
    tab.page.wait_for_selector(f"body[data-trial]:not([data-trial='']):not([data-trial='{second}'])")
    assert second != first
    assert scores(desk) == [(first, 7, 4), (second, 2, 3)]


def test_a_trial_without_its_picture_takes_no_score_and_is_left_for_later(study):
    desk, _, tab = study
    first = tab.page.get_attribute("body", "data-trial")
    names = "SELECT field.name FROM trial JOIN item ON item.id = left_item JOIN field ON field.id = item.field "
    query = f"{names} JOIN person ON person.id = trial.person WHERE person.name = 'anna' AND number = 2"
    (desk.path.parent / f"dataset/images/{desk.project.value(query)}.ome.tif").unlink()
    tab.keys("5", "5", "Enter")
    tab.page.wait_for_selector(f"body[data-trial]:not([data-trial='']):not([data-trial='{first}'])")
    broken = tab.page.get_attribute("body", "data-trial")
    assert tab.text("#empty").endswith("Leave this trial for later, or say that it cannot be judged.")
    assert colours(tab, "#stage-left") == 1
    tab.keys("9", "9", "Enter")
    tab.keys("s")
    tab.page.wait_for_selector(f"body[data-trial]:not([data-trial='']):not([data-trial='{broken}'])")
    assert colours(tab, "#stage-left") > 1
    assert scores(desk) == [(first, 5, 5)]
    told = "SELECT state FROM trial_closing JOIN trial ON trial.id = trial WHERE token = ?"
    assert [row["state"] for row in desk.project.rows(told, broken)] == ["skipped"]


def test_a_field_whose_image_fails_takes_no_stroke_and_leaves_the_accepted_one_accepted(tmp_path, context):
    with served(tmp_path, 3) as desk:
        tab = correct(context, desk)
        session, first = desk.session(), tab.task()
        before = session.head(first).revision
        context.route("**/image", lambda route: route.abort())
        tab.keys("Enter")
        failed(tab)
        assert colours(tab, "#stage") == 1
        tab.page.mouse.move(500, 300)
        tab.page.mouse.down()
        tab.page.mouse.move(600, 350)
        tab.page.mouse.up()
        assert (session.task(first).state, session.head(first).revision) == ("accepted", before)
        context.unroute("**/image")
        tab.page.click("#load-again")
        tab.page.wait_for_selector("body[data-loading='']")
        assert tab.task() not in ("", first)
        assert desk.project.value("SELECT count(*) FROM task") == 2


def test_a_stroke_while_accept_is_on_its_way_changes_nothing(tmp_path, context):
    with served(tmp_path, 2) as desk:
        tab = correct(context, desk)
        session, first = desk.session(), tab.task()
        before = session.head(first).revision
        held = []
        context.route("**/close", lambda route: held.append(route))
        tab.keys("Enter")
        tab.page.wait_for_selector("body[data-loading=yes]")
        tab.drag((20.5, 10.5), (24.5, 30.5))
        tab.until(lambda: held)  # the page says that it waits a moment before its request is seen here
        held[0].continue_()
        context.unroute("**/close")
        tab.leaves(first)
        assert (session.task(first).state, session.head(first).revision) == ("accepted", before)
        tab.keys("PageUp")
        tab.shows(first)
        tab.drag((20.5, 10.5), (24.5, 30.5))  # accepted: not reopened by a stroke
        tab.page.wait_for_timeout(300)
        assert (session.task(first).state, session.head(first).revision) == ("accepted", before)
        tab.page.click("#reopen")
        tab.page.wait_for_selector("#accept-text:text-is('Accept, next')")
        assert session.task(first).state == "open"
        tab.drag((20.5, 10.5), (24.5, 30.5))
        tab.saved()
        assert session.head(first).revision > before


def test_a_key_held_down_accepts_one_field_and_a_button_clicked_is_not_pressed_by_space(tmp_path, context):
    with served(tmp_path, 5) as desk:
        tab = correct(context, desk)
        first = tab.task()
        tab.page.keyboard.down("Enter")
        tab.leaves(first)
        for _ in range(8):
            tab.page.keyboard.down("Enter")  # what a held key sends
            tab.page.wait_for_timeout(40)
        tab.page.keyboard.up("Enter")
        assert desk.project.value("SELECT count(*) FROM task_now WHERE state = 'accepted'") == 1
        second = tab.task()
        tab.page.click("#accept")
        tab.leaves(second)
        tab.keys("Space")
        tab.page.focus("#accept")
        for _ in range(8):
            tab.page.keyboard.down("Enter")
            tab.page.wait_for_timeout(40)
        tab.page.keyboard.up("Enter")
        tab.page.wait_for_selector("body[data-loading='']")
        assert desk.project.value("SELECT count(*) FROM task_now WHERE state = 'accepted'") == 3

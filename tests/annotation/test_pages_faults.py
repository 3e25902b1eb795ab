"""Browser and server are killed in mid-stroke: what the page called saved is there when it is opened again."""

import contextlib
import os
import signal
import sys

import pytest

from tests.annotation.pages import Desk, Tab, correct, hash_map, near_line, playwright_chromium, served
from tests.annotation.test_jobs import NETWORK

pytestmark = pytest.mark.browser

N_KILLS = 20


@pytest.mark.slow
def test_browsers_killed_in_mid_stroke_lose_nothing_that_was_saved(tmp_path):
    with served(tmp_path, 1) as desk, playwright_chromium() as launch:
        session, state, saved = desk.session(), None, None
        for _ in range(N_KILLS):
            browser = launch()
            context = browser.new_context(storage_state=state)
            tab = Tab(context, desk.url + ("/correct" if state else desk.link()))
            if state is None:
                state = context.storage_state()
                tab.open(desk.url + "/correct")
            token = tab.task()
            assert saved in (None, tab.hash())
            saved = paint_and_leave_a_stroke_open(tab, session, token)
            kill(browser)
            assert saved == session.head(token).sha256 == hash_map(session.label_map(token))
        assert desk.project.value("PRAGMA integrity_check") == "ok"
        assert desk.project.value("SELECT count(*) FROM revision WHERE tool = 'brush'") == 2 * N_KILLS


def paint_and_leave_a_stroke_open(tab, session, token):
    """Two strokes that are saved, with classes that change something, and one that is not finished."""
    expected = session.label_map(token).copy()
    for row in (10, 20):
        value = 3 - max(1, expected[row, 20])
        tab.keys("b", str(value))
        expected[near_line(tab.drag((row + 0.5, 10.5), (row + 0.5, 50.5), steps=1), 7)] = value
    tab.saved()
    assert tab.hash() == hash_map(expected)
    tab.press_at(30.5, 30.5)
    tab.move_to((35.5, 40.5))
    return hash_map(expected)


def kill(browser):
    """Kill a browser with all its processes, as a power cut would: no time for a last word."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    for process in sorted(processes, key=lambda process: process["type"] != "browser"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["id"], signal.SIGKILL)


def test_a_page_outlives_its_server(tmp_path, context):
    with served(tmp_path, 1) as desk:
        tab = correct(context, desk)
        session, token = desk.session(), tab.task()
        expected = session.label_map(token).copy()
        port = desk.port
        desk.stop()
        expected[near_line(tab.drag((10.5, 10.5), (10.5, 50.5), steps=1), 7)] = 1
        tab.page.wait_for_selector("#saved[data-trouble=yes]")
        again = Desk(desk.path, port=port)
        try:
            tab.saved()
            assert again.session().head(token).sha256 == hash_map(expected) == tab.hash()
        finally:
            again.stop()
            desk.project = again.project


def test_a_field_and_a_region_are_predicted_and_the_log_is_shown(tmp_path, context):
    with served(tmp_path, 1, command=(sys.executable, "-c", NETWORK)) as desk:
        tab = correct(context, desk)
        session, token = desk.session(), tab.task()
        bright = (session.planes(token)[0] > 2000).astype("u1")
        expected = session.label_map(token).copy()
        tab.keys("r")
        (row_a, column_a), (row_b, column_b) = tab.drag((4.4, 6.4), (20.6, 40.6))
        region = slice(int(row_a), int(row_b) + 1), slice(int(column_a), int(column_b) + 1)
        expected[region] = bright[region]
        tab.page.wait_for_selector("#jobs li[data-state=done]")
        tab.page.wait_for_selector("#notice:text('The prediction is in')")
        assert tab.hash() == session.head(token).sha256 == hash_map(expected)
        tab.page.click("#predict")
        tab.page.wait_for_selector("#jobs li:nth-child(2)[data-state=done]")
        tab.page.wait_for_selector("#jobs li:nth-child(1)[data-state=done]")
        tab.page.wait_for_selector("#stage[aria-busy=false]")
        tab.page.click("#jobs li:nth-child(1) button")
        tab.page.wait_for_selector("#job-log-text:has-text('predicted_s')")
        tab.keys("Escape")
        assert tab.hash() == session.head(token).sha256 == hash_map(bright)
        assert tab.faults == []


def test_the_owner_steers_the_queue_retrains_and_finds_a_field(tmp_path, context):
    with served(tmp_path, 3, command=(sys.executable, "-c", NETWORK)) as desk:
        tab = correct(context, desk)
        tab.keys("Enter")
        tab.page.wait_for_selector("#progress-text:text-is('1 of 3 accepted')")
        tab.open(desk.url + "/")
        tab.page.select_option("#strategy", "random")
        assert tab.page.is_disabled("#random-share")  # changed now it would bias the random stratum
        tab.page.fill("#repeat-share", "0.25")
        tab.page.click("#save-queue")
        tab.page.wait_for_selector("#notice:not([hidden])")
        assert tab.text("#notice") == "The queue is changed."
        queue = desk.project.setting("queue")
        assert (queue["strategy"], queue["random_share"], queue["repeat_share"]) == ("random", 0.0, 0.25)
        assert tab.page.is_disabled("#strategy option[value=uncertainty]")
        tab.page.click("#retrain")
        tab.page.wait_for_selector("#jobs li[data-state=done]")
        tab.page.fill("#filter", "b03")
        assert tab.text("#fields button") == "B03_f1"
        tab.page.click("#fields button")
        tab.ready()
        tab.page.wait_for_selector("#title:text-is('B03_f1')")
        assert tab.faults == []


def test_the_owner_sees_the_score_before_and_after_and_says_yes(tmp_path, context):
    with served(tmp_path, 3, command=(sys.executable, "-c", NETWORK)) as desk:
        tab = correct(context, desk)
        for _ in range(3):
            task = tab.task()
            tab.keys("Enter")
            tab.leaves(task)
        tab.open(desk.url + "/")
        assert tab.text("#next-step") == "Retrain: 3 fields were accepted that no training has seen."
        tab.page.select_option("#train-bundle", "cdl")
        tab.page.click("#retrain")
        tab.page.wait_for_selector(".decision button.main")
        tab.page.wait_for_selector("#next-step:text('Decide on the retrained network')")
        words = tab.text(".decision p")
        assert words.startswith(
            "mean IoU 0.500 before, 0.600 after, on 2 fields it did not learn from (left-out fields)"
        )
        assert "in use" not in tab.text("#networks li:first-child")  # nothing changes before the answer
        tab.page.click(".decision button.main")
        tab.page.wait_for_selector(".decision p:text('In use.')")
        tab.page.wait_for_selector("#next-step:text('Export: every field is accepted and learnt from.')")
        tab.page.wait_for_selector("#networks li:first-child .state:text-is('in use')")
        assert tab.faults == []

"""The rating page in a real browser: a whole study, four raters at once, none of whom can tell the methods."""

import random

import pandas as pd
import pytest

from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.ratings import create_study
from noisylabels.annotation.unblinding import unblind
from tests.annotation.pages import VIEWPORT, Tab, served

pytestmark = pytest.mark.browser

RATERS = ("anna", "ben", "cleo", "dan")
STATES = (
    "SELECT token, state FROM trial JOIN trial_now ON trial_now.trial = trial.id "
    "JOIN person ON person.id = trial.person WHERE name = 'cleo'"
)
N_IMAGES = 40  # the paper's


class Rater:
    """Somebody with a browser of their own."""

    def __init__(self, browser, desk, name):
        self.browser, self.desk, self.name = browser, desk, name
        self.given = {}
        self.heard = []
        self.context = browser.new_context(viewport=VIEWPORT)
        self.enter(desk.url + desk.link(name))

    def enter(self, address):
        self.tab = Tab(self.context, address)
        self.page = self.tab.page
        self.page.on("response", lambda answer: self.heard.append((answer.url, str(sorted(answer.headers.items())))))

    def trial(self):
        self.page.wait_for_selector("body[data-trial]:not([data-trial=''])")
        return self.page.get_attribute("body", "data-trial")

    def score(self, left, right):
        """Score by keys alone; does not wait for the answer."""
        self.given[self.trial()] = (left, right)
        self.tab.keys(*(str(value % 10) for value in (left, right)), "Enter")

    def wait(self, scored):
        self.page.wait_for_selector(f"body[data-trial]:not([data-trial='']):not([data-trial='{scored}'])")

    def leave_and_return(self):
        self.page.close()
        self.enter(self.desk.url + "/rate")


def test_four_raters_do_the_papers_study_at_once_and_every_score_is_kept(tmp_path, browser):
    drawn = random.Random(1)
    with served(tmp_path, N_IMAGES + 3, size=(12, 16)) as desk:
        create_study(desk.project, RATERS, StudySettings(("cip", "cdl"), N_IMAGES), seed=3)
        raters = [Rater(browser, desk, name) for name in RATERS]
        n_trials = len(desk.project.rows("SELECT id FROM trial")) // len(RATERS)
        for turn in range(n_trials):
            shown = [rater.trial() for rater in raters]
            for rater in raters:
                rater.score(drawn.randint(1, 10), drawn.randint(1, 10))
            for rater, trial in zip(raters, shown, strict=True):
                rater.wait(trial)
            if turn == 7:
                raters[1].leave_and_return()
        for rater in raters:
            assert rater.trial() == "none"
            assert rater.tab.text("#empty") == "All trials are rated. Thank you."
            assert rater.tab.text("#progress-text") == f"{n_trials} of {n_trials} rated"
            assert rater.tab.faults == []
            assert not [heard for heard in rater.heard if "cip" in str(heard).lower() or "cdl" in str(heard).lower()]
        kept = {
            row["token"]: (row["left_score"], row["right_score"])
            for row in desk.project.rows(
                "SELECT token, left_score, right_score FROM score JOIN trial ON trial = trial.id"
            )
        }
        assert kept == {trial: scores for rater in raters for trial, scores in rater.given.items()}
        assert len(kept) == n_trials * len(RATERS)
        counted, _ = unblind(desk.project, tmp_path)
        ratings = pd.read_csv(counted)
        assert len(ratings) == 2 * N_IMAGES * 2  # 40 images, each by two raters, two methods
        for rater in raters:
            rater.context.close()


def test_a_rater_looks_closely_changes_a_score_and_goes_back_by_mouse(tmp_path, browser):
    with served(tmp_path, 5) as desk:
        settings = StudySettings(("cip", "cdl"), 4, n_training=1)
        create_study(desk.project, RATERS, settings)
        rater = Rater(browser, desk, "anna")
        page, first = rater.page, rater.trial()
        assert page.is_visible("#training")
        assert page.is_disabled("#save")
        page.keyboard.press("+")
        for key in "ocTt":
            page.keyboard.press(key)
        page.click("#scores-right label:nth-of-type(3)")
        assert page.is_disabled("#save")
        page.click("#scores-left label:nth-of-type(10)")
        page.fill("#comment", "left misses dim events")
        page.click("#save")
        rater.wait(first)
        assert page.is_hidden("#training")
        page.click("#back")
        page.wait_for_selector(f"body[data-trial='{first}']")
        assert page.is_checked("#score-left-10")
        assert page.is_checked("#score-right-3")
        rater.tab.keys("r", "8", "Enter")
        rater.wait(first)
        scores = desk.project.rows("SELECT left_score, right_score, comment FROM score ORDER BY id")
        assert [tuple(row) for row in scores] == [(10, 3, "left misses dim events"), (10, 8, "")]
        assert rater.tab.faults == []
        rater.context.close()


def test_a_rater_cannot_judge_one_leaves_one_for_later_and_changes_their_mind(tmp_path, browser):
    with served(tmp_path, 5) as desk:
        create_study(desk.project, RATERS, StudySettings(("cip", "cdl"), 4, n_training=0, repeat_share=0.5))
        rater = Rater(browser, desk, "cleo")
        first = rater.trial()
        rater.page.fill("#comment", "out of focus")
        rater.page.click("#cannot-judge")
        rater.wait(first)
        second = rater.trial()
        assert rater.tab.text("#progress-text") == "0 of 3 rated, 1 cannot be judged"
        rater.tab.keys("s")
        rater.wait(second)
        rater.score(6, 2)
        rater.wait(next(reversed(rater.given)))
        assert rater.trial() == second  # the others are answered: what was left comes again
        rater.tab.keys("s")
        assert rater.tab.text("#notice").startswith("This is the last trial without an answer.")
        rater.tab.keys("PageUp", "PageUp")
        rater.page.wait_for_selector(f"body[data-trial='{first}']")
        assert rater.page.is_visible("#unjudged")
        rater.score(3, 9)
        rater.wait(first)
        rater.tab.keys("j")
        rater.wait(second)
        assert rater.trial() == "none"
        now = {row["token"]: row["state"] for row in desk.project.rows(STATES)}
        assert now == {**dict.fromkeys(rater.given, "scored"), second: "cannot_judge"}
        said = [row["comment"] for row in desk.project.rows("SELECT comment FROM trial_closing WHERE comment != ''")]
        assert said == ["out of focus"]
        assert rater.tab.faults == []
        rater.context.close()


def test_a_score_is_sent_again_until_the_server_has_it_and_counted_once(tmp_path, browser):
    with served(tmp_path, 5) as desk:
        create_study(desk.project, RATERS, StudySettings(("cip", "cdl"), 4, n_training=1))
        rater = Rater(browser, desk, "ben")
        first = rater.trial()
        rater.context.set_offline(True)
        rater.score(4, 9)
        rater.page.wait_for_selector("#saved[data-trouble=yes]")
        assert desk.project.value("SELECT count(*) FROM score") == 0
        rater.context.set_offline(False)
        rater.wait(first)
        assert [tuple(row) for row in desk.project.rows("SELECT left_score, right_score FROM score")] == [(4, 9)]
        rater.context.close()

"""Blindness, measured: a program that receives a whole study and knows the answers finds no trace of the method."""

import itertools
import json
import time

import numpy as np
import pytest
from scipy import stats

from noisylabels.annotation import images
from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.ratings import create_study, method_codes
from noisylabels.annotation.server import Address, create_app
from noisylabels.annotation.users import person_of
from tests.annotation.conftest import temporary_folder
from tests.annotation.desks import Browser, make_project

RATERS = ["anna", "ben", "cleo", "dan"]


@pytest.fixture(scope="module")
def study():
    """Rate the paper's study over HTTP and keep everything the clients received."""
    with temporary_folder() as folder, make_project(folder, 43) as project:
        create_study(project, RATERS, StudySettings())
        app = create_app(project, Address(), dist=folder)
        received = [trial for name in RATERS for trial in rate(Browser(app, project, person_of(project, name)))]
        codes = method_codes(project)
        answers = {
            row["token"]: codes[row["field"], row["method"]] == "cdl"
            for row in project.rows("SELECT token, field, method FROM trial JOIN item ON item.id = trial.left_item")
        }
        blocks = {row["token"]: row["block"] for row in project.rows("SELECT token, block FROM trial")}
        yield received, answers, blocks


def rate(browser):
    yield {"token": None, "texts": texts(browser.landing, browser.get("/api/session"), browser.get("/api/rating"))}
    following, position = browser.get("/api/rating").json()["next"], 0
    while following is not None:
        url = f"/api/rating/trials/{following}"
        read_before = pictures_read()
        started = time.perf_counter()
        about = browser.get(url)
        seen_s = time.perf_counter() - started
        media = browser.get(f"{url}/media")
        media_s = time.perf_counter() - started - seen_s
        saved = browser.post(f"{url}/scores", left=5, right=5)
        saved_s = time.perf_counter() - started - seen_s - media_s
        yield {
            "token": following,
            "position": position,
            "texts": texts(about, saved) + texts(media, body=False),
            "shape": [*shape(about), *shape(media), *shape(saved), pictures_read() - read_before],
            "about": about.json(),
            "numbers": {"seen_s": seen_s, "media_s": media_s, "saved_s": saved_s, "position": position}
            | {"first letter": ord(following[0]), "last letter": ord(following[-1]), "token": sum(map(ord, following))},
        }
        following, position = saved.json()["next"], position + 1


def pictures_read():
    """Count what was decoded: a repeat that was still at hand would arrive faster than a first sight."""
    return images._planes_of_file.cache_info().misses


def texts(*answers, body=True):
    return [f"{answer.headers} {answer.text if body else ''}".lower() for answer in answers]


def shape(answer):
    """All of an answer but what must differ: the status, every header, the size of its body."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "content-length")
    size = len(answer.content) if answer.headers["content-type"] == "application/octet-stream" else 0
    return [answer.status_code, headers, size]


def trials_of(study):
    received, answers, blocks = study
    return [(trial, answers[trial["token"]], blocks[trial["token"]]) for trial in received if trial["token"]]


def test_the_whole_study_was_seen(study):
    trials = trials_of(study)
    assert len(trials) == 4 * (3 + 20 + 2)
    assert sum(left for _, left, block in trials if block == "main") == 40


def test_no_answer_names_a_method(study):
    for trial in study[0]:
        for text in trial["texts"]:
            for word in ("cip", "cdl", "mdl", "method", "repeat", "subset"):
                assert word not in text, text


def test_all_trials_have_one_shape(study):
    """Same status, headers, sizes, keys and work for the server: nothing tells one from another, repeats included."""
    trials = [trial for trial, _, _ in trials_of(study)]
    assert len({json.dumps(trial["shape"]) for trial in trials}) == 1
    assert len({tuple(trial["about"]) for trial in trials}) == 1
    assert {trial["about"]["left"] for trial in trials} == {None}
    assert len({trial["token"] for trial in trials}) == len(trials)


def betrays(values, truth):
    """The probability that chance alone separates the values of both sides so well."""
    left = [value for value, is_left in zip(values, truth, strict=True) if is_left]
    right = [value for value, is_left in zip(values, truth, strict=True) if not is_left]
    return stats.mannwhitneyu(left, right).pvalue


def test_no_number_a_client_can_measure_predicts_the_side(study):
    """Rank correlation of every number with the truth; a false alarm once in ten thousand runs."""
    trials = [(trial, left) for trial, left, block in trials_of(study) if block == "main"]
    truth = [left for _, left in trials]
    names = list(trials[0][0]["numbers"])
    assert {"media_s", "saved_s", "position"} <= set(names)
    for name in names:
        assert betrays([trial["numbers"][name] for trial, _ in trials], truth) > 1e-4 / len(names), name


def test_the_side_before_does_not_predict_the_side_after(study):
    sides = [left for _, left, block in trials_of(study) if block == "main"]
    same = np.mean([first == second for first, second in itertools.pairwise(sides)])
    assert abs(same - 0.5) < 4 * np.sqrt(0.25 / len(sides))


def test_this_measurement_finds_a_leak_when_there_is_one(study):
    """The instrument itself: a number that is shifted by a third of its range on one side is caught."""
    trials = [(trial, left) for trial, left, block in trials_of(study) if block == "main"]
    leaking = [position + 30 * left for position, (_, left) in enumerate(trials)]
    assert betrays(leaking, [left for _, left in trials]) < 1e-4 / 7

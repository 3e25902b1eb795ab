"""What the desk says a person should do now."""

import json

import pytest

from noisylabels.annotation.next_step import Progress, say_next_step, summarise_project
from tests.annotation.desks import make_project, owner_session
from tests.annotation.test_queue import set_queue, work_through

EMPTY = Progress(40, 0, 0, 0, 0, undecided=False, curve=None, n_since=0)
CURVE = {"stop": False, "sentence": "The next 10 fields are expected to add 0.012."}
STOP = {"stop": True, "sentence": "The next 10 fields are expected to add 0.001. You may stop."}
STEPS = {
    "nothing done": (
        EMPTY,
        "Correct fields of 3 wells or more (0 so far): then a network can be retrained and judged.",
    ),
    "one came back": (EMPTY._replace(n_returned=1), "Correct 1 field that came back; the comment says why."),
    "many are new": (
        EMPTY._replace(n_accepted=12, n_groups=3, n_new=12),
        "Retrain: 12 fields were accepted that no training has seen.",
    ),
    "a network waits": (
        EMPTY._replace(n_accepted=12, n_groups=3, undecided=True),
        "Decide on the retrained network: its scores before and after stand under Jobs.",
    ),
    "no curve": (
        EMPTY._replace(n_accepted=12, n_groups=3, n_new=2),
        "Ask How many more? before you correct the 28 fields left.",
    ),
    "the curve rises": (
        EMPTY._replace(n_accepted=35, n_groups=3, curve=CURVE),
        "Correct 5 more. The next 10 fields are expected to add 0.012.",
    ),
    "the curve is old": (
        EMPTY._replace(n_accepted=12, n_groups=3, curve=STOP, n_since=10),
        "Ask How many more? before you correct the 28 fields left.",
    ),
    "the curve is flat": (
        EMPTY._replace(n_accepted=12, n_groups=3, n_new=12, curve=STOP),
        "Stop correcting and export. The next 10 fields are expected to add 0.001. You may stop.",
    ),
    "all is learnt": (
        EMPTY._replace(n_accepted=40, n_groups=9),
        "Export: every field is accepted and learnt from.",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_owner_is_told_what_the_numbers_say(name):
    done, sentence = STEPS[name]
    assert say_next_step(done, is_owner=True) == sentence


def test_others_are_told_how_many_are_left():
    assert say_next_step(EMPTY._replace(n_accepted=39), is_owner=False) == "Correct the next of 1 field left."
    assert say_next_step(EMPTY._replace(n_accepted=40), is_owner=False) == "Every field is accepted. Thank you."


def test_progress_is_read_from_the_project(tmp_path):
    with make_project(tmp_path, 4) as project:
        assert summarise_project(project) == EMPTY._replace(n_fields=4)
        set_queue(project)
        work_through(owner_session(project), limit=3)
        done = EMPTY._replace(n_fields=4, n_accepted=3, n_groups=3, n_new=3)
        assert summarise_project(project) == done
        about = {"retrain": {"score": "{}"}, "curve": {"curve": json.dumps(CURVE)}}
        for kind, found in about.items():
            with project.writing() as connection:
                connection.execute(
                    "INSERT INTO job (token, kind, bundle, person, state, created, score, curve) "
                    "VALUES (?, ?, 'mdl', 1, 'done', '9999', ?, ?)",
                    (kind, kind, found.get("score"), found.get("curve")),
                )
        assert summarise_project(project) == done._replace(n_new=0, undecided=True, curve=CURVE)

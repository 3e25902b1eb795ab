"""Rating and unblinding, without a browser."""

import csv
import json
import re
import stat

import numpy as np
import pytest

from evaluation.experts.ratings import read_ratings
from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.project import Project
from noisylabels.annotation.ratings import RatingDesk, UnknownTrialError, create_study, method_codes
from noisylabels.annotation.tables import export_comments, export_times, summarise
from noisylabels.annotation.unblinding import COLUMNS, open_trials, unblind, unjudged_trials
from noisylabels.annotation.users import people_of, person_of
from noisylabels.data.images import read_image, read_label_map, write_label_map
from tests.annotation.desks import COLUMNS as N_COLUMNS
from tests.annotation.desks import ROWS, make_project, refused

SMALL = StudySettings(n_images=6, n_training=1, repeat_share=0.4)
MAIN = "SELECT token FROM trial WHERE block = 'main' AND person = ?"
RATERS = ["anna", "ben", "cleo", "dan"]


@pytest.fixture
def project(tmp_path):
    with make_project(tmp_path, 9) as project:
        create_study(project, RATERS, SMALL, seed=3)
        yield project


def desk_of(project, name):
    return RatingDesk(project, person_of(project, name))


def score_all(project, names=RATERS, value=lambda trial: (trial.number % 10 + 1, 5)):
    for name in names:
        desk = desk_of(project, name)
        while (token := desk.next()) is not None:
            desk.score(token, *value(desk.trial(token)), active_ms=40_000)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_media_of_a_trial_are_the_image_and_both_maps(project):
    desk = desk_of(project, "anna")
    folder = project.setting("dataset")
    for trial in desk.trials():
        name = desk.field(trial.token).name
        row = project.row(
            "SELECT l.method AS l, r.method AS r FROM trial JOIN item l ON l.id = left_item "
            "JOIN item r ON r.id = right_item WHERE token = ?",
            trial.token,
        )
        media, size = desk.media(trial.token), ROWS * N_COLUMNS
        planes = np.frombuffer(media[: 4 * size], "<u2").reshape(2, ROWS, N_COLUMNS)
        assert np.array_equal(planes, read_image(f"{folder}/images/{name}.ome.tif"))
        sides = np.frombuffer(media[4 * size :], np.uint8).reshape(2, ROWS, N_COLUMNS)
        codes = method_codes(project)
        for side, code in zip(sides, (row["l"], row["r"]), strict=True):
            method = codes[desk.field(trial.token).id, code]
            assert np.array_equal(side, read_label_map(f"{folder}/labels/{method}/{name}.tif"))


def test_what_is_rated_is_what_was_there_when_the_study_was_planned(project):
    desk = desk_of(project, "anna")
    before = [desk.media(trial.token) for trial in desk.trials()]
    for number in range(1, 10):
        for method in ("cip", "cdl"):
            path = f"{project.setting('dataset')}/labels/{method}/B{number:02d}_f1.tif"
            write_label_map(path, np.zeros((ROWS, N_COLUMNS), np.uint8))
    assert [desk.media(trial.token) for trial in desk.trials()] == before


def test_a_changed_mind_is_a_second_score_and_the_newest_counts(project):
    desk = desk_of(project, "anna")
    token = desk.next()
    desk.score(token, 3, 4)
    desk.score(token, 9, 1, comment="looked again")
    assert (desk.trial(token).left, desk.trial(token).right) == (9, 1)
    assert project.value("SELECT count(*) FROM score") == 2


def test_a_retried_score_is_saved_once_and_rating_resumes_after_a_restart(project, tmp_path):
    desk = desk_of(project, "anna")
    token = desk.next()
    following = [desk.score(token, 3, 4, key="the-same-key") for _ in range(3)]
    assert len(set(following)) == 1
    assert project.value("SELECT count(*) FROM score") == 1
    with Project(tmp_path / "screen.desk") as again:
        assert desk_of(again, "anna").next() == following[0] != token


def test_what_cannot_be_judged_is_kept_counted_and_no_score(project, tmp_path):
    desk = desk_of(project, "anna")
    main = [row["token"] for row in project.rows(f"{MAIN} ORDER BY number", desk.person.id)]
    desk.score(main[0], 3, 4)
    desk.close(main[0], "cannot_judge", active_ms=2000, comment="looked again: out of focus")
    desk.close(main[1], "cannot_judge", key="the-same-key")
    desk.close(main[1], "cannot_judge", key="the-same-key")
    assert (desk.trial(main[0]).state, desk.trial(main[0]).left) == ("cannot_judge", None)
    assert project.value("SELECT count(*) FROM trial_closing WHERE state = 'cannot_judge'") == 2
    score_all(project)
    assert desk.next() is None
    assert desk.trial(main[0]).state == "cannot_judge"
    assert unjudged_trials(project) == {"anna": 2, "ben": 0, "cleo": 0, "dan": 0}
    assert "anna (rater, " in (line := next(line for line in summarise(project) if line.startswith("anna")))
    assert line.endswith(f"{len(desk.trials()) - 2} of {len(desk.trials())} trials scored, 2 cannot be judged")
    counted, every = unblind(project, tmp_path / "out")
    assert len(read(counted)) == 4 * 3 * 2 - 2 * 2
    said = [row for row in read(every) if row["state"] == "cannot_judge"]
    assert {(row["rater"], row["score"], row["counts"]) for row in said} == {("anna", "", "0")}
    assert {row["comment"] for row in said} == {"", "looked again: out of focus"}
    assert json.loads(project.value("SELECT detail FROM log WHERE event = 'unblinded'"))["cannot_judge"] == 2
    assert len(read_ratings(counted)) == len(read(counted))
    export_times(project, tmp_path / "times.csv")
    row = next(row for row in read(tmp_path / "times.csv") if row["task"] == main[0])
    assert (row["state"], row["active_s"], row["n_actions"]) == ("cannot_judge", "2.0", "2")
    assert export_comments(project, tmp_path / "comments.csv") == 1
    desk.score(main[0], 8, 9)
    assert (desk.trial(main[0]).state, desk.trial(main[0]).left) == ("scored", 8)


def test_what_is_left_for_later_comes_again_after_the_others_and_holds_back_the_unblinding(project, tmp_path):
    desk = desk_of(project, "anna")
    left = desk.next()
    second = desk.close(left, "skipped")
    assert second != left
    assert desk.trial(left).state == "skipped"
    while (token := desk.next()) != left:
        desk.score(token, 5, 5)
    assert open_trials(project)["anna"] == 1
    with refused("A trial must be without an answer to be left for later, got one that has one."):
        desk.close(second, "skipped")
    with refused("A trial must be cannot_judge or skipped to be closed without a score, got 'done'."):
        desk.close(left, "done")
    assert desk.close(left, "skipped") == left


@pytest.mark.parametrize(("left", "right"), [(0, 5), (11, 5), (5, 0), (5, 11)])
def test_scores_lie_in_one_to_ten(project, left, right):
    desk = desk_of(project, "anna")
    with refused("A score must be a whole number in 1..10"):
        desk.score(desk.next(), left, right)
    assert project.value("SELECT count(*) FROM score") == 0


def test_nobody_scores_anothers_trial(project):
    token = desk_of(project, "anna").next()
    with refused("A trial must be one of yours", UnknownTrialError):
        desk_of(project, "ben").score(token, 5, 5)


def test_a_study_is_planned_once(project):
    with refused(f"{project.path} must have no study yet, but it has one."):
        create_study(project, RATERS, SMALL)


def test_a_plan_repeats_with_its_seed_but_its_tokens_never(tmp_path):
    plans, tokens = [], []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with make_project(tmp_path / name, 9) as project:
            create_study(project, RATERS, SMALL, seed=3)
            rows = project.rows(
                "SELECT token, person, number, block, subset, field.name, l.field, l.method AS left, r.method AS right "
                "FROM trial JOIN item l ON l.id = left_item JOIN item r ON r.id = right_item "
                "JOIN field ON field.id = l.field ORDER BY person, number"
            )
            codes = method_codes(project)
            plans.append(
                [(*tuple(row)[1:6], *(codes[row["field"], row[side]] for side in ("left", "right"))) for row in rows]
            )
            tokens.append({row["token"] for row in rows})
    assert plans[0] == plans[1]
    assert not tokens[0] & tokens[1]


def test_the_project_file_is_its_owners_alone_and_names_no_method_beside_a_trial(project):
    assert stat.S_IMODE(project.path.stat().st_mode) == 0o600
    codes = [row["method"] for row in project.rows("SELECT method FROM item ORDER BY id")]
    assert len(set(codes)) == len(codes)  # no two are alike: nothing to group by
    assert all(re.fullmatch("[0-9a-f]{16}", code) for code in codes)
    told = set(method_codes(project).values())
    assert told == {"cip", "cdl"}
    rows = project.rows("SELECT field, method FROM item ORDER BY id")
    order = [method_codes(project)[row["field"], row["method"]] for row in rows]
    assert order != ["cip", "cdl"] * (len(order) // 2)  # once in 2 ** 20


def test_only_images_with_both_label_maps_are_drawn(tmp_path):
    with make_project(tmp_path, 9) as project:
        (tmp_path / "dataset/labels/cdl/B01_f1.tif").unlink()
        (tmp_path / "dataset/labels/cip/B02_f1.tif").unlink()
        create_study(project, RATERS, SMALL)
        names = {row["name"] for row in project.rows("SELECT name FROM item JOIN field ON field.id = item.field")}
        assert names == {f"B0{number}_f1" for number in range(3, 10)}


def test_unblinding_waits_for_the_last_score_and_leaves_a_record(project, tmp_path):
    score_all(project, RATERS[:3])
    n_open = open_trials(project)["dan"]
    assert open_trials(project) == {"anna": 0, "ben": 0, "cleo": 0, "dan": n_open}
    with refused(f"A study must be finished before it is unblinded, got {n_open} open trials (dan {n_open})."):
        unblind(project, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    score_all(project)
    unblind(project, tmp_path / "out")
    row = project.row("SELECT * FROM log WHERE event = 'unblinded'")
    assert json.loads(row["detail"]) == {"forced": False, "open_trials": 0, "cannot_judge": 0}


def test_scores_after_a_forced_unblinding_are_marked(project, tmp_path):
    score_all(project, ["anna"])
    unblind(project, tmp_path / "out", force=True)
    row = project.row("SELECT * FROM log WHERE event = 'unblinded'")
    assert json.loads(row["detail"])["forced"] is True
    score_all(project)
    counted, _ = unblind(project, tmp_path / "out")
    marked = {(row["rater"] != "anna", row["after_unblinding"]) for row in read(counted)}
    assert marked == {(False, "0"), (True, "1")}


def test_the_table_holds_each_score_under_its_own_method(project, tmp_path):
    """Every rater gives CDL 8 and CIP 3, wherever they are: so must the table."""

    def honest(name):
        desk = desk_of(project, name)
        for trial in desk.trials():
            of = "SELECT field, method FROM trial JOIN item ON item.id = left_item WHERE token = ?"
            row = project.row(of, trial.token)
            method = method_codes(project)[row["field"], row["method"]]
            desk.score(trial.token, *((8, 3) if method == "cdl" else (3, 8)), active_ms=35_000)

    for name in RATERS:
        honest(name)
    counted, every = unblind(project, tmp_path / "out")
    rows = read(counted)
    assert list(rows[0]) == list(COLUMNS)
    assert {(row["method"], row["score"]) for row in rows} == {("cdl", "8"), ("cip", "3")}
    assert len(read_ratings(counted)) == len(rows)  # as `noisylabels ratings` reads it
    assert len(rows) == 4 * 3 * 2  # four raters, three images each, two methods
    assert len({(row["rater"], row["image"], row["method"]) for row in rows}) == len(rows)
    assert {row["block"] for row in rows} == {"main"}
    blocks = [row["block"] for row in read(every)]
    assert {block: blocks.count(block) for block in set(blocks)} == {"training": 8, "main": 24, "repeat": 8}


def test_raters_have_a_subset_and_no_other_role(project):
    assert sorted(person.party for person in people_of(project, "rater")) == ["1", "1", "2", "2"]
    from noisylabels.annotation.users import add_person

    with refused("A person must have one role and group, got annotator  for anna, who is rater"):
        add_person(project, "anna", "annotator")


def test_a_project_without_a_study_has_nothing_to_unblind(tmp_path):
    with make_project(tmp_path) as project, refused(f"{project.path} must have a study to unblind, got none."):
        unblind(project, tmp_path)

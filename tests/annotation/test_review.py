"""One field, one truth: the newest accepted map counts, the owner reviews, returns and releases, nothing is lost."""

import io

import numpy as np
import pytest
from PIL import Image

from noisylabels.annotation.export import accepted, export_dataset
from noisylabels.annotation.queue import QueueSettings, change_queue, set_priorities
from noisylabels.annotation.session import Session, UnknownTaskError
from noisylabels.annotation.tables import export_comments
from noisylabels.annotation.users import add_person, owner_of
from noisylabels.data.images import read_label_map
from tests.annotation.desks import Browser, make_project, owner_session, paint, refused


@pytest.fixture
def lab(tmp_path):
    """Anna has corrected and accepted a field; the owner has not looked yet."""
    with make_project(tmp_path) as project:
        change_queue(project, owner_of(project), QueueSettings(start="cip", random_share=0))
        anna = Session(project, add_person(project, "anna", "annotator"))
        task = anna.next()
        root = anna.head(task)
        corrected = anna.commit(task, np.full((12, 16), 2, np.uint8), parent=root.revision, tool="fill")
        anna.close(task, "accepted", revision=corrected.revision)
        yield project, anna, owner_session(project), task


def test_an_accepted_field_opens_at_its_accepted_map_and_not_at_the_start(lab):
    project, anna, owner, task = lab
    assert anna.open("B01_f1") == task  # her own, no second task
    again = owner.open("B01_f1")
    assert np.array_equal(owner.label_map(again), np.full((12, 16), 2))
    assert project.value("SELECT start FROM task WHERE token = ?", again) == "accepted"
    origin = project.value("SELECT origin FROM revision WHERE id = ?", owner.head(again).revision)
    assert origin == f"revision:{anna.head(task).revision}"


def test_a_replaced_map_counts_once_and_both_are_kept(lab, tmp_path):
    project, anna, owner, task = lab
    mine = owner.open("B01_f1")
    head = owner.commit(mine, np.full((12, 16), 1, np.uint8), parent=owner.head(mine).revision, tool="fill")
    assert [(item.person, item.start) for item in accepted(project)] == [("anna", "cip")]
    owner.close(mine, "accepted", revision=head.revision)
    assert [(item.person, item.start) for item in accepted(project)] == [("owner", "accepted")]
    assert export_dataset(project, tmp_path / "out").n_fields == 1
    assert np.array_equal(read_label_map(tmp_path / "out/labels/corrected/B01_f1.tif"), np.full((12, 16), 1))
    assert np.array_equal(anna.label_map(task), np.full((12, 16), 2))
    newer = anna.open("B01_f1")  # hers is no longer what counts
    assert newer != task
    assert np.array_equal(anna.label_map(newer), np.full((12, 16), 1))


def test_the_newest_is_the_last_to_be_accepted_whatever_the_clock_says(lab, monkeypatch):
    project, _, owner, _ = lab
    mine = owner.open("B01_f1")
    monkeypatch.setattr("noisylabels.annotation.session.now", lambda: "1999-01-01T00:00:00.000Z")
    owner.close(mine, "accepted", revision=owner.head(mine).revision)
    assert [item.person for item in accepted(project)] == ["owner"]


def test_fields_are_counted_and_not_tasks(lab):
    project, _, owner, _ = lab
    from noisylabels.annotation.server import Address, create_app

    app = create_app(project, Address())
    browser = Browser(app, project, owner.person)
    mine = browser.post("/api/tasks", field="B01_f1").json()["task"]
    browser.post(f"/api/tasks/{mine['task']}/close", state="accepted", revision=mine["revision"])
    queue = browser.get("/api/queue").json()
    assert (queue["n_fields"], queue["n_accepted"], queue["n_open"]) == (6, 1, 0)


def test_a_returned_field_comes_back_to_its_person_with_the_comment_and_does_not_count_meanwhile(lab):
    project, anna, owner, task = lab
    with refused("Only the owner may decide on the work of others, got annotator."):
        anna.give_back(task, "no")
    owner.give_back(task, "The rim at the left is missing.")
    assert accepted(project) == []
    other = anna.open("B03_f1")
    assert anna.next() == task != other
    assert (anna.task(task).state, anna.task(task).comment) == ("returned", "The rim at the left is missing.")
    head = anna.commit(task, paint(anna.label_map(task), 0), parent=anna.head(task).revision, tool="eraser")
    assert anna.task(task).state == "open"
    anna.close(task, "accepted", revision=head.revision)
    assert [item.revision for item in accepted(project)] == [head.revision]
    with refused("A task must be open or returned to become released, got accepted."):
        owner.release(task)


def test_a_released_field_is_handed_to_somebody_else_and_what_was_painted_is_kept(lab):
    project, anna, owner, _ = lab
    stuck = anna.next()
    stroke = anna.commit(stuck, paint(anna.label_map(stuck)), parent=anna.head(stuck).revision, tool="brush")
    assert {owner.field(owner.next()).name} == {"B03_f1"}  # B02_f1 waits for Anna
    owner.release(stuck)
    zoe = Session(project, add_person(project, "Zoë Müller", "annotator"))
    assert zoe.field(zoe.next()).name == "B02_f1"
    assert np.array_equal(anna.label_map(stuck, stroke.revision), anna.label_map(stuck))
    assert anna.field(anna.next()).name == "B04_f1"


def test_the_owner_reads_everybodys_work_and_writes_only_their_own(lab):
    _, anna, owner, task = lab
    assert (owner.task(task).person, owner.task(task).name) == ("anna", "B01_f1")
    assert np.array_equal(owner.label_map(task), np.full((12, 16), 2))
    mine = owner.next()
    with refused("A task must be one of yours", UnknownTaskError):
        anna.task(mine)
    for write in (
        lambda: owner.commit(task, owner.label_map(task), parent=1, tool="brush"),
        lambda: owner.undo(task, seen=1),
        lambda: owner.close(task, "open", revision=1),
    ):
        with refused("A task must be one of yours", UnknownTaskError):
            write()


def test_a_field_can_be_opened_again_after_it_was_accepted(lab):
    project, anna, _, task = lab
    anna.close(task, "open", revision=anna.head(task).revision)
    assert anna.task(task).state == "open"
    assert accepted(project) == []
    assert anna.next() == task


def test_a_hidden_repeat_never_becomes_the_map_that_counts(tmp_path):
    with make_project(tmp_path, 12) as project:
        change_queue(project, owner_of(project), QueueSettings(start="cip", random_share=0, repeat_share=1))
        session = owner_session(project)
        while project.value("SELECT count(*) FROM task WHERE repeats IS NOT NULL") == 0:
            task = session.next()
            session.close(task, "accepted", revision=session.head(task).revision)
            task = session.next()
        head = session.commit(task, np.full((12, 16), 1, np.uint8), parent=session.head(task).revision, tool="fill")
        before = accepted(project)
        session.close(task, "accepted", revision=head.revision)
        assert accepted(project) == before


def test_one_task_may_be_taken_by_disagreement_without_changing_the_queue(lab):
    project, anna, owner, _ = lab
    with refused("Strategy 'disagreement' must have scores, got none."):
        owner.next(strategy="disagreement")
    set_priorities(project, "disagreement", {"B05_f1": 0.9, "B03_f1": 0.1})
    assert owner.field(owner.next(strategy="disagreement")).name == "B05_f1"
    assert anna.field(anna.next()).name == "B02_f1"
    assert project.setting("queue")["strategy"] == "order"


def test_review_over_http(lab):
    project, anna, owner, task = lab
    from noisylabels.annotation.server import Address, create_app

    app = create_app(project, Address())
    browser, hers = Browser(app, project, owner.person), Browser(app, project, anna.person)
    listed = {row["name"]: row for row in browser.get("/api/fields").json()["fields"]}
    assert listed["B01_f1"] == {
        "id": 1, "name": "B01_f1", "plate": None, "well": "B01", "rows": 12, "columns": 16, "state": "accepted",
        "person": "anna", "n_tasks": 1, "disagreement": None,
    }  # fmt: skip
    assert listed["B02_f1"]["state"] is listed["B02_f1"]["person"] is None
    tasks = browser.get("/api/fields/1/tasks").json()["tasks"]
    assert [(row["task"], row["person"], row["state"], row["current"]) for row in tasks] == [
        (task, "anna", "accepted", True)
    ]
    assert browser.get("/api/fields/99/tasks").status_code == browser.get("/api/fields/99/thumbnail").status_code == 404
    thumbnail = browser.get("/api/fields/1/thumbnail")
    assert thumbnail.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(thumbnail.content)).size == (16, 12)
    assert browser.get(f"/api/tasks/{task}").json()["mine"] is False
    assert np.array_equal(browser.labels(task), np.full((12, 16), 2))
    back = browser.post(f"/api/tasks/{task}/return", comment="=the rim")
    assert (back.json()["state"], back.json()["comment"]) == ("returned", "=the rim")
    assert hers.post("/api/tasks/next").json()["task"]["comment"] == "=the rim"
    assert hers.post(f"/api/tasks/{task}/return", comment="").status_code == 403
    assert browser.post(f"/api/tasks/{task}/release").json()["state"] == "released"


def test_ghosts_are_the_label_sets_and_the_maps_of_others_but_never_ones_own(lab):
    project, anna, owner, task = lab
    from noisylabels.annotation.server import Address, create_app

    app = create_app(project, Address())
    browser, hers = Browser(app, project, owner.person), Browser(app, project, anna.person)
    sets = [{"ghost": "cdl", "kind": "labels"}, {"ghost": "cip", "kind": "labels"}]
    assert hers.get(f"/api/tasks/{task}/ghosts").json() == {"ghosts": sets}
    mine = browser.post("/api/tasks", field="B01_f1").json()["task"]["task"]
    anothers = {"ghost": "anna", "kind": "person"}
    assert browser.get(f"/api/tasks/{mine}/ghosts").json() == {"ghosts": [*sets, anothers]}
    shown = browser.get(f"/api/tasks/{mine}/ghost?kind=person&ghost=anna")
    assert np.array_equal(np.frombuffer(shown.content, np.uint8), np.full(12 * 16, 2))
    shown = browser.get(f"/api/tasks/{mine}/ghost?kind=labels&ghost=cip")
    expected = read_label_map(f"{project.setting('dataset')}/labels/cip/B01_f1.tif")
    assert np.array_equal(np.frombuffer(shown.content, np.uint8).reshape(12, 16), expected)
    assert project.value("SELECT count(*) FROM log WHERE event = 'compared'") == 2
    for query in ("", "?kind=labels&ghost=../cip", "?kind=person&ghost=owner"):
        assert browser.get(f"/api/tasks/{mine}/ghost{query}").status_code == 400


def test_comments_are_exported_and_start_no_formula(lab, tmp_path):
    project, anna, owner, task = lab
    owner.give_back(task, '=HYPERLINK("http://evil")')
    anna.close(task, "accepted", revision=anna.head(task).revision, comment="dim, so no rim")
    assert export_comments(project, tmp_path / "comments.csv") == 2
    lines = (tmp_path / "comments.csv").read_text().splitlines()
    assert lines[1].endswith(""","'=HYPERLINK(""http://evil"")\"""")
    assert lines[2].endswith(',"dim, so no rim"')


def test_a_field_without_its_image_does_not_block_the_export_and_is_named(lab, tmp_path):
    project, _anna, owner, _ = lab
    second = owner.next()
    owner.close(second, "accepted", revision=owner.head(second).revision)
    image = tmp_path / "dataset/images/B01_f1.ome.tif"
    image.unlink()
    done = export_dataset(project, tmp_path / "out")
    assert done.n_fields == 1
    assert list(done.left_out) == ["B01_f1"]
    assert (tmp_path / "out/labels/corrected/B02_f1.tif").is_file()
    (tmp_path / "dataset/images/B02_f1.ome.tif").unlink()
    with refused("An export must have an image of at least one field, got none: "):
        export_dataset(project, tmp_path / "none")


@pytest.mark.parametrize("form", ["roi", "geojson"])
def test_outlines_leave_for_imagej_and_qupath_and_come_back_equal(lab, tmp_path, form):
    project, anna, _owner, task = lab
    from noisylabels.annotation.export import export_files
    from noisylabels.annotation.server import Address, create_app
    from noisylabels.data.labels import ROSELLA
    from noisylabels.data.outlines import fill_outlines, read_outlines

    painted = np.zeros((12, 16), np.uint8)
    painted[2:7, 3:9], painted[4, 5], painted[7, 9], painted[0, :4] = 1, 0, 1, 255
    head = anna.commit(task, painted, parent=anna.head(task).revision, tool="brush")
    anna.close(task, "accepted", revision=head.revision)
    assert export_files(project, tmp_path / "out", form).n_fields == 1
    (file,) = (tmp_path / "out").iterdir()
    assert np.array_equal(fill_outlines(read_outlines(file.read_bytes()), (12, 16), ROSELLA), painted)
    hers = Browser(create_app(project, Address()), project, anna.person)
    sent = hers.get(f"/api/tasks/{task}/outlines?format={form}")
    assert sent.content == file.read_bytes()
    other = hers.post("/api/tasks", field="B03_f1").json()["task"]
    headers = {"If-Match": str(other["revision"]), "Idempotency-Key": "one-and-the-same"}
    headers["Content-Type"] = "application/octet-stream"
    answer = hers.request("POST", f"/api/tasks/{other['task']}/outlines", content=sent.content, headers=headers)
    assert answer.status_code == 201
    assert np.array_equal(hers.labels(other["task"]), painted)
    headers["Idempotency-Key"] = "another-action"
    torn = hers.request("POST", f"/api/tasks/{other['task']}/outlines", content=sent.content[:60], headers=headers)
    assert torn.status_code == 400
    assert hers.get(f"/api/tasks/{task}/outlines?format=../x").status_code == 400

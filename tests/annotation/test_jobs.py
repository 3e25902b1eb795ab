"""Jobs: predictions and trainings as processes, their logs, and what becomes of them."""

import hashlib
import sys
import time

import numpy as np
import pytest

from noisylabels.annotation.jobs import Jobs, UnknownJobError
from noisylabels.annotation.quarters import Window
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import add_person, owner_of
from noisylabels.data.dataset import open_dataset
from noisylabels.data.errors import InputError
from tests.annotation.desks import Browser, key, make_project, paint, refused

# Stands for `noisylabels predict` and `train`: a process that reads the same words and writes the same files.
NETWORK = """
import pathlib, sys, time
import numpy as np
from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import write_label_map

words = sys.argv[1:]
given = dict(zip(words[2::2], words[3::2]))
print("epoch 1 of", words[0])
if words[1] == "broken":
    sys.exit("The network has 3 classes and the data 5.")
if words[1] == "slow":
    time.sleep(60)
dataset = open_dataset(given["--dataset_dir"])
if words[0] == "predict":
    for case in dataset.ids():
        bright = dataset.image(case)[0] > 2000
        write_label_map(dataset.label_path(given["--method"], case), bright.astype(np.uint8))
else:
    assert dataset.label_names() == ["corrected"] and given["--label_name"] == "corrected"
    weights = pathlib.Path(given["--output_dir"]) / "model.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"learned from %d fields" % len(dataset.ids()))
"""


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    with make_project(tmp_path) as project:
        checkpoints = dict.fromkeys(("cdl", "broken", "slow"), tmp_path / "model.pt")
        jobs = Jobs(project, checkpoints, command=(sys.executable, "-c", NETWORK))
        session = Session(project, owner_of(project))
        yield project, jobs, session, session.next()
        jobs.stop()


def wait(jobs, session, job, *, patience_s=60):
    for _ in range(50 * patience_s):
        found = jobs.find(session.person, job.job)
        if found.state != "running":
            return found
        time.sleep(0.02)
    raise TimeoutError(job)


def test_a_prediction_becomes_a_revision_with_the_networks_hash(desk):
    project, jobs, session, token = desk
    root = session.head(token).revision
    job = jobs.predict(session.person, token, "cdl", parent=root, key=key())
    assert (job.kind, job.state, job.task) == ("predict", "running", token)
    done = wait(jobs, session, job)
    assert (done.state, done.exit_code, done.conflict, done.error) == ("done", 0, False, None)
    assert session.head(token).revision == done.revision
    assert np.array_equal(session.label_map(token), session.planes(token)[0] > 2000)
    row = project.row("SELECT * FROM revision WHERE id = ?", done.revision)
    assert (row["parent"], row["tool"]) == (root, "predict")
    assert row["origin"] == f"cdl:{hashlib.sha256(b'weights').hexdigest()}"
    text, behind = jobs.log(session.person, job.job, 0)
    assert text.startswith("noisylabels predict cdl --dataset_dir ")
    assert "epoch 1 of predict" in text
    assert jobs.log(session.person, job.job, behind) == ("", behind)


def test_a_region_is_replaced_and_the_rest_stays(desk):
    _, jobs, session, token = desk
    painted = np.full_like(session.label_map(token), 2)
    head = session.commit(token, painted, parent=session.head(token).revision, tool="fill")
    region = Window(2, 3, 7, 11)
    job = jobs.predict(session.person, token, "cdl", parent=head.revision, region=region, key=key())
    assert wait(jobs, session, job).state == "done"
    expected = painted.copy()
    expected[region.slices] = (session.planes(token)[0] > 2000)[region.slices]
    assert np.array_equal(session.label_map(token), expected)


def test_a_prediction_that_comes_after_a_stroke_is_kept_beside_it(desk):
    _, jobs, session, token = desk
    root = session.head(token)
    stroke = session.commit(token, paint(session.label_map(token)), parent=root.revision, tool="brush")
    done = wait(jobs, session, jobs.predict(session.person, token, "cdl", parent=root.revision, key=key()))
    assert done.conflict
    assert session.head(token).revision == stroke.revision != done.revision
    assert session.adopt(token, done.revision, seen=stroke.revision).revision == done.revision


def test_a_failed_job_says_why(desk):
    _, jobs, session, token = desk
    job = jobs.predict(session.person, token, "broken", parent=session.head(token).revision, key=key())
    done = wait(jobs, session, job)
    assert (done.state, done.exit_code, done.revision) == ("failed", 1, None)
    assert done.error == "The network has 3 classes and the data 5."


def test_a_job_is_cancelled(desk):
    _, jobs, session, token = desk
    job = jobs.predict(session.person, token, "slow", parent=session.head(token).revision, key=key())
    while "epoch" not in jobs.log(session.person, job.job, 0)[0]:
        time.sleep(0.02)
    jobs.cancel(session.person, job.job)
    done = wait(jobs, session, job)
    assert (done.state, done.exit_code, done.error) == ("cancelled", -15, None)
    assert jobs.cancel(session.person, job.job).state == "cancelled"


def test_what_was_accepted_trains_a_network_that_then_predicts(desk):
    _, jobs, session, token = desk
    session.close(token, "accepted", revision=session.head(token).revision)
    assert "mdl" not in jobs.bundle_names()
    job = jobs.retrain(session.person, "mdl", key=key())
    assert wait(jobs, session, job).state == "done"
    assert jobs.bundle_names() == ["broken", "cdl", "mdl", "slow"]
    other = session.next()
    predicted = jobs.predict(session.person, other, "mdl", parent=session.head(other).revision, key=key())
    assert wait(jobs, session, predicted).state == "done"


def test_training_on_nothing_fails_with_the_reason(desk):
    project, jobs, session, _ = desk
    done = wait(jobs, session, jobs.retrain(session.person, "mdl", key=key()))
    assert done.state == "failed"
    assert done.error == (
        f"{project.path} must have accepted corrections to export, got none. Accept some in the browser first."
    )


def test_a_retried_request_starts_one_job(desk):
    _, jobs, session, token = desk
    root = session.head(token).revision
    started = [jobs.predict(session.person, token, "cdl", parent=root, key="the-same-key") for _ in range(2)]
    assert started[0].job == started[1].job
    wait(jobs, session, started[0])
    assert len(jobs.visible(session.person)) == 1


def test_jobs_of_a_server_that_died_are_lost_and_say_so(desk):
    project, jobs, session, token = desk
    job = jobs.predict(session.person, token, "slow", parent=session.head(token).revision, key=key())
    assert Jobs(project).find(session.person, job.job).state == "lost"


def test_people_see_their_own_jobs_and_the_owner_all(desk):
    project, jobs, session, token = desk
    job = jobs.predict(session.person, token, "cdl", parent=session.head(token).revision, key=key())
    anna = add_person(project, "anna", "annotator")
    assert jobs.visible(anna) == []
    with refused("A job must be one of yours", UnknownJobError):
        jobs.log(anna, job.job, 0)
    wait(jobs, session, job)


@pytest.mark.parametrize(
    ("bundle", "region", "sentence"),
    [
        ("mdl", None, "A bundle that predicts must be one of: broken, cdl, slow; got 'mdl'."),
        ("cdl", (0, 0, 0, 5), "A region must lie in the field of 12 x 16 pixels, got (0, 0, 0, 5)."),
        ("cdl", (0, 0, 5, 17), "A region must lie in the field of 12 x 16 pixels, got (0, 0, 5, 17)."),
        ("cdl", (-1, 0, 5, 7), "A region must lie in the field of 12 x 16 pixels, got (-1, 0, 5, 7)."),
    ],
)
def test_wrong_predictions_are_refused(desk, bundle, region, sentence):
    project, jobs, session, token = desk
    window = None if region is None else Window(*region)
    with refused(sentence, InputError):
        jobs.predict(session.person, token, bundle, parent=session.head(token).revision, region=window, key=key())
    assert project.value("SELECT count(*) FROM job") == 0


def test_predict_watch_and_log_over_http(desk, tmp_path):
    from noisylabels.annotation.server import Address, create_app

    project, jobs, session, token = desk
    app = create_app(project, Address(), dist=tmp_path)
    app.state.jobs = jobs
    browser = Browser(app, project, session.person)
    root = session.head(token).revision
    answer = browser.post(f"/api/tasks/{token}/predict", bundle="cdl", revision=root, region=[0, 0, 5, 5])
    assert answer.status_code == 202
    job = answer.json()["job"]
    wait(jobs, session, jobs.find(session.person, job))
    about = browser.get(f"/api/jobs/{job}").json()
    assert (about["state"], about["task"], about["revision"]) == ("done", token, session.head(token).revision)
    assert browser.get("/api/jobs").json() == {"jobs": [about]}
    log = browser.get(f"/api/jobs/{job}/log?offset=12")
    assert log.text.startswith("predict cdl")
    assert int(log.headers["x-next-offset"]) == 12 + len(log.content)
    assert browser.post("/api/jobs/retrain", bundle="mdl").status_code == 202
    assert browser.post(f"/api/jobs/{job}/cancel").json()["state"] == "done"
    wrong = browser.post(f"/api/tasks/{token}/predict", bundle="cdl", revision=root, region=[0, 0, 5])
    assert wrong.status_code == 400
    for started in jobs.visible(session.person):
        wait(jobs, session, started)


def test_the_network_sees_the_image_of_the_quarter(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    with make_project(tmp_path, quarters=True) as project:
        jobs = Jobs(project, {"cdl": tmp_path / "model.pt"}, command=(sys.executable, "-c", NETWORK))
        session = Session(project, owner_of(project))
        token = session.open("B02_f1_q4")
        done = wait(jobs, session, jobs.predict(session.person, token, "cdl", parent=1, key=key()))
        folder = tmp_path / "screen.desk.jobs" / done.job
        assert np.array_equal(open_dataset(folder).image("field"), session.planes(token))

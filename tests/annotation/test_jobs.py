"""Jobs: predictions and trainings as processes, their logs, and what becomes of them."""

import hashlib
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from noisylabels.annotation.jobs import Jobs, UnknownJobError
from noisylabels.annotation.predictor import Predictor, StoppedError
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import add_person, owner_of
from noisylabels.annotation.versions import versions_of, weights_in_use
from noisylabels.data.errors import InputError
from noisylabels.data.images import read_image
from noisylabels.data.quarters import Window
from tests.annotation.desks import Browser, key, make_project, paint, refused

# Stands for the worker: a process that reads the same words and lines and gives the same answers and files.
NETWORK = """
import base64, json, pathlib, sys, time
import numpy as np
from noisylabels.annotation.revisions import pack
from noisylabels.data.dataset import open_dataset
from noisylabels.data.images import read_image

if sys.argv[1] == "predict":
    for line in sys.stdin:
        request = json.loads(line)
        if "image" in request and request["bundle"] == "slow":
            print("slow at work", file=sys.stderr, flush=True)
            time.sleep(60)
        if "image" in request and request["bundle"] == "dying":
            sys.exit("Killed by the kernel.")
        answer = {"loaded_s": 0.5}
        if request["bundle"] == "broken":
            answer = {"error": "The network has 3 classes and the data 5."}
        elif "image" in request:
            bright = (read_image(request["image"])[0] > 2000).astype(np.uint8)
            body = base64.b64encode(pack(bright)).decode()
            answer |= {"label_map": body, "rows": bright.shape[0], "columns": bright.shape[1], "predicted_s": 0.25}
        print(json.dumps(answer), flush=True)
else:
    plan_file = pathlib.Path(sys.argv[2])
    plan = json.loads(plan_file.read_text())
    print("epoch 1 of retrain", flush=True)
    if sys.argv[1] == "curve":
        plan_file.with_name("result.json").write_text(json.dumps({"curve": {"stop": False}}))
        sys.exit()
    if plan["bundle"] == "broken":
        sys.exit("The network has 3 classes and the data 5.")
    dataset = open_dataset(plan["dataset"])
    assert dataset.label_names() == ["corrected"]
    weights = pathlib.Path(plan["output"]) / "final" / "model.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"learned from %d fields, begun from %s" % (len(dataset.ids()), str(plan["init"]).encode()))
    score = {"measure": "mean_iou", "before": 0.5, "after": 0.6, "low": 0.01, "high": 0.19, "n_fields": 2,
             "decided_by": plan["decided_by"]}
    plan_file.with_name("result.json").write_text(json.dumps({"score": score if plan["folds"] else None}))
"""


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    with make_project(tmp_path) as project:
        checkpoints = dict.fromkeys(("cdl", "broken", "slow", "dying"), tmp_path / "model.pt")
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
    assert (done.state, done.exit_code, done.conflict, done.error) == ("done", None, False, None)
    assert session.head(token).revision == done.revision
    assert np.array_equal(session.label_map(token), session.planes(token)[0] > 2000)
    row = project.row("SELECT * FROM revision WHERE id = ?", done.revision)
    assert (row["parent"], row["tool"]) == (root, "predict")
    assert row["origin"] == f"cdl:{hashlib.sha256(b'weights').hexdigest()}"
    text, behind = jobs.log(session.person, job.job, 0)
    assert text.startswith("predict cdl ")
    assert "loaded_s 0.50, predicted_s 0.25" in text
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
    assert (done.state, done.exit_code, done.revision) == ("failed", None, None)
    assert done.error == "The network has 3 classes and the data 5."


def test_a_predictor_that_died_is_told_and_started_again(desk):
    _, jobs, session, token = desk
    root = session.head(token).revision
    done = wait(jobs, session, jobs.predict(session.person, token, "dying", parent=root, key=key()))
    assert done.error == "The predictor must answer, but it ended (Killed by the kernel.). Try again."
    assert wait(jobs, session, jobs.predict(session.person, token, "cdl", parent=root, key=key())).state == "done"


def test_a_prediction_is_cancelled_and_the_next_one_works(desk, tmp_path):
    _, jobs, session, token = desk
    root = session.head(token).revision
    job = jobs.predict(session.person, token, "slow", parent=root, key=key())
    waiting = jobs.predict(session.person, token, "slow", parent=root, key=key())
    said = tmp_path / "screen.desk.jobs" / "predictor.txt"
    while not said.exists() or "slow at work" not in said.read_text():
        time.sleep(0.02)
    for started in (waiting, job):
        jobs.cancel(session.person, started.job)
    for started in (waiting, job):
        done = wait(jobs, session, started)
        assert (done.state, done.exit_code, done.error) == ("cancelled", None, None)
        assert jobs.cancel(session.person, started.job).state == "cancelled"
    assert wait(jobs, session, jobs.predict(session.person, token, "cdl", parent=root, key=key())).state == "done"


SLOWLY_DYING = """
import os, signal, sys, time
def die(*_):
    os.close(1)  # who waits for an answer hears the end, while the process still lives
    time.sleep(0.5)
    os._exit(1)
signal.signal(signal.SIGTERM, die)
for line in sys.stdin:
    if "slow.tif" in line:
        print("slow at work", file=sys.stderr, flush=True)
        time.sleep(60)
    print('{"label_map": "eJwDAAAAAAE=", "rows": 0, "columns": 0, "loaded_s": 0, "predicted_s": 0}', flush=True)
"""


def test_the_next_in_turn_does_not_speak_to_a_predictor_that_is_dying(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess.Popen, "kill", subprocess.Popen.terminate)
    predictor = Predictor((sys.executable, "-c", SLOWLY_DYING), tmp_path / "said.txt")
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(predictor.predict, "cdl", tmp_path, tmp_path / "slow.tif", token="slow")
        while not (tmp_path / "said.txt").exists() or "at work" not in (tmp_path / "said.txt").read_text():
            time.sleep(0.02)
        following = pool.submit(predictor.predict, "cdl", tmp_path, tmp_path / "next.tif", token="next")
        predictor.cancel("slow")
        with pytest.raises(StoppedError):
            slow.result()
        assert following.result()[0].shape == (0, 0)
    predictor.stop()


def test_the_predictor_is_one_process_that_ends_with_its_input(tmp_path):
    """A server that is killed closes the pipe: nobody else has to end the worker."""
    words = [sys.executable, "-P", "-m", "noisylabels.annotation.worker", "predict"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    request = {"bundle": "cdl", "checkpoint": str(tmp_path / "none.pt"), "image": "none.tif"}
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    assert answer["error"].startswith(
        f"A model must be cdl, mdl, nuclei, a model.pt, the folder of a training, or a bundle, got {tmp_path}"
    )
    process.stdin.close()
    assert process.wait(timeout=120) == 0
    process.stdout.close()


def accept_next(session, n):
    for _ in range(n):
        token = session.next()
        session.close(token, "accepted", revision=session.head(token).revision)


def test_what_was_accepted_trains_a_network_that_replaces_nothing_until_the_owner_says_so(desk, tmp_path):
    project, jobs, session, _ = desk
    accept_next(session, 3)
    job = jobs.retrain(session.person, "cdl", key=key())
    done = wait(jobs, session, job)
    assert (done.state, done.replaced, done.progress) == ("done", None, 1.0)
    assert (done.score["before"], done.score["after"], done.score["decided_by"]) == (0.5, 0.6, "left-out fields")
    assert weights_in_use(project)["cdl"] == tmp_path / "model.pt"
    versions = [version for version in versions_of(project) if version.bundle == "cdl"]
    assert [(version.version, version.in_use, version.n_fields) for version in versions] == [
        (2, False, 3),
        (1, True, None),
    ]
    assert jobs.replace(session.person, job.job, replace=True).replaced is True
    made = weights_in_use(project)["cdl"]
    assert made.read_bytes() == f"learned from 3 fields, begun from {tmp_path / 'model.pt'}".encode()
    again = Jobs(project, {"cdl": tmp_path / "model.pt"}, command=(sys.executable, "-c", NETWORK))  # a restart
    assert weights_in_use(project)["cdl"] == made
    again.use(session.person, "cdl", 1)
    assert weights_in_use(project)["cdl"] == tmp_path / "model.pt"
    assert again.replace(session.person, job.job, replace=True).replaced is True  # asked twice, done once
    with refused("Weights must come from a training that is done and not decided, got retrain done."):
        again.replace(session.person, job.job, replace=False)
    made.write_bytes(b"rotten")
    with refused("The weights of cdl 2 must be where they were, but the file is gone or changed."):
        again.use(session.person, "cdl", 2)
    again.stop()


def test_a_learning_curve_keeps_no_weights(desk):
    project, jobs, session, _ = desk
    accept_next(session, 3)
    done = wait(jobs, session, jobs.curve(session.person, "cdl", key=key()))
    assert (done.kind, done.state, done.curve, done.score) == ("curve", "done", {"stop": False}, None)
    assert len([version for version in versions_of(project) if version.bundle == "cdl"]) == 1


def test_a_training_that_is_left_keeps_the_network(desk, tmp_path):
    project, jobs, session, _ = desk
    accept_next(session, 2)
    job = jobs.retrain(session.person, "cdl", key=key())
    assert wait(jobs, session, job).state == "done"
    assert jobs.replace(session.person, job.job, replace=False).replaced is False
    assert weights_in_use(project)["cdl"] == tmp_path / "model.pt"
    assert len([version for version in versions_of(project) if version.bundle == "cdl"]) == 2


def test_a_training_that_fails_says_why_and_keeps_the_network(desk, tmp_path):
    project, jobs, session, _ = desk
    accept_next(session, 2)
    done = wait(jobs, session, jobs.retrain(session.person, "broken", key=key()))
    assert (done.state, done.exit_code, done.error) == ("failed", 1, "The network has 3 classes and the data 5.")
    assert weights_in_use(project)["broken"] == tmp_path / "model.pt"


def test_a_bundle_without_weights_is_trained_from_the_beginning(desk):
    _, jobs, session, _ = desk
    accept_next(session, 1)
    assert "mdl" not in jobs.bundle_names()
    job = jobs.retrain(session.person, "mdl", key=key())
    done = wait(jobs, session, job)
    assert (done.state, done.score) == ("done", None)  # one field: nothing can be left out
    jobs.replace(session.person, job.job, replace=True)
    assert "mdl" in jobs.bundle_names()


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
        ("mdl", None, "A bundle that predicts must be one of: broken, cdl, dying, slow; got 'mdl'."),
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
    assert log.text.startswith(str(tmp_path))
    assert int(log.headers["x-next-offset"]) == 12 + len(log.content)
    assert browser.post("/api/jobs/retrain", bundle="mdl").status_code == 202
    assert browser.post(f"/api/jobs/{job}/cancel").json()["state"] == "done"
    wrong = browser.post(f"/api/tasks/{token}/predict", bundle="cdl", revision=root, region=[0, 0, 5])
    assert wrong.status_code == 400
    for started in jobs.visible(session.person):
        wait(jobs, session, started)


def test_a_quarter_is_cut_from_the_prediction_of_its_whole_field(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    with make_project(tmp_path, quarters=True) as project:
        jobs = Jobs(project, {"cdl": tmp_path / "model.pt"}, command=(sys.executable, "-c", NETWORK))
        session = Session(project, owner_of(project))
        token = session.open("B02_f1_q4")
        wait(jobs, session, jobs.predict(session.person, token, "cdl", parent=1, key=key()))
        whole = read_image(tmp_path / "dataset/images/B02_f1.ome.tif")[0] > 2000
        assert np.array_equal(session.label_map(token), whole[6:12, 8:16])
        jobs.stop()

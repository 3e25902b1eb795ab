"""The server is killed in the middle of work, again and again: what it acknowledged is there, and nothing is torn."""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import numpy as np
import pytest

from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.cookies import invite
from noisylabels.annotation.project import Project
from noisylabels.annotation.ratings import create_study
from noisylabels.annotation.revisions import hash_of, unpack
from noisylabels.annotation.users import add_person, person_of
from tests.annotation.desks import COLUMNS, ROWS, key, make_project, pack_stroke

N_KILLS = 20
RATERS = ["rita", "rosa", "rolf", "ruth"]
SERVE = "import sys; from noisylabels.cli import main; main(sys.argv[1:])"


def free_port():
    """A port below those that the system gives away by itself: it stays free while a killed server is started again."""
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Server:
    """`noisylabels annotate PROJECT` as a process that can be killed and started again on its port."""

    def __init__(self, project, *, limit_bytes=None):
        self.port = free_port()
        self.limit_bytes = limit_bytes
        self.words = [sys.executable, "-c", SERVE, "annotate", str(project), "--port", str(self.port)]

    def start(self):
        self.process = subprocess.Popen(
            self.words, stdout=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=self._limit
        )
        assert re.match(r"Open http://127\.0\.0\.1:\d+/\?token=", self.process.stdout.readline())

    @contextlib.contextmanager
    def running(self):
        """Start it, and whatever happens leave none behind."""
        self.start()
        try:
            yield
        finally:
            self.kill()

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def _limit(self):
        if self.limit_bytes is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit_bytes, self.limit_bytes))


class Page:
    """What a page does: keep an action until it is acknowledged, and try again with the same key."""

    def __init__(self, server, project, person):
        self.origin = f"http://127.0.0.1:{server.port}"
        self.client = httpx.Client(base_url=self.origin, headers={"Origin": self.origin}, timeout=60)
        with Project(project) as opened:
            self.token = invite(opened, person_of(opened, person))
        self.stop = threading.Event()

    def enter(self, *, patience_s=60.0):
        """Follow the invitation; a server that has just been started may not listen yet."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return self.client.post("/enter", data={"token": self.token}).status_code
            except httpx.ConnectError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def until_answered(self, method, path, **options):
        while not self.stop.is_set():
            try:
                answer = self.client.request(method, path, **options)
            except httpx.TransportError:
                time.sleep(0.005)
                continue
            return answer
        return None

    def post(self, path, **content):
        return self.until_answered("POST", path, json={"key": key(), **content})


def paint_all_day(page, acknowledged):
    """Paint stroke after stroke; note what the server said it has."""
    rng = np.random.default_rng(0)
    task = page.post("/api/tasks/next").json()["task"]
    parent, label_map = task["revision"], np.zeros((ROWS, COLUMNS), np.uint8)
    while not page.stop.is_set():
        label_map = label_map.copy()
        label_map[rng.integers(ROWS), rng.integers(COLUMNS)] = rng.integers(3)
        stroke = pack_stroke(label_map, parent, active_ms=10)
        answer = page.until_answered("POST", f"/api/tasks/{task['task']}/revisions", **stroke)
        if answer is None:
            return
        assert answer.status_code == 201, answer.text
        parent = answer.json()["revision"]
        acknowledged.append((parent, hash_of(label_map)))


def rate_all_day(page, acknowledged):
    """Score trial after trial, then all of them again with a changed mind."""
    trials = [trial["trial"] for trial in page.until_answered("GET", "/api/rating").json()["trials"]]
    rng = np.random.default_rng(1)
    while not page.stop.is_set():
        for trial in trials:
            left, right = (int(value) for value in rng.integers(1, 11, 2))
            answer = page.post(f"/api/rating/trials/{trial}/scores", left=left, right=right, active_ms=1)
            if answer is None:
                return
            assert answer.status_code == 201, answer.text
            acknowledged.append((trial, left, right))


def at_work(server, path, *work):
    """Start a thread for each (person, what they do, list of what was acknowledged)."""
    pages = [Page(server, path, person) for person, _, _ in work]
    for page in pages:
        assert page.enter() == 303
    threads = [
        threading.Thread(target=do, args=(page, acknowledged))
        for page, (_, do, acknowledged) in zip(pages, work, strict=True)
    ]
    for thread in threads:
        thread.start()
    return pages, threads


def kill_and_start(server, acknowledged):
    """Kill the server at any moment, but only after it acknowledged something to everybody since the last time."""
    rng = np.random.default_rng(2)
    for _ in range(N_KILLS):
        before, given_up = [len(actions) for actions in acknowledged], time.monotonic() + 30
        while any(len(actions) == n for actions, n in zip(acknowledged, before, strict=True)):
            assert time.monotonic() < given_up, "a page has stopped working"
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 0.03)))
        server.kill()
        server.start()


@pytest.mark.slow
def test_no_acknowledged_stroke_or_score_is_lost_in_twenty_kills(tmp_path):
    path = tmp_path / "screen.desk"
    with make_project(tmp_path, 9) as project:
        add_person(project, "anna", "annotator")
        create_study(project, RATERS, StudySettings(n_images=6, n_subsets=2, n_training=1))
    server, strokes, scores = Server(path), [], {name: [] for name in RATERS}
    with server.running():
        raters = [(name, rate_all_day, acknowledged) for name, acknowledged in scores.items()]
        pages, threads = at_work(server, path, ("anna", paint_all_day, strokes), *raters)
        try:
            kill_and_start(server, [strokes, *scores.values()])
        finally:
            for page in pages:
                page.stop.set()
            for thread in threads:
                thread.join()
            for page in pages:
                page.client.close()
    assert len(strokes) >= N_KILLS
    check_strokes(path, strokes)
    for name in RATERS:
        assert len(scores[name]) >= N_KILLS
        check_scores(path, name, scores[name])


def check_strokes(path, strokes):
    with Project(path) as project:
        assert project.value("PRAGMA integrity_check") == "ok"
        saved = {row["id"]: row for row in project.rows("SELECT * FROM revision")}
        for revision, digest in strokes:
            assert saved[revision]["sha256"] == digest
        for row in saved.values():
            assert hash_of(unpack(row["label_map"], ROWS, COLUMNS)) == row["sha256"]
        # Each stroke was painted on the one acknowledged before: nothing twice, no conflict, none between.
        assert [saved[revision]["parent"] for revision, _ in strokes[1:]] == [revision for revision, _ in strokes[:-1]]


def check_scores(path, name, scores):
    with Project(path) as project:
        rows = project.rows(
            "SELECT token, left_score, right_score FROM score JOIN trial ON trial.id = trial WHERE person = ? "
            "ORDER BY score.id",
            person_of(project, name).id,
        )
        saved = [tuple(row) for row in rows]
        assert saved[: len(scores)] == scores
        assert len(saved) - len(scores) in (0, 1)  # one may have been committed whose answer died with the server


def test_a_file_that_cannot_grow_loses_nothing_and_the_server_stays(tmp_path):
    """A limit of the file size stands for a full disk; the server must say that it did not save, and serve on."""
    path = tmp_path / "screen.desk"
    make_project(tmp_path, 6).close()
    server, strokes, refusals = Server(path, limit_bytes=600_000), [], []

    def paint_until_refused(page, acknowledged):
        try:
            paint_all_day(page, acknowledged)
        except AssertionError as refusal:
            refusals.append(str(refusal).splitlines()[0])

    with server.running():
        (page,), (thread,) = at_work(server, path, ("owner", paint_until_refused, strokes))
        thread.join(timeout=30)
        assert not thread.is_alive()
        assert page.client.get("/api/queue").json()["n_open"] == 1
        page.client.close()
    assert refusals == ['{"error":"screen.desk cannot be written now (disk I/O error): this was not saved."}']
    assert len(strokes) > 10
    check_strokes(path, strokes)


def test_a_server_on_a_port_that_is_taken_says_so(tmp_path):
    make_project(tmp_path, 1).close()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        words = [sys.executable, "-c", SERVE, "annotate", str(tmp_path / "screen.desk"), "--port", str(port)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    said = f"noisylabels: Port {port} of 127.0.0.1 must be free, but Address already in use. Choose another: --port.\n"
    assert done.stderr == said

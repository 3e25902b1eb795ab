"""The routes, as API.md promises them."""

import hashlib
import zlib

import numpy as np
import pytest

from noisylabels.annotation.cookies import invite
from noisylabels.annotation.queue import QueueSettings, change_queue
from noisylabels.annotation.revisions import hash_of
from noisylabels.annotation.server import Address, create_app
from noisylabels.annotation.users import add_person, owner_of
from tests.annotation.desks import COLUMNS, ORIGIN, ROWS, Browser, Client, key, make_project, open_desk, paint, refused


@pytest.fixture
def desk(tmp_path):
    project, app, browser = open_desk(tmp_path)
    with project:
        yield project, app, browser


def begin(browser):
    task = browser.post("/api/tasks/next").json()["task"]
    return task["task"], task["revision"], browser.labels(task["task"])


def test_the_session_tells_a_corrector_all_and_a_rater_no_method(desk):
    project, app, browser = desk
    about = browser.get("/api/session").json()
    assert about == {
        "person": "owner",
        "role": "owner",
        "pages": ["correct"],
        "classes": ["background", "phagophore", "autolysosome"],
        "channels": ["DsRed", "pHluorin"],
        "pixel_size_um": 0.2152,
        "idle_ms": 30000,
        "ignore": 255,
        "bundles": [],
        "starts": ["cdl", "cip", "blank"],
        "strategies": {
            "order": True,
            "uncertainty": False,
            "disagreement": False,
            "label_issue": False,
            "random": True,
        },
    }
    rater = Browser(app, project, add_person(project, "rita", "rater", "1")).get("/api/session").json()
    assert rater["pages"] == ["rate"]
    assert not {"bundles", "starts", "strategies"} & set(rater)


def test_a_task_and_its_image_and_labels_arrive_as_promised(desk):
    project, _, browser = desk
    change_queue(project, owner_of(project), QueueSettings(start="cip", random_share=0))
    task = browser.post("/api/tasks/next").json()["task"]
    expected = {"number": 1, "name": None, "state": "open", "rows": ROWS, "columns": COLUMNS, "problem": None}
    expected |= {"channels": ["DsRed", "pHluorin"], "can_undo": False, "can_redo": False, "active_ms": 0}
    expected |= {"person": "owner", "mine": True, "comment": "", "plate": "dataset"}
    assert expected.items() <= task.items()
    assert set(task) == set(expected) | {"task", "contrast", "revision", "sha256"}
    from noisylabels.data.images import read_image, read_label_map

    image = browser.get(f"/api/tasks/{task['task']}/image")
    assert image.headers["content-type"] == "application/octet-stream"
    planes = np.frombuffer(image.content, "<u2").reshape(2, ROWS, COLUMNS)
    folder = project.setting("dataset")
    assert np.array_equal(planes, read_image(f"{folder}/images/B01_f1.ome.tif"))
    labels = browser.get(f"/api/tasks/{task['task']}/labels")
    assert np.array_equal(browser.labels(task["task"]), read_label_map(f"{folder}/labels/cip/B01_f1.tif"))
    assert labels.headers["x-sha256"] == task["sha256"] == hash_of(browser.labels(task["task"]))
    assert labels.headers["x-revision"] == str(task["revision"])
    for low, high in task["contrast"]:
        assert np.isfinite([low, high]).all()
        assert low < high


def test_strokes_undo_redo_and_close_over_http(desk):
    _, _, browser = desk
    token, root, blank = begin(browser)
    painted = paint(blank, 2, 5, 5)
    saved = browser.stroke(token, painted, root)
    assert saved.status_code == 201
    head = saved.json()
    assert head == {"revision": head["revision"], "sha256": hash_of(painted), "can_undo": True, "can_redo": False}
    assert np.array_equal(browser.labels(token), painted)
    undone = browser.post(f"/api/tasks/{token}/undo", revision=head["revision"], active_ms=300).json()
    assert undone == {"revision": root, "sha256": hash_of(blank), "can_undo": False, "can_redo": True}
    assert browser.post(f"/api/tasks/{token}/undo", revision=root).status_code == 409
    assert browser.post(f"/api/tasks/{token}/redo", revision=root).json() == head
    listed = browser.get(f"/api/tasks/{token}/revisions").json()["revisions"]
    assert [(row["revision"], row["parent"], row["tool"]) for row in listed] == [
        (root, None, "start"),
        (head["revision"], root, "brush"),
    ]
    closed = browser.post(f"/api/tasks/{token}/close", state="accepted", revision=head["revision"], active_ms=100)
    assert closed.json()["state"] == "accepted"
    assert closed.json()["active_ms"] == 700 + 300 + 100
    assert browser.get("/api/tasks").json() == {
        "tasks": [{"task": token, "number": 1, "state": "accepted", "name": None}]
    }
    queue = browser.get("/api/queue").json()
    assert {"n_fields": 6, "n_open": 0, "n_accepted": 1, "n_skipped": 0, "n_cannot_judge": 0}.items() <= queue.items()
    assert queue["next"].startswith("Correct fields of 3 wells or more (1 so far)")


def test_the_second_of_two_tabs_is_told_and_loses_nothing(desk):
    _, _, browser = desk
    token, root, blank = begin(browser)
    first = browser.stroke(token, paint(blank, 1), root).json()
    second = browser.stroke(token, paint(blank, 2), root)
    assert second.status_code == 409
    answer = second.json()
    assert (answer["revision"], answer["sha256"]) == (first["revision"], first["sha256"])
    assert np.array_equal(browser.labels(token, answer["kept"]), paint(blank, 2))
    adopted = browser.post(f"/api/tasks/{token}/adopt", revision=first["revision"], adopt=answer["kept"])
    assert adopted.json()["revision"] == answer["kept"]


def test_a_retried_stroke_gets_the_first_answer(desk):
    project, _, browser = desk
    token, root, blank = begin(browser)
    again = {"Idempotency-Key": "one-and-the-same"}
    answers = [browser.stroke(token, paint(blank), root, **again) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert project.value("SELECT count(*) FROM revision") == 2
    other = browser.request("POST", f"/api/tasks/{token}/undo", json={"key": "one-and-the-same", "revision": 2})
    assert other.status_code == 409


def test_the_owner_opens_fields_by_name_and_changes_the_queue(desk):
    _, _, browser = desk
    task = browser.post("/api/tasks", field="B04_f1").json()["task"]
    assert task["name"] == "B04_f1"
    states = {row["name"]: row["state"] for row in browser.get("/api/fields").json()["fields"]}
    assert states == {f"B0{n}_f1": ("open" if n == 4 else None) for n in range(1, 7)}
    wanted = {"strategy": "random", "start": "cip", "random_share": 0.5, "repeat_share": 0}
    assert wanted.items() <= browser.put("/api/queue", **wanted).json().items()
    refusal = browser.put("/api/queue", **wanted | {"strategy": "uncertainty"})
    assert refusal.status_code == 400
    assert refusal.json()["error"].startswith("Strategy 'uncertainty' must have scores, got none.")


def test_an_unreadable_image_is_said_and_can_be_skipped(desk):
    project, _, browser = desk
    change_queue(project, owner_of(project), QueueSettings(random_share=0))
    from pathlib import Path

    image = Path(project.setting("dataset")) / "images/B01_f1.ome.tif"
    image.write_bytes(image.read_bytes()[:100])
    task = browser.post("/api/tasks/next").json()["task"]
    size = "The image of this field (12 x 16 pixels)"
    assert task["problem"] == f"{size} is another than when the project was made. Skip it and tell the owner."
    from noisylabels.data.hashes import hash_file

    with project.writing() as connection:
        connection.execute("UPDATE field SET image_sha256 = ?", (hash_file(image),))
    task = browser.get(f"/api/tasks/{task['task']}").json()
    assert task["problem"] == f"{size} cannot be read. Skip it and tell the owner."
    assert task["contrast"] == [[0.0, 1.0]] * 2
    assert browser.get(f"/api/tasks/{task['task']}/image").status_code == 422
    skipped = browser.post(f"/api/tasks/{task['task']}/close", state="skipped", revision=task["revision"])
    assert skipped.json()["state"] == "skipped"


def test_boxes_over_http(tmp_path):
    from noisylabels.annotation.boxes import assign_boxes

    project = make_project(tmp_path)
    assign_boxes(project, [["ella"], ["emil"]], ["B01_f1", "B02_f1"])
    app = create_app(project, Address(), dist=tmp_path)
    from noisylabels.annotation.users import person_of

    browser = Browser(app, project, person_of(project, "ella"))
    assert browser.landing.headers["location"] == "/boxes"
    listed = browser.get("/api/boxes").json()
    assert listed["minimum_side_px"] == 3
    assert [task["number"] for task in listed["tasks"]] == [1, 2]
    url = f"/api/boxes/{listed['tasks'][0]['task']}"
    edges = {"class_index": 1, "row_min": 0, "column_min": 2, "row_max": 5, "column_max": 9}
    assert browser.put(f"{url}/box-number-1", **edges, active_ms=5).json() == {"box": "box-number-1", **edges}
    changed = edges | {"class_index": 2}
    browser.put(f"{url}/box-number-1", **changed)
    browser.put(f"{url}/box-number-2", **edges)
    delete = {"Idempotency-Key": key(), "X-Active-Ms": "9"}
    assert browser.request("DELETE", f"{url}/box-number-2", headers=delete).json() == {"box": "box-number-2"}
    task = browser.get(url).json()
    assert task["boxes"] == [{"box": "box-number-1", **changed}]
    assert (task["rows"], task["columns"], task["n_boxes"], task["problem"]) == (ROWS, COLUMNS, 1, None)
    assert len(browser.get(f"{url}/image").content) == 2 * 2 * ROWS * COLUMNS
    assert browser.post(f"{url}/close", state="done").json()["state"] == "done"
    for wrong, status in [({"row_max": 2}, 400), ({"column_max": 17}, 400), ({"class_index": 0}, 400), ({}, 200)]:
        assert browser.put(f"{url}/box-number-3", **edges | wrong).status_code == status
    stranger = Browser(app, project, person_of(project, "emil"))
    assert stranger.get(url).status_code == 404
    project.close()


ROLES = {
    "annotator": {"/api/tasks": 200, "/api/queue": 200, "/api/fields": 403, "/api/boxes": 403, "/api/rating": 403},
    "expert": {"/api/tasks": 403, "/api/queue": 403, "/api/fields": 403, "/api/boxes": 200, "/api/rating": 403},
    "rater": {"/api/tasks": 403, "/api/queue": 403, "/api/fields": 403, "/api/boxes": 403, "/api/rating": 200},
}


@pytest.mark.parametrize("role", ROLES)
def test_everybody_reaches_their_own_routes_only(tmp_path, role):
    project, _, browser = open_desk(tmp_path, role=role)
    with project:
        assert {path: browser.get(path).status_code for path in ROLES[role]} == ROLES[role]
        assert browser.get("/api/session").status_code == 200
        assert browser.get("/api/jobs").status_code == (200 if role == "annotator" else 403)


def test_a_link_works_once_and_a_cookie_outlives_the_server(desk, tmp_path):
    project, app, _ = desk
    token = invite(project, owner_of(project))
    first, second = Client(app), Client(app)
    for method in ("HEAD", "GET", "GET"):  # mail programs that look ahead spend nothing
        looked = Client(app).request(method, f"/?token={token}")
        assert looked.status_code == (401 if method == "HEAD" else 200)
        assert "set-cookie" not in looked.headers
    assert '<button id="enter">Enter as owner</button>' in looked.text
    assert project.value("SELECT spent FROM link WHERE hash = ?", hashlib.sha256(token.encode()).hexdigest()) is None
    entered = first.enter(token)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    for word in ("desk_8765=", "HttpOnly", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Secure" not in cookie  # plain HTTP on this machine; behind HTTPS it is
    assert second.request("GET", f"/?token={token}").status_code == second.enter(token).status_code == 401
    assert first.request("GET", "/api/session").status_code == 200
    first.app = create_app(project, Address(), dist=tmp_path)
    assert first.request("GET", "/api/session").status_code == 200
    stored = project.rows("SELECT hash FROM link") + project.rows("SELECT hash FROM cookie")
    assert token not in [row["hash"] for row in stored]


def test_a_chosen_token_does_not_wear_out(tmp_path):
    with make_project(tmp_path) as project:
        app = create_app(project, Address("0.0.0.0", 8765, "a-long-enough-secret"), dist=tmp_path)
        for _ in range(2):
            assert Client(app).enter("a-long-enough-secret").status_code == 303
        assert Client(app).enter("a-long-enough-secreT").status_code == 401


def test_other_addresses_need_a_token():
    with refused("host must be 127.0.0.1 unless there is a token, got 0.0.0.0."):
        Address("0.0.0.0")
    with refused("A token must have at least 16 ASCII characters, got 5."):
        Address("0.0.0.0", 8765, "short")
    assert Address("0.0.0.0", 8765, "x" * 16).hosts() == frozenset()
    assert Address().url("T") == f"{ORIGIN}/?token=T"
    assert Address("::1").url("T") == "http://[::1]:8765/?token=T"


def test_built_pages_are_served_and_nothing_beside_them(tmp_path):
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    for name in ("index.html", "correct.html", "assets/raster-abc.js"):
        (dist / name).write_text(f"this is {name}")
    (tmp_path / "secret.txt").write_text("secret")
    project, _, browser = open_desk(tmp_path, dist=dist)
    with project:
        for path, text in {
            "/": "index.html",
            "/correct": "correct.html",
            "/assets/raster-abc.js": "assets/raster-abc.js",
        }.items():
            assert browser.get(path).text == f"this is {text}"
        assert browser.get("/assets/raster-abc.js").headers["cache-control"] == "max-age=31536000, immutable"
        assert browser.get("/assets/raster-abc.js").headers["content-type"].startswith("text/javascript")
        assert browser.get("/correct").headers["cache-control"] == "no-store"
        assert browser.get("/rate").status_code == 404


def test_pages_that_were_not_built_say_how(desk):
    _, _, browser = desk
    answer = browser.get("/")
    assert answer.status_code == 503
    assert answer.text == "The pages must be built once, got none. In annotation/web: npm ci && npm run build."


def test_a_full_disk_is_told_with_507_and_the_retry_succeeds(desk):
    project, _, browser = desk
    token, root, blank = begin(browser)
    project.rows(f"PRAGMA max_page_count = {project.value('PRAGMA page_count')}")
    noise = np.random.default_rng(0).integers(0, 3, blank.shape).astype(np.uint8)
    again = {"Idempotency-Key": "one-and-the-same"}
    answers = [browser.stroke(token, noise, root, **again)]
    while answers[-1].status_code == 201:
        root = answers[-1].json()["revision"]
        again = {"Idempotency-Key": key()}
        answers.append(browser.stroke(token, noise, root, **again))
    assert answers[-1].status_code == 507
    assert answers[-1].json() == {"error": "The disk is full: this was not saved. Free some space; it is tried again."}
    project.rows("PRAGMA max_page_count = 100000")
    assert browser.stroke(token, noise, root, **again).status_code == 201


def test_a_deflated_stream_of_another_size_is_refused(desk):
    _, _, browser = desk
    token, root, blank = begin(browser)
    headers = {"Content-Type": "application/octet-stream", "If-Match": str(root), "Idempotency-Key": key()}
    for body in (b"", b"junk", zlib.compress(b"\0" * 10), zlib.compress(bytes(10_000_000))):
        answer = browser.request("POST", f"/api/tasks/{token}/revisions", content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("A label map must")
    assert browser.stroke(token, blank, root, **{"X-Sha256": "0" * 64}).status_code == 400
    assert browser.stroke(token, np.full_like(blank, 3), root).status_code == 400
    assert browser.labels(token).sum() == 0

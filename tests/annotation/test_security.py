"""Strangers at the door, and bodies that no page would send."""

import json
import re
import string
import zlib
from urllib.parse import quote

import numpy as np
import pytest

from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.boxes import assign_boxes
from noisylabels.annotation.ratings import create_study
from noisylabels.annotation.revisions import hash_of
from noisylabels.annotation.routes import schemas
from noisylabels.annotation.server import Address, create_app
from noisylabels.annotation.users import owner_of, person_of
from tests.annotation.desks import ORIGIN, Browser, Client, key, make_project, open_desk

READ = [
    *("/", "/correct", "/boxes", "/rate", "/api/session", "/api/queue", "/api/fields", "/api/tasks", "/api/tasks/x"),
    *("/api/tasks/x/image", "/api/tasks/x/labels", "/api/tasks/x/revisions", "/api/jobs", "/api/jobs/x"),
    *(
        "/api/fields/x/thumbnail",
        "/api/fields/x/tasks",
        "/api/tasks/x/ghosts",
        "/api/tasks/x/outlines",
        "/api/tasks/x/ghost",
        "/api/people",
        "/api/networks",
    ),
    *("/api/jobs/x/log", "/api/boxes", "/api/boxes/x", "/api/boxes/x/image", "/api/rating", "/api/rating/trials/x"),
    "/api/rating/trials/x/media",
]
WRITE = [
    *(
        ("POST", f"/api/tasks{path}")
        for path in ("", "/next", "/x/revisions", "/x/undo", "/x/redo", "/x/adopt", "/x/close")
    ),
    *(
        ("POST", path)
        for path in (
            "/api/tasks/x/predict",
            "/api/jobs/retrain",
            "/api/jobs/x/cancel",
            "/api/jobs/x/replace",
            "/api/networks",
        )
    ),
    *(("POST", path) for path in ("/api/tasks/x/return", "/api/tasks/x/release", "/api/tasks/x/outlines")),
    *(("POST", path) for path in ("/api/jobs/x/replace", "/api/jobs/curve", "/api/networks")),
    *(("POST", path) for path in ("/api/people/invite", "/api/people/revoke")),
    *(("POST", path) for path in ("/api/boxes/x/close", "/api/rating/trials/x/scores", "/api/rating/trials/x/close")),
    *(("PUT", "/api/queue"), ("PUT", "/api/boxes/x/y"), ("DELETE", "/api/boxes/x/y")),
]


@pytest.fixture
def desk(tmp_path):
    project, app, browser = open_desk(tmp_path)
    with project:
        yield project, app, browser


def test_the_lists_above_are_all_routes(desk):
    _, app, _ = desk
    routes = {(method, route.path) for route in app.routes for method in route.methods}
    named = {("GET", path) for path in READ} | set(WRITE)
    shapes = {(method, re.sub(r"\{\w+\}", "x", path).replace("x/x", "x/y")) for method, path in routes}
    assert shapes == named | {("HEAD", path) for path in READ}


def test_without_a_cookie_nothing_is_answered(desk):
    _, app, _ = desk
    for method, path in [("GET", path) for path in READ] + WRITE:
        for cookie in ("", "desk_8765=", "desk_8765=guess", "desk_8765=" + "x" * 4000, "=;;=;desk_8765"):
            answer = Client(app, {"Origin": ORIGIN, "Cookie": cookie}).request(method, path)
            assert answer.status_code == 401, (method, path, cookie)


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://evil.example", "http://127.0.0.1", "https://127.0.0.1:8765", f"{ORIGIN}.evil"]
)
def test_changes_from_another_page_are_refused(desk, origin):
    project, _, browser = desk
    browser.headers = {} if origin is None else {"Origin": origin}
    for method, path in WRITE:
        answer = browser.request(method, path, json={"key": key()})
        assert answer.status_code == 403, (method, path)
        assert answer.json() == {"error": "A change must come from the desk's own pages, got another origin."}
    assert project.value("SELECT count(*) FROM task") == 0


def test_a_name_that_was_rebound_to_this_machine_is_refused(desk):
    _, _, browser = desk
    for host in (
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.",
        "[::2]:8765",
        ":8765",
        "",
    ):
        answer = browser.request("GET", "/api/session", headers={"Host": host})
        assert answer.status_code == 421, host
    for host in ("127.0.0.1", "127.0.0.1:9000", "localhost:8765", "LOCALHOST", "[::1]:80"):  # tunnels to other ports
        assert browser.request("GET", "/api/session", headers={"Host": host}).status_code == 200, host


def test_every_answer_carries_the_policy(desk):
    _, app, browser = desk
    answers = [browser.get("/api/session"), browser.get("/api/tasks/x"), browser.get("/"), browser.landing]
    answers += [Client(app).request("GET", "/api/session"), browser.request("PATCH", "/api/queue")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_no_path_reaches_the_file_system(tmp_path):
    (tmp_path / "secret.txt").write_text("the secret")
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("page")
    project, _, browser = open_desk(tmp_path, dist=dist)
    names = [
        "../secret.txt",
        "../../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "....//secret.txt",
        "..\\secret.txt",
    ]
    names += [str(tmp_path / "secret.txt"), "%00", "../screen.desk", "dataset/dataset.json", "file:///etc/passwd"]
    bases = ["/", "/assets/", "/api/tasks/", "/api/jobs/", "/api/boxes/", "/api/rating/trials/"]
    with project:
        for path in [
            f"{base}{name}{tail}" for base in bases for name in names for tail in ("", "/image", "/log", "/labels")
        ]:
            answer = browser.get(path)
            assert answer.status_code in (403, 404, 405), path
            assert b"the secret" not in answer.content
            assert b"root:" not in answer.content
        refusal = browser.post("/api/tasks", field="../../secret.txt")
        assert refusal.status_code == 400


def test_oversized_bodies_are_refused_without_being_kept(desk):
    _, _, browser = desk
    task = browser.post("/api/tasks/next").json()["task"]["task"]
    big = browser.request("POST", "/api/tasks/next", json={"key": key(), "pad": "x" * 70_000})
    assert big.status_code == 413
    binary = {"Content-Type": "application/octet-stream", "If-Match": "1", "Idempotency-Key": key()}
    url = f"/api/tasks/{task}/revisions"
    assert browser.request("POST", url, content=b"x" * 70_000, headers=binary).status_code == 413

    sent = []

    async def pieces():
        for _ in range(1000):
            sent.append(1000)
            yield b"x" * 1000

    streamed = browser.request("POST", url, content=pieces(), headers=binary)  # no Content-Length to judge by
    assert streamed.status_code == 413
    assert sum(sent) < 70_000  # the rest was not even taken
    lying = browser.request("POST", url, content=b"x", headers=binary | {"Content-Length": "99999999999"})
    assert lying.status_code == 413


MALFORMED = [
    *(
        b"",
        b"{",
        b"[]",
        b"null",
        b'"key"',
        b"\xff\xfe",
        b'{"key": "\xff"}',
        b"[" * 60_000,
        b'{"key": NaN}',
        b"1" * 5000,
    ),
    *(b'{"key": "abcdefgh", "key": "abcdefgh", "more": 1}', b'{"key": 1}', b'{"key": null}', b'{"key": "short"}'),
    *(b'{"key": "' + b"x" * 65 + b'"}', b'{"key": "abcdefgh\\u0000"}', b'{"key": "abcd\\ud800fgh"}', b'{"key": true}'),
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_bodies_are_refused(desk, body):
    project, _, browser = desk
    answer = browser.request("POST", "/api/tasks/next", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert re.fullmatch(r".+, got .+\. .+\.", answer.json()["error"], re.DOTALL)
    assert project.value("SELECT count(*) FROM task") == 0


def test_other_content_types_are_refused(desk):
    _, _, browser = desk
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = browser.request("POST", "/api/tasks/next", content=b"key=abcdefgh", headers={"Content-Type": kind})
        assert answer.status_code == 415, kind


def test_a_comment_may_hold_anything_but_half_a_character(desk):
    project, _, browser = desk
    task = browser.post("/api/tasks/next").json()["task"]
    comment = "'; DROP TABLE task; -- <script>\n\t\N{MICROSCOPE} \u202e"
    url = f"/api/tasks/{task['task']}/close"
    assert browser.post(url, state="skipped", revision=task["revision"], comment=comment).status_code == 200
    assert project.value("SELECT comment FROM closing") == comment
    body = b'{"key": "abcdefgh", "state": "skipped", "revision": 1, "comment": "\\ud800"}'
    half = browser.request("POST", url, content=body, headers={"Content-Type": "application/json"})
    assert half.status_code == 400
    assert half.json()["error"] == "A text must be Unicode, got half a character. Type it again."


def values(rng, tokens):
    """Draw what a fuzzer would put into a field."""
    text = "".join(rng.choice([*string.printable, "\x00", "é", "𝄞"], rng.integers(0, 40)))
    pool = [None, True, 0, 1, -1, 2**53, 2**70, -(2**63), 1e308, 0.5, "", text, text * 50, "abcdefgh", key(), [], {}]
    pool += [
        [1, 2, 3, 4],
        [0, 0, 5, 5],
        [[]],
        {"a": 1},
        "accepted",
        "skipped",
        "done",
        "order",
        "cip",
        "cdl",
        "blank",
        *tokens,
    ]
    return pool[rng.integers(len(pool))]


PLAUSIBLE = {
    "key": lambda rng: key(),
    "name": lambda rng: str(rng.choice(["zoë", "anna"])),
    "field": lambda rng: f"B0{rng.integers(1, 8)}_f1",
    "state": lambda rng: str(rng.choice(["accepted", "skipped", "cannot_judge", "done", "open"])),
    "strategy": lambda rng: str(rng.choice(["order", "random", "uncertainty"])),
    "start": lambda rng: str(rng.choice(["cip", "cdl", "blank"])),
    "random_share": lambda rng: 0.1,  # fixed once a field was handed out
    "repeat_share": lambda rng: float(rng.random()),
    "bundle": lambda rng: "cdl",
    "region": lambda rng: [int(edge) for edge in rng.integers(0, 17, 4)],
    "comment": lambda rng: "unclear",
    "class_index": lambda rng: int(rng.integers(3)),
    "row_min": lambda rng: int(rng.integers(4)),
    "column_min": lambda rng: int(rng.integers(4)),
    "row_max": lambda rng: int(rng.integers(5, 14)),
    "column_max": lambda rng: int(rng.integers(5, 18)),
}
SCHEMAS = {
    ("POST", "/api/tasks"): schemas.OpenSchema,
    ("POST", "/api/tasks/next"): schemas.NextSchema,
    ("POST", "/api/tasks/x/return"): schemas.ReturnSchema,
    ("POST", "/api/jobs/retrain"): schemas.BundleSchema,
    ("POST", "/api/jobs/curve"): schemas.BundleSchema,
    ("POST", "/api/jobs/x/replace"): schemas.ReplaceSchema,
    ("POST", "/api/networks"): schemas.UseSchema,
    ("POST", "/api/people/invite"): schemas.PersonSchema,
    ("POST", "/api/people/revoke"): schemas.PersonSchema,
    ("POST", "/api/tasks/x/undo"): schemas.StepSchema,
    ("POST", "/api/tasks/x/redo"): schemas.StepSchema,
    ("POST", "/api/tasks/x/adopt"): schemas.AdoptSchema,
    ("POST", "/api/tasks/x/close"): schemas.CloseSchema,
    ("POST", "/api/tasks/x/predict"): schemas.PredictSchema,
    ("POST", "/api/boxes/x/close"): schemas.BoxCloseSchema,
    ("POST", "/api/rating/trials/x/scores"): schemas.ScoreSchema,
    ("POST", "/api/rating/trials/x/close"): schemas.TrialCloseSchema,
    ("PUT", "/api/queue"): schemas.QueueSchema,
    ("PUT", "/api/boxes/x/y"): schemas.BoxSchema,
}


def draw_content(rng, method, path, tokens):
    """Fill the body of a route: mostly with what it wants, now and then with anything."""
    names = list(SCHEMAS.get((method, path), schemas.Keyed).model_fields)
    content = {
        name: values(rng, tokens) if rng.random() < 0.1 else PLAUSIBLE.get(name, lambda rng: int(rng.integers(17)))(rng)
        for name in names
        if rng.random() < 0.97
    }
    return content | ({"more": values(rng, tokens)} if rng.random() < 0.05 else {})


def draw_stroke(rng):
    """Paint on one of the first revisions, now and then with a header or a body that is none."""
    label_map = rng.integers(0, 3 + (rng.random() < 0.1), (12, 16)).astype(np.uint8)
    body = zlib.compress(label_map.tobytes()) if rng.random() < 0.9 else rng.bytes(int(rng.integers(99)))
    headers = {"If-Match": str(rng.integers(1, 4)), "X-Tool": "brush", "X-Active-Ms": "5"}
    headers["X-Sha256"] = hash_of(label_map)
    headers |= {name: header(values(rng, [])) for name in headers if rng.random() < 0.05}
    return body, headers | {"Content-Type": "application/octet-stream"}


def fuzz(browser, rng, tokens, n_requests):
    """Send requests that are nearly right, and count the answers by status."""
    counts = {}
    routes = [*[("GET", path) for path in READ], *WRITE * 3]
    for _ in range(n_requests):
        method, shape = routes[rng.integers(len(routes))]
        names = [str(values(rng, tokens) if rng.random() < 0.1 else rng.choice(tokens)) for _ in range(2)]
        path = shape.replace("/x", f"/{quote(names[0], safe='')}").replace("/y", f"/{quote(names[1], safe='')}")
        if rng.random() < 0.2:
            path += f"?revision={quote(str(values(rng, tokens)))}&offset={quote(str(values(rng, tokens)))}"
        if shape.endswith("/revisions") and method == "POST":
            body, headers = draw_stroke(rng)
        else:
            body = json.dumps(draw_content(rng, method, shape, tokens)).encode()
            headers = {"Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key()} if rng.random() < 0.9 else {}
        answer = browser.request(method, path, content=body, headers=headers)
        assert answer.status_code < 500, (method, path, body, headers, answer.text)
        name = f"{method} {shape}"
        counts.setdefault(name, set()).add(answer.status_code)
    return counts


def header(value):
    """What a header can carry at all: bytes without control characters."""
    return str(value).translate(dict.fromkeys(range(32))).encode("latin-1", "replace")[:80].strip()


REACHED = {  # what each role must have done for real, or the fuzzer stayed at the door
    "owner": ["POST /api/tasks/x/revisions", "POST /api/tasks", "POST /api/tasks/next", "PUT /api/queue"],
    "ella": ["PUT /api/boxes/x/y", "DELETE /api/boxes/x/y", "POST /api/boxes/x/close"],
    "rita": ["POST /api/rating/trials/x/scores", "GET /api/rating/trials/x/media"],
}


@pytest.mark.parametrize("role", REACHED)
def test_a_fuzzer_finds_no_fault_of_the_server(tmp_path, role):
    project = make_project(tmp_path)
    dist = tmp_path / "dist"
    dist.mkdir()
    for name in ("index", "correct", "boxes", "rate"):
        (dist / f"{name}.html").write_text("page")
    assign_boxes(project, [["ella"]], ["B01_f1", "B02_f1"])
    create_study(project, ["rita"], StudySettings(n_images=4, n_subsets=1, n_training=1))
    app = create_app(project, Address(), dist=dist)
    browser = Browser(app, project, owner_of(project) if role == "owner" else person_of(project, role))
    if role == "owner":
        browser.post("/api/tasks/next")
    table = {"owner": "task", "ella": "box_task", "rita": "trial"}[role]
    rows = project.rows(f"SELECT token FROM {table}")
    counts = fuzz(browser, np.random.default_rng(len(role)), [row["token"] for row in rows] + ["a-box-name"], 1200)
    assert {200, 400, 404} <= set().union(*counts.values())
    for name in REACHED[role]:
        assert counts[name] & {200, 201, 202}, (name, counts[name])
    assert project.value("PRAGMA integrity_check") == "ok"
    project.close()

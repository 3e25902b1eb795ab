"""A small lab: a dataset folder of random fields, a project over it, and a browser without a screen."""

import asyncio
import re
import uuid
import zlib

import httpx
import numpy as np
import pytest

from noisylabels.annotation.cookies import invite
from noisylabels.annotation.fields import create_project
from noisylabels.annotation.project import Project
from noisylabels.annotation.revisions import hash_of
from noisylabels.annotation.server import Address, create_app
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import add_person, owner_of
from noisylabels.data.errors import InputError
from tests.datasets import write_fields

ROWS, COLUMNS = 12, 16
ORIGIN = "http://127.0.0.1:8765"


def make_dataset(folder, n_fields=6, *, methods=("cip", "cdl"), seed=0, size=(ROWS, COLUMNS)):
    rng = np.random.default_rng(seed)
    names = [f"B{number:02d}_f1" for number in range(1, n_fields + 1)]
    images, labels = [], {method: [] for method in methods}
    for _ in names:
        images.append(rng.integers(100, 4096, (2, *size)).astype(np.uint16))
        for method in methods:
            label_map = (rng.random(size) < 0.2) * rng.integers(1, 3, size)
            labels[method].append(label_map.astype(np.uint8))
    groups = [name.split("_")[0] for name in names]
    write_fields(folder, labels, ids=names, groups=groups, images=images, pixel_size_um=0.2152)
    return folder


def make_project(folder, n_fields=6, **options):
    make_dataset(folder / "dataset", n_fields)
    create_project(folder / "screen.desk", folder / "dataset", **options)
    return Project(folder / "screen.desk")


def owner_session(project):
    return Session(project, owner_of(project))


def paint(label_map, value=1, row=0, column=0):
    painted = label_map.copy()
    painted[row, column] = value
    return painted


def key():
    return uuid.uuid4().hex


class Client:
    """Speaks HTTP with an app in this process; what the app did not foresee is a 500."""

    def __init__(self, app, headers=()):
        self.app = app
        self.cookies = httpx.Cookies()
        self.headers = dict(headers)

    def enter(self, token, headers=()):
        """Press the button of the page that a link opens."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}
        return self.request("POST", "/enter", content=f"token={token}".encode(), headers={**kind, **dict(headers)})

    def request(self, method, path, *, headers=(), **options):
        async def ask():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=self.cookies) as client:
                answer = await client.request(method, path, headers={**self.headers, **dict(headers)}, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


def pack_stroke(label_map, parent, *, tool="brush", active_ms=700, **headers):
    """Make what a page sends of a stroke: the label map after it, and the revision that it was drawn on."""
    sent = {
        "Content-Type": "application/octet-stream",
        "If-Match": f'"{parent}"',
        "Idempotency-Key": key(),
        "X-Tool": tool,
        "X-Active-Ms": str(active_ms),
        "X-Sha256": hash_of(label_map),
    }
    return {"content": zlib.compress(label_map.tobytes()), "headers": {**sent, **headers}}


class Browser(Client):
    """Somebody's browser: keeps the cookie, sends the origin."""

    def __init__(self, app, project, person):
        super().__init__(app, {"Origin": ORIGIN})
        self.landing = self.enter(invite(project, person))
        assert self.landing.status_code == 303

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **content):
        return self.request("POST", path, json={"key": key(), **content})

    def put(self, path, **content):
        return self.request("PUT", path, json={"key": key(), **content})

    def stroke(self, task, label_map, parent, **headers):
        return self.request("POST", f"/api/tasks/{task}/revisions", **pack_stroke(label_map, parent, **headers))

    def labels(self, task, revision=None):
        query = "" if revision is None else f"?revision={revision}"
        answer = self.get(f"/api/tasks/{task}/labels{query}")
        assert answer.status_code == 200
        return np.frombuffer(answer.content, np.uint8).reshape(ROWS, COLUMNS)


def open_desk(folder, n_fields=6, *, role="owner", dist=None, **options):
    """Make a project and open it in the browser of somebody of a role."""
    project = make_project(folder, n_fields, **options)
    app = create_app(project, Address(), dist=dist or folder / "nothing built")
    person = owner_of(project) if role == "owner" else add_person(project, "anna", role)
    return project, app, Browser(app, project, person)


TOKEN = re.compile(r"token=([\w-]+)")


def refused(sentence, kind=InputError):
    """Expect an error whose message begins with a sentence."""
    return pytest.raises(kind, match=f"^{re.escape(sentence)}")

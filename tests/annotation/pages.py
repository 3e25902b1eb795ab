"""A desk in a real browser: a server in a thread, Chromium, and a person's mouse and keys."""

import contextlib
import hashlib
import shutil
import socket
import threading
import time

import numpy as np
import pytest
import uvicorn

from noisylabels.annotation.cookies import invite
from noisylabels.annotation.fields import create_project
from noisylabels.annotation.jobs import Jobs
from noisylabels.annotation.project import Project
from noisylabels.annotation.server import Address, create_app
from noisylabels.annotation.session import Session
from noisylabels.annotation.users import owner_of, person_of
from tests.annotation.desks import make_dataset

SIZE = (48, 64)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
VIEWPORT = {"width": 1300, "height": 820}


@contextlib.contextmanager
def playwright_chromium():
    """Yield a function that starts a browser; leave the test out, by name, where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("No Chromium here: the pages are not driven. Install it: apt-get install chromium.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield lambda: playwright.chromium.launch(executable_path=path, args=ARGS)


@contextlib.contextmanager
def chromium():
    """Start a browser."""
    with playwright_chromium() as launch:
        browser = launch()
        yield browser
        browser.close()


class Desk:
    """A project being served, and the way into it."""

    def __init__(self, path, *, port=0, command=None, public_url=None):
        self.path = path
        self.project = Project(path)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = create_app(self.project, Address(port=self.port, public_url=public_url))
        if command is not None:
            app.state.jobs = Jobs(self.project, dict.fromkeys(("cdl",), path.parent / "model.pt"), command=command)
        config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def stop(self):
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()
        self.project.close()

    def link(self, name=None):
        person = owner_of(self.project) if name is None else person_of(self.project, name)
        return f"/?token={invite(self.project, person)}"

    def session(self, name=None):
        return Session(self.project, owner_of(self.project) if name is None else person_of(self.project, name))


@contextlib.contextmanager
def served(folder, n_fields=3, *, size=SIZE, start="cip", command=None, **options):
    """Make a project of random fields and serve it."""
    from dataclasses import replace

    from noisylabels.annotation.queue import change_queue, queue_settings

    (folder / "model.pt").write_bytes(b"weights")
    make_dataset(folder / "dataset", n_fields, size=size)
    create_project(folder / "screen.desk", folder / "dataset", **options)
    with Project(folder / "screen.desk") as project:
        settings = replace(queue_settings(project), start=start, random_share=0.0, repeat_share=0.0)
        change_queue(project, owner_of(project), settings)
    desk = Desk(folder / "screen.desk", command=command)
    try:
        yield desk
    finally:
        desk.stop()


class Tab:
    """One tab of somebody's browser."""

    def __init__(self, context, address):
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.faults = []
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", lambda message: message.type == "error" and self.faults.append(message.text))
        self.open(address)

    def open(self, address):
        self.page.goto(address)
        if self.page.locator("button#enter").count():  # a link was opened: it asks before it is spent
            self.page.click("button#enter")
        self.ready()

    def ready(self):
        self.page.wait_for_selector("body[data-ready=yes]")

    def at(self, row, column):
        """Find the whole screen pixel nearest to an image point."""
        place = self.page.evaluate("([row, column]) => desk.locate(row, column)", [row, column])
        return round(place["x"]), round(place["y"])

    def point(self, x, y):
        """Tell which image point a screen pixel shows: the inverse of where the page says its corners are."""
        low, high = (self.page.evaluate("(k) => desk.locate(k, k)", k) for k in (0, 1))
        scale = high["x"] - low["x"]
        return (y - low["y"]) / scale, (x - low["x"]) / scale

    def press_at(self, row, column):
        self.page.mouse.move(*self.at(row, column))
        self.page.mouse.down()

    def move_to(self, *points, steps=3):
        for point in points:
            self.page.mouse.move(*self.at(*point), steps=steps)

    def lift(self):
        self.page.mouse.up()

    def drag(self, first, *others, steps=3):
        """Press, move through points, lift. Returns all image points that were asked for, as the screen has them."""
        self.press_at(*first)
        self.move_to(*others, steps=steps)
        self.lift()
        return [self.point(*self.at(*point)) for point in (first, *others)]

    def drag_fast(self, path):
        """Drag through many points; where the image lies is asked once."""
        (x, y), (x1, y1) = (
            (place["x"], place["y"]) for place in self.page.evaluate("[0, 1].map((k) => desk.locate(k, k))")
        )
        places = [(x + column * (x1 - x), y + row * (y1 - y)) for row, column in path]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()

    def click(self, *point):
        self.page.mouse.click(*self.at(*point))
        return self.point(*self.at(*point))

    def keys(self, *names):
        for name in names:
            self.page.keyboard.press(name)

    def text(self, selector):
        return self.page.inner_text(selector)

    def saved(self):
        """Wait until the page says that everything is on the server's disk."""
        self.page.wait_for_selector("#saved[data-waiting='0']")

    def until(self, holds):
        """Wait until something holds, ten seconds at most; the test then asserts it."""
        for _ in range(500):
            if holds():
                return
            self.page.wait_for_timeout(20)

    def shows(self, task):
        self.page.wait_for_selector(f"#stage[data-field='{task}']")

    def leaves(self, task):
        """Wait for another field than this one, or for the end."""
        self.page.wait_for_selector(f"#stage:not([data-field='{task}']):not([data-field=''])")

    def task(self):
        return self.page.get_attribute("#stage", "data-field")

    def hash(self):
        return self.page.evaluate("desk.hash()")

    def pixel(self, row, column):
        """Read the colour that the screen shows at an image point."""
        x, y = self.at(row, column)
        script = """([x, y]) => {
            const canvas = document.querySelector("#stage canvas");
            const corner = canvas.getBoundingClientRect();
            return [...canvas.getContext("2d").getImageData(x - corner.x, y - corner.y, 1, 1).data].slice(0, 3);
        }"""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return tuple(self.page.evaluate(script, [x, y]))


def correct(context, desk, name=None):
    """Let somebody in and open the correction page."""
    tab = Tab(context, desk.url + desk.link(name))
    tab.open(desk.url + "/correct")
    return tab


def hash_map(label_map):
    return hashlib.sha256(np.ascontiguousarray(label_map, np.uint8).tobytes()).hexdigest()


def agree(tab, session, task, expected):
    """Whether page, server's disk and definition have one label map."""
    tab.until(lambda: tab.hash() == hash_map(expected))
    tab.saved()
    on_disk = session.label_map(task)
    assert np.array_equal(on_disk, expected), np.argwhere(on_disk != expected)[:5]
    assert tab.hash() == session.head(task).sha256 == hash_map(expected)
    return on_disk


def centres(size=SIZE):
    rows, columns = np.indices(size)
    return rows + 0.5, columns + 0.5


def near_line(points, diameter, size=SIZE):
    """Mark pixels whose centre is within half a diameter of a line through points: many points of it, one by one."""
    rows, columns = centres(size)
    marked = np.zeros(size, bool)
    snapped = [np.floor(point) + 0.5 if diameter % 2 else np.round(point) for point in np.asarray(points)]
    for a, b in zip(snapped, snapped[1:] or snapped, strict=False):
        for t in np.linspace(0, 1, 2001):
            row, column = a + t * (b - a)
            marked |= (rows - row) ** 2 + (columns - column) ** 2 <= (diameter / 2) ** 2 + 1e-9
    return marked


def wound_around(points, size=SIZE):
    """Mark pixels whose centre a closed line winds around: the sum of the angles under which its sides are seen."""
    rows, columns = centres(size)
    corners = np.asarray(points)
    angle = np.zeros(size)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        turn = np.arctan2(b[0] - rows, b[1] - columns) - np.arctan2(a[0] - rows, a[1] - columns)
        angle += np.arctan2(np.sin(turn), np.cos(turn))
    return np.round(angle / (2 * np.pi)) != 0

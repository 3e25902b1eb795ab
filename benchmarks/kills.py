"""What is left of a desk's work when the server and the browser are killed, again and again, on all three pages.

    python -m benchmarks.kills [--kills 60] [--seed 0]

A server process (`noisylabels annotate PROJECT`) and a Chromium are killed with SIGKILL at random moments, in turns,
while somebody corrects a label map, draws boxes, or rates; then they are started again and the work goes on. An action
counts as acknowledged when the server's answer reached the page. At the end every acknowledged action must be in the
project file once. Every action has a content of its own (another place, box or trial), so a row that was written twice
shows. Printed: kills, actions acknowledged, lost, doubled; the exit code is 1 if anything was lost or doubled.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from noisylabels.annotation.allocation import StudySettings
from noisylabels.annotation.boxes import assign_boxes
from noisylabels.annotation.cookies import invite
from noisylabels.annotation.fields import create_project
from noisylabels.annotation.project import Project
from noisylabels.annotation.ratings import create_study
from noisylabels.annotation.users import add_person, person_of
from tests.annotation.desks import make_dataset
from tests.annotation.pages import ARGS
from tests.annotation.test_faults import Server

SIZE = (192, 256)
CELL = 6
"""Pixels between the places that are painted or boxed: each is used once."""
PEOPLE = {"correct": "anna", "boxes": "ella", "rate": "rita"}
N_TRIALS = 200
LONGEST_S = 60.0
TRIES = 3
TELL = """() => {
    const real = window.fetch;
    window.fetch = async (path, options = {}) => {
        const answer = await real(path, options);
        if ((options.method ?? "GET") !== "GET" && answer.ok) {
            const sent = typeof options.body === "string" ? options.body : "";
            await window.acknowledge(String(path), options.method, sent, await answer.clone().text());
        }
        return answer;
    };
}"""


@dataclass
class Heard:
    """What the server acknowledged: revisions, boxes with their edges, scores by trial."""

    revisions: dict[int, str] = field(default_factory=dict)
    boxes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    scores: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, path: str, method: str, sent: str, answer: str) -> None:
        """Note one acknowledged action."""
        received = json.loads(answer)
        if path.endswith("/revisions"):
            self.revisions[received["revision"]] = received["sha256"]
        elif method == "PUT":
            self.boxes[received["box"]] = tuple(received[name] for name in EDGES)
        elif path.endswith("/scores"):
            said = json.loads(sent)
            self.scores[path.split("/")[-2]] = (said["left"], said["right"])

    def __len__(self) -> int:
        return len(self.revisions) + len(self.boxes) + len(self.scores)


EDGES = ("row_min", "column_min", "row_max", "column_max")


class Browser:
    """A Chromium that can be killed; the cookies of the three people are kept beside it, as a disk would."""

    def __init__(self, folder: Path, origin: str, heard: Heard) -> None:
        self.folder, self.origin, self.heard = folder, origin, heard
        self.cookies: dict[str, list[dict[str, object]]] = {}
        self.playwright = sync_playwright().start()
        self.start()

    def start(self) -> None:
        """Start it, with nothing of the one before but the cookies."""
        path = shutil.which("chromium") or shutil.which("google-chrome") or "chromium-browser"
        profile = tempfile.mkdtemp(dir=self.folder)
        words = [
            path,
            "--headless=new",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            *ARGS,
            "about:blank",
        ]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stderr is not None
        listens = next(found for line in self.process.stderr if (found := re.search(r"ws://\S+", line)))
        threading.Thread(target=lambda said: [None for _ in said], args=(self.process.stderr,), daemon=True).start()
        self.driver = self.playwright.chromium.connect_over_cdp(listens.group())

    def kill(self) -> None:
        """Kill it with all its children."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self.playwright.stop()

    @contextlib.contextmanager
    def page(self, name: str, link: str) -> Iterator[Page]:
        """Open a page as its person: by the link the first time, then by the cookie."""
        context: BrowserContext = self.driver.new_context(viewport={"width": 1300, "height": 820})
        context.expose_function("acknowledge", self.heard.take)
        context.add_init_script(f"({TELL})()")
        page = context.new_page()
        page.set_default_timeout(1000 * LONGEST_S)
        if name in self.cookies:
            context.add_cookies(self.cookies[name])  # type: ignore[arg-type]
        else:
            page.goto(self.origin + link)
            page.click("button#enter")
            self.cookies[name] = context.cookies()  # type: ignore[assignment]
        page.goto(f"{self.origin}/{name}")
        page.wait_for_selector("body[data-ready=yes]")
        yield page
        with contextlib.suppress(Error):
            context.close()


class Worker:
    """Somebody who does one thing after another on a page, each in a place of its own."""

    def __init__(self, rng: np.random.Generator) -> None:
        rows, columns = SIZE
        places = [(r, c) for r in range(3, rows - CELL, CELL) for c in range(3, columns - CELL, CELL)]
        self.rng = rng
        self.places = {name: iter([places[i] for i in rng.permutation(len(places))]) for name in ("correct", "boxes")}

    def act(self, name: str, page: Page) -> None:
        """Do one thing; does not wait for the answer, but for the next trial."""
        if name == "rate":
            self.rate(page)
            return
        row, column = next(self.places[name])
        corners = [
            page.evaluate("([r, c]) => desk.locate(r, c)", place) for place in ([row, column], [row + 4, column + 4])
        ]
        page.mouse.move(corners[0]["x"], corners[0]["y"])
        page.mouse.down()
        page.mouse.move(corners[1]["x"], corners[1]["y"])
        page.mouse.up()
        if name == "boxes":
            page.keyboard.press("Escape")

    def rate(self, page: Page) -> None:
        """Score the trial that is shown, once."""
        page.wait_for_selector("body[data-loading=''][data-trial]:not([data-trial=''])")
        shown = page.get_attribute("body", "data-trial")
        for value in self.rng.integers(1, 11, 2):
            page.keyboard.press(str(value % 10))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"body[data-trial]:not([data-trial='']):not([data-trial='{shown}'])")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60, help="half of them of the server, half of the browser")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and places")
    options = parser.parse_args()
    heard, killed = Heard(), Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as folder:
        links = make_project(Path(folder))
        server = Server(Path(folder) / "screen.desk")
        with server.running():
            work(server, Path(folder), links, heard, killed, options.kills, np.random.default_rng(options.seed))
        lost, doubled = compare(Path(folder) / "screen.desk", heard)
    counted = ", ".join(f"{what} on {page} {n}" for (what, page), n in sorted(killed.items()))
    print(f"kills: {sum(killed.values())} ({counted})")
    print(f"acknowledged: {len(heard.revisions)} strokes, {len(heard.boxes)} boxes, {len(heard.scores)} scores")
    print(f"lost: {lost}; doubled: {doubled}")
    return int(lost + doubled > 0)


def make_project(folder: Path) -> dict[str, str]:
    """Make a project with somebody for every page; their links."""
    make_dataset(folder / "dataset", N_TRIALS, size=SIZE)
    create_project(folder / "screen.desk", folder / "dataset")
    with Project(folder / "screen.desk") as project:
        add_person(project, PEOPLE["correct"], "annotator")
        assign_boxes(project, [[PEOPLE["boxes"]]], ["B01_f1"])
        create_study(project, [PEOPLE["rate"]], StudySettings(("cip", "cdl"), N_TRIALS, 1, 0, 0.0))
        return {page: f"/?token={invite(project, person_of(project, name))}" for page, name in PEOPLE.items()}


def work(
    server: Server,
    folder: Path,
    links: dict[str, str],
    heard: Heard,
    killed: Counter[tuple[str, str]],
    n_kills: int,
    rng: np.random.Generator,
) -> None:
    """Work on the pages in turns, and kill the server or the browser at a random moment of each turn."""
    browser, worker = Browser(folder, f"http://127.0.0.1:{server.port}", heard), Worker(rng)
    try:
        for turn in range(n_kills):
            name, victim = list(PEOPLE)[turn % 3], ("server", "browser")[turn // 3 % 2]
            delay = float(rng.uniform(0.0, 1.0))

            def strike(victim: str = victim, delay: float = delay) -> None:
                time.sleep(delay)
                (server if victim == "server" else browser).kill()
                if victim == "server":
                    server.start()

            for _ in range(TRIES):  # a page that did not open in time on a busy machine is opened again
                if work_until(strike, partial(browser.page, name, links[name]), worker, name, heard):
                    break
            else:
                sys.exit(f"the page {name} did not take anything in {TRIES} tries")
            killed[victim, name] += 1
            if victim == "browser":
                browser.start()
            print(f"\r{turn + 1} of {n_kills} kills, {len(heard)} actions acknowledged", end="", file=sys.stderr)
    finally:
        browser.close()
        print(file=sys.stderr)


def work_until(
    strike: Callable[[], None],
    opened: Callable[[], contextlib.AbstractContextManager[Page]],
    worker: Worker,
    name: str,
    heard: Heard,
) -> bool:
    """Work on one page till `strike` is over; whether it was begun: something must be acknowledged before."""
    begun, killer = len(heard), threading.Thread(target=strike)
    with contextlib.suppress(Error), opened() as page:
        while len(heard) == begun:
            worker.act(name, page)
            page.wait_for_timeout(20)
        killer.start()
        while killer.is_alive():
            worker.act(name, page)
            page.wait_for_timeout(60)
        page.wait_for_selector("#saved[data-waiting='0']")
    if killer.ident is None:
        return False
    killer.join()
    return True


def compare(path: Path, heard: Heard) -> tuple[int, int]:
    """Count what was acknowledged and is not in the project file, and what is there twice."""
    with Project(path) as project:
        assert project.value("PRAGMA integrity_check") == "ok"
        revisions = {row["id"]: row["sha256"] for row in project.rows("SELECT id, sha256 FROM revision")}
        drawn = project.rows("SELECT * FROM box_action")
        boxes = {row["box"]: tuple(row[name] for name in EDGES) for row in drawn}
        trials = project.rows("SELECT token, left_score, right_score FROM score JOIN trial ON trial.id = trial")
        scores = {row["token"]: (row["left_score"], row["right_score"]) for row in trials}
    lost = sum(revisions.get(number) != sha256 for number, sha256 in heard.revisions.items())
    lost += sum(boxes.get(box) != edges for box, edges in heard.boxes.items())
    lost += sum(scores.get(trial) != said for trial, said in heard.scores.items())
    contents = Counter([*revisions.values(), *(row["box"] for row in drawn), *(row["token"] for row in trials)])
    return lost, sum(n - 1 for n in contents.values())


if __name__ == "__main__":
    sys.exit(main())

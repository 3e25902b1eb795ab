"""How long somebody corrects a field at the desk, by what the correction starts from. The person is simulated.

    noisylabels demo DEMO
    python -m benchmarks.correction DEMO [--fields 20] [--learn 8]

A script takes the place of the biologist: it asks the real server (`noisylabels annotate`) for fields, looks for the
differences between the label map and the simulator's truth, sends strokes that correct them, and accepts. The seconds
are read from the project's own time table. It knows the truth and does not doubt: read the numbers as a comparison of
starts, not as the hours of a person.

What it takes is the Keystroke-Level Model of Card, Moran and Newell (CACM 23(7), 1980, doi:10.1145/358886.358895), for
an expert who makes no errors: think 1.35 s, point 1.10 s, key 0.28 s (an average typist), draw 0.9 s a straight piece
and 0.16 s a centimetre. Assumed, not from there: 0.20 s to press and lift a button; one thought a visible event, and
one a correction; an event that overlaps the truth by an intersection over union of 0.7 is left alone; a dab of a disc
is taken where it reaches that, else the outline is drawn; a field of 340 x 256 pixels fills 920 x 700 of a 96 dpi
screen.

The starts: nothing; the CIP's labels; CDL's prediction; the prediction of CDL after it was retrained by the server on
`--learn` other fields, corrected the same way. All four are corrected on the same fields, those of the demo's test
list.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

import noisylabels
from noisylabels.annotation.fields import create_project
from noisylabels.annotation.project import Project
from noisylabels.annotation.queue import QueueSettings, change_queue
from noisylabels.annotation.tables import export_times
from noisylabels.annotation.users import owner_of
from noisylabels.annotation.versions import weights_in_use
from noisylabels.data.dataset import Case, Dataset, open_dataset, write_dataset
from noisylabels.data.images import read_image, read_label_map, write_label_map
from tests.annotation.desks import pack_stroke
from tests.annotation.test_faults import Page, Server

THINK_S, POINT_S, PRESS_S, KEY_S, PIECE_S, CENTIMETRE_S = 1.35, 1.10, 0.20, 0.28, 0.9, 0.16
CM_PER_PIXEL = 920 / 340 * 2.54 / 96
GOOD_ENOUGH = 0.7
"""Intersection over union of an event with the truth from which it is left alone."""
EIGHT = np.ones((3, 3), bool)

Mask = NDArray[np.bool_]
LabelMap = NDArray[np.uint8]


@dataclass
class Person:
    """Somebody who knows the truth, and how long each movement takes them."""

    brush: int = 9
    class_index: int = 1
    seconds: float = 0.0
    hands: list[str] = field(default_factory=list)

    def click(self, what: str) -> None:
        """Think, point and press."""
        self.seconds += THINK_S + POINT_S + PRESS_S
        self.hands.append(what)

    def choose(self, class_index: int) -> None:
        """Press the key of a class, unless it is chosen already."""
        self.seconds += KEY_S * (class_index != self.class_index)
        self.class_index = class_index

    def trace(self, event: Mask) -> None:
        """Draw the outline of an event."""
        (outline, *_) = sorted(find_contours(np.pad(event, 1).astype(float), 0.5), key=len, reverse=True)
        corners = approximate_polygon(outline, 0.5)
        length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum() * CM_PER_PIXEL
        self.click("lasso")
        self.seconds += PIECE_S * (len(corners) - 1) + CENTIMETRE_S * float(length)

    def strokes(self, label_map: LabelMap, truth: LabelMap) -> Iterator[tuple[LabelMap, str, float]]:
        """Correct a label map, stroke by stroke.

        Yields:
            The map after the stroke, the tool, and the seconds since the stroke before.
        """
        now = label_map.copy()
        self.seconds = THINK_S * len(events_of(now))
        for index, event in events_of(now):
            right = truth[event]
            if not right.any():
                self.choose(0)
                now[event] = 0
            elif (wanted := int(np.bincount(right[right > 0]).argmax())) != index:
                self.choose(wanted)
                now[event] = wanted
            else:
                continue
            self.click("fill")
            yield self.done(now, "fill")
        for index, event in events_of(truth):
            there = [other for kind, other in events_of(now) if kind == index and (other & event).any()]
            if any(overlap(other, event) >= GOOD_ENOUGH for other in there):
                continue
            own = [other for other in there if not ((truth == index) & other & ~event).any()]  # no neighbour's
            diameter, disc = best_disc(event)
            if len(own) == len(there) and overlap(np.logical_or.reduce([disc, *own]), event) >= GOOD_ENOUGH:
                own = []  # what is there may stay below the dab
            for other in own:
                self.choose(0)
                self.click("fill")
                now[other] = 0
                yield self.done(now, "fill")
            self.choose(index)
            if overlap(disc, event) >= GOOD_ENOUGH:
                self.seconds += KEY_S * abs(diameter - self.brush) / 2  # a key makes the brush two pixels wider
                self.brush = diameter
                self.click("brush")
                now[disc & ((now == 0) | event)] = index
                yield self.done(now, "brush")
            else:
                self.trace(event)
                now[event] = index
                yield self.done(now, "lasso")

    def done(self, label_map: LabelMap, tool: str) -> tuple[LabelMap, str, float]:
        """Hand over a stroke and begin to count anew."""
        taken, self.seconds = self.seconds, 0.0
        return label_map.copy(), tool, taken


def events_of(label_map: LabelMap) -> list[tuple[int, Mask]]:
    """List the events of a label map: class and pixels."""
    found = []
    for index in range(1, int(label_map.max()) + 1):
        parts, n = ndimage.label(label_map == index, EIGHT)
        found += [(index, parts == number) for number in range(1, n + 1)]
    return found


def overlap(a: Mask, b: Mask) -> float:
    """Compute the intersection over union of two sets of pixels."""
    return float((a & b).sum() / max(1, (a | b).sum()))


def best_disc(event: Mask) -> tuple[int, Mask]:
    """Find the odd diameter of the disc, at the event's centre, that is most like the event."""
    row, column = (np.floor(np.argwhere(event).mean(0) + 0.5)).astype(int)
    rows, columns = np.indices(event.shape)
    apart = (rows - row) ** 2 + (columns - column) ** 2
    discs = [(diameter, apart <= (diameter / 2) ** 2) for diameter in range(1, 32, 2)]
    return max(discs, key=lambda disc: overlap(disc[1], event))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="folder of a finished `noisylabels demo`")
    parser.add_argument("--fields", type=int, default=20, help="fields to correct from every start")
    parser.add_argument("--learn", type=int, default=8, help="other fields, corrected first, that retrain the network")
    options = parser.parse_args()
    weights = options.demo / "model" / "model.pt"
    with tempfile.TemporaryDirectory() as temporary:
        home, screen = Path(temporary), open_dataset(options.demo / "screen")
        measured = take(screen, screen.ids("test")[: options.fields], home / "measured")
        others = take(screen, screen.ids("validation")[: options.learn], home / "others")
        for dataset in (measured, others):
            predict(dataset, weights, "cdl")
        retrained = retrain(others, weights, home)
        predict(measured, retrained, "retrained")
        print("The person is simulated; her speed is the Keystroke-Level Model's.")
        print("| start | fields | seconds a field | middle half | strokes a field | mean IoU at start | accepted |")
        print("|---|---|---|---|---|---|---|")
        for start in ("blank", "cip", "cdl", "retrained"):
            print(tell(start, *correct_all(measured, start, home / f"{start}.desk", weights)))
    return 0


def take(screen: Dataset, ids: list[str], folder: Path) -> Dataset:
    """Make a dataset folder of some fields of another."""
    for name in ids:
        for there, here in (
            (screen.image_path(name), folder / f"images/{name}.ome.tif"),
            *((screen.label_path(kind, name), folder / f"labels/{kind}/{name}.tif") for kind in ("truth", "cip")),
        ):
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_bytes(there.read_bytes())
    cases = tuple(Case(name, screen.case(name).group, "training", f"images/{name}.ome.tif") for name in ids)
    dataset = Dataset(folder, screen.classes, screen.channel_names, screen.pixel_size_um, cases)
    write_dataset(dataset)
    return dataset


def predict(dataset: Dataset, weights: Path, name: str) -> None:
    """Write a network's predictions as a label set."""
    model = noisylabels.load_model(weights)
    for case in dataset.ids():
        write_label_map(dataset.label_path(name, case), model.predict(read_image(dataset.image_path(case))))


def serve(dataset: Dataset, start: str, path: Path, weights: Path) -> Server:
    """Make a project and the server of it."""
    create_project(path, dataset.folder)
    with Project(path) as project:
        change_queue(project, owner_of(project), QueueSettings("order", start, 0.0, 0.0))
    server = Server(path)
    server.words += ["--bundle", f"cdl={weights}"]
    return server


def correct_all(
    dataset: Dataset, start: str, path: Path, weights: Path
) -> tuple[pd.DataFrame, list[float], list[float]]:
    """Correct and accept every field; the project's time table, and the mean IoU of every field before and after."""
    server, iou_before, iou_after = serve(dataset, start, path, weights), [], []
    with server.running():
        page = Page(server, path, "owner")
        page.enter()
        for case in dataset.ids():  # the queue's order
            truth = read_label_map(dataset.label_path("truth", case))
            before, after = correct(page, truth)
            iou_before.append(mean_iou(before, truth))
            iou_after.append(mean_iou(after, truth))
        page.client.close()
    return times_of(path), iou_before, iou_after


def correct(page: Page, truth: LabelMap) -> tuple[LabelMap, LabelMap]:
    """Correct the next field and accept it; the label map before and after."""
    task = page.post("/api/tasks/next").json()["task"]
    body = page.client.get(f"/api/tasks/{task['task']}/labels").content
    before = now = np.frombuffer(body, np.uint8).reshape(task["rows"], task["columns"])
    person, revision = Person(), task["revision"]
    for now, tool, seconds in person.strokes(before, truth):
        stroke = pack_stroke(now, revision, tool=tool, active_ms=round(1000 * seconds))
        answer = page.until_answered("POST", f"/api/tasks/{task['task']}/revisions", **stroke)
        revision = answer.json()["revision"]
    last = round(1000 * (person.seconds + THINK_S + KEY_S))
    closed = page.post(f"/api/tasks/{task['task']}/close", state="accepted", revision=revision, active_ms=last)
    assert closed.json()["state"] == "accepted"
    return before, now


def retrain(dataset: Dataset, weights: Path, home: Path) -> Path:
    """Correct fields from CDL's prediction, let the server retrain on them, and take the new weights into use."""
    path = home / "learn.desk"
    server = serve(dataset, "cdl", path, weights)
    with server.running():
        page = Page(server, path, "owner")
        page.enter()
        for case in dataset.ids():
            correct(page, read_label_map(dataset.label_path("truth", case)))
        job = page.post("/api/jobs/retrain", bundle="cdl").json()
        while job["state"] == "running":
            time.sleep(1)
            job = page.client.get(f"/api/jobs/{job['job']}").json()
        if job["state"] != "done":
            sys.exit(f"The retraining must end well, got {job['state']}: {job['error']}")
        print(f"retrained on {len(dataset.ids())} fields; the server's score: {job['score']}", flush=True)
        page.post(f"/api/jobs/{job['job']}/replace", replace=True)
        page.client.close()
    with Project(path) as project:
        return weights_in_use(project)["cdl"]


def times_of(path: Path) -> pd.DataFrame:
    """Read the project's time table: one row a field."""
    with Project(path) as project:
        export_times(project, path.with_suffix(".csv"))
        strokes = project.value("SELECT count(*) FROM revision WHERE tool != 'start'")
    table = pd.read_csv(path.with_suffix(".csv"))
    assert set(table["state"]) == {"accepted"}
    return table.assign(strokes=strokes / len(table))


def mean_iou(label_map: LabelMap, truth: LabelMap) -> float:
    """Compute the mean intersection over union of the foreground classes that are in either map."""
    kinds = sorted({*np.unique(label_map), *np.unique(truth)} - {0})
    return float(np.mean([overlap(label_map == kind, truth == kind) for kind in kinds])) if kinds else 1.0


def tell(start: str, times: pd.DataFrame, before: list[float], after: list[float]) -> str:
    """Write one row of the table."""
    low, high = times["active_s"].quantile([0.25, 0.75])
    return (
        f"| {start} | {len(times)} | {times['active_s'].mean():.0f} | {low:.0f} to {high:.0f} | "
        f"{times['strokes'].mean():.1f} | {np.mean(before):.2f} | {np.mean(after):.2f} |"
    )


if __name__ == "__main__":
    sys.exit(main())

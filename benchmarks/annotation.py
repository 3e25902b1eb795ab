"""How fast the correction page paints and opens, in Chromium without a GPU, beside the least that a canvas can take.

Run: python -m benchmarks.annotation [--json FILE]. The handler is what a movement of a painting pointer costs the page
(a brush of 15 pixels); the floor is the same browser putting such pixels on a canvas of the field's size, and drawing
that canvas on another. A browser may put drawing off until after a script, so what a person sees is measured too: how
long one frame comes after the other while the brush moves (a screen of 60 Hz gives 16.7 ms), beside the page at rest.
"""

import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from benchmarks.ratios import LeftOut, Ratio, hand_over, option_parser
from tests.annotation.pages import chromium, correct, served

SIZES = ((512, 680), (2160, 2160))
N_MOVES = 300
WATCH = """() => {
    window.shown = [];
    const note = (time) => { window.shown.push(time); requestAnimationFrame(note); };
    requestAnimationFrame(note);
}"""
FLOOR = """([rows, columns, side]) => {
    const canvas = Object.assign(document.createElement("canvas"), {width: columns, height: rows});
    const screen = Object.assign(document.createElement("canvas"), {width: 920, height: 700});
    const context = canvas.getContext("2d");
    const patch = new ImageData(side, side);
    const times = {put: [], draw: []};
    const timed = (list, work) => { const start = performance.now(); work(); list.push(performance.now() - start); };
    for (let i = 0; i < 300; i++) {
        timed(times.put, () => context.putImageData(patch, i % (columns - side), i % (rows - side)));
        timed(times.draw, () => screen.getContext("2d").drawImage(canvas, 0, 0, 920, 700));
    }
    return times;
}"""


def main():
    options = option_parser(__doc__).parse_args()
    try:
        with chromium() as browser:
            measured = [ratio for size in SIZES for ratio in measure(browser, size)]
    except pytest.skip.Exception as skipped:
        measured = [LeftOut("the correction page", str(skipped))]
    hand_over(measured, options.json)


def measure(browser, size):
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), 1, size=size) as desk:
        context = browser.new_context(viewport={"width": 1300, "height": 820})
        tab = correct(context, desk)
        tab.open(desk.url + "/correct")
        ready_ms = tab.page.evaluate("desk.readyMs")
        tab.keys(*"]" * 8)
        rows, columns = size
        path = [(rows * (0.2 + 0.6 * (i % 20) / 20), columns * (0.2 + 0.6 * i / N_MOVES)) for i in range(N_MOVES)]
        tab.page.evaluate(WATCH)
        tab.page.wait_for_timeout(700)
        at_rest = intervals(tab)
        tab.drag_fast(path)
        painting = intervals(tab)
        tab.saved()
        paint_ms, frame_ms = (tab.page.evaluate(f"desk.{name}") for name in ("paintMs", "frameMs"))
        floor = tab.page.evaluate(FLOOR, [rows, columns, 17])
        context.close()
    put, draw = median(floor["put"]), median(floor["draw"])
    print(f"{columns} x {rows}: page ready after {ready_ms:.0f} ms")
    print(f"  paint handler: {describe(paint_ms)}")
    print(f"  frame script:  {describe(frame_ms)}")
    print(f"  shown frames:  one every {describe(painting)}; at rest {describe(at_rest)}")

    def beside(what, times, floor, floor_name):
        what = f"correction page, {columns} x {rows}: {what}"
        return Ratio(what, median(times), "ms", "wall", floor=floor, floor_name=floor_name)

    return [
        beside("paint handler", paint_ms, put, "putImageData alone"),
        beside("frame script", frame_ms, draw, "whole image drawn"),
        beside("time between frames while painting", painting, median(at_rest), "the page at rest"),
    ]


def intervals(tab):
    """Take the times between the frames that were shown since the last call."""
    times = tab.page.evaluate("window.shown.splice(0)")
    return [later - earlier for earlier, later in pairwise(times)]


def describe(times):
    ordered = sorted(times)
    return f"median {median(times):.2f} ms, 95 % {ordered[int(0.95 * len(ordered))]:.2f}, worst {ordered[-1]:.2f}"


if __name__ == "__main__":
    main()

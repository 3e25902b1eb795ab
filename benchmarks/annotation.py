"""How fast the correction page paints and opens, in Chromium without a GPU, beside the least that a canvas can take.

Run: python -m benchmarks.annotation. The handler is what a movement of a painting pointer costs the page (a brush of 15
pixels); the floor is the same browser putting the changed pixels on a canvas, and drawing a canvas on the screen.
"""

import tempfile
from pathlib import Path
from statistics import median

from tests.annotation.pages import chromium, correct, served

SIZES = ((512, 680), (2160, 2160))
N_MOVES = 300
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
    with chromium() as browser:
        for size in SIZES:
            measure(browser, size)


def measure(browser, size):
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), 1, size=size) as desk:
        context = browser.new_context(viewport={"width": 1300, "height": 820})
        tab = correct(context, desk)
        tab.open(desk.url + "/correct")
        ready_ms = tab.page.evaluate("desk.readyMs")
        tab.keys(*"]" * 8)
        rows, columns = size
        path = [(rows * (0.2 + 0.6 * (i % 20) / 20), columns * (0.2 + 0.6 * i / N_MOVES)) for i in range(N_MOVES)]
        tab.drag_fast(path)
        tab.saved()
        paint_ms, frame_ms = (tab.page.evaluate(f"desk.{name}") for name in ("paintMs", "frameMs"))
        floor = tab.page.evaluate(FLOOR, [rows, columns, 17])
        context.close()
    put, draw = median(floor["put"]), median(floor["draw"])
    print(f"{columns} x {rows}: page ready after {ready_ms:.0f} ms")
    print(f"  paint handler: {describe(paint_ms)}; floor (putImageData alone) {put:.2f} ms")
    print(f"  frame:         {describe(frame_ms)}; floor (whole image drawn) {draw:.2f} ms")
    print(f"  paint + frame: median {median(paint_ms) + median(frame_ms):.2f} ms, of 16 ms a screen gives")


def describe(times):
    ordered = sorted(times)
    return f"median {median(times):.2f} ms, 95 % {ordered[int(0.95 * len(ordered))]:.2f}, worst {ordered[-1]:.2f}"


if __name__ == "__main__":
    main()

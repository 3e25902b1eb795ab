import { describe, expect, it } from "vitest";
import { boxOf, History, Stroke } from "../src/history";
import type { LabelMap } from "../src/raster";
import { draw, show } from "./drawings";

function paint(map: LabelMap, value: number, row: number, columnMin: number, columnMax: number, only: number | null = null) {
  const stroke = new Stroke(map, value, only);
  stroke.paint([{ row, columnMin, columnMax }]);
  return stroke.finish();
}

describe("a stroke", () => {
  it("that changes nothing is none", () => {
    expect(paint(draw("11. / ..."), 1, 0, 0, 2)).toBeNull();
  });
  it("keeps of each pixel the value before, however often it is passed", () => {
    const map = draw("12. / ...");
    const stroke = new Stroke(map, 2, null);
    stroke.paint([{ row: 0, columnMin: 0, columnMax: 2 }]);
    stroke.paint([{ row: 0, columnMin: 0, columnMax: 3 }]);
    const change = stroke.finish()!;
    expect(show(map)).toBe("222 / ...");
    expect([...change.indices]).toEqual([0, 2]);
    expect([...change.before]).toEqual([1, 0]);
  });
  it("changes only the class that may change", () => {
    const map = draw("12.1 / ....");
    paint(map, 3, 0, 0, 4, 1);
    expect(show(map)).toBe("32.3 / ....");
  });
  it("knows its box", () => {
    expect(boxOf(paint(draw(".... / ...."), 1, 1, 1, 3)!, 4)).toEqual({ rowMin: 1, columnMin: 1, rowMax: 2, columnMax: 3 });
  });
});

describe("a history", () => {
  it("of nothing goes nowhere", () => {
    const history = new History();
    expect(history.undo(draw("."))).toBeNull();
    expect(history.redo(draw("."))).toBeNull();
  });
  it("goes back and forth through every state", () => {
    const map = draw("... / ...");
    const history = new History();
    const states = [show(map)];
    for (const [value, row] of [[1, 0], [2, 0], [2, 1], [0, 0]]) {
      history.push(paint(map, value, row, row, 3)!);
      states.push(show(map));
    }
    for (const state of states.slice(0, -1).reverse()) {
      history.undo(map);
      expect(show(map)).toBe(state);
    }
    expect(history.canUndo).toBe(false);
    for (const state of states.slice(1)) {
      history.redo(map);
      expect(show(map)).toBe(state);
    }
    expect(history.canRedo).toBe(false);
  });
  it("forgets what was undone when something else is painted", () => {
    const map = draw("...");
    const history = new History();
    history.push(paint(map, 1, 0, 0, 1)!);
    history.undo(map);
    history.push(paint(map, 2, 0, 1, 2)!);
    expect(history.canRedo).toBe(false);
  });
});

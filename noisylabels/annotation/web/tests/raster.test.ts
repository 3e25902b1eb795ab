import { describe, expect, it } from "vitest";
import { boxAround, coverLine, coverPolygon, coverRegion, indexOf, snap, type Point } from "../src/raster";
import { draw, randoms, showSpans } from "./drawings";

const at = (row: number, column: number): Point => ({ row, column });

describe("a brush", () => {
  const dab = (point: Point, diameter: number) =>
    showSpans(coverLine(snap(point, diameter), snap(point, diameter), diameter, { rows: 5, columns: 5 }), 5, 5);

  it("outside of the map paints nothing", () => {
    expect(dab(at(-20, -20), 3)).toBe("..... / ..... / ..... / ..... / .....");
  });
  it("of one pixel paints the pixel under the pointer, wherever in it the pointer is", () => {
    for (const point of [at(2, 3), at(2.5, 3.5), at(2.99, 3.01)]) {
      expect(dab(point, 1)).toBe("..... / ..... / ...1. / ..... / .....");
    }
  });
  it("of two pixels is a square around the nearest corner", () => {
    expect(dab(at(2.2, 1.9), 2)).toBe("..... / .11.. / .11.. / ..... / .....");
  });
  it("of three pixels has every pixel whose centre is within 1.5", () => {
    expect(dab(at(2.5, 2.5), 3)).toBe("..... / .111. / .111. / .111. / .....");
  });
  it("at the rim paints what is inside", () => {
    expect(dab(at(0, 0), 3)).toBe("11... / 11... / ..... / ..... / .....");
  });
  it("that is moved leaves no gap", () => {
    expect(showSpans(coverLine(at(0.5, 0.5), at(4.5, 4.5), 1, { rows: 5, columns: 5 }), 5, 5)).toBe(
      "1.... / .1... / ..1.. / ...1. / ....1",
    );
  });
  it("agrees with the distance of every pixel centre to the line", () => {
    const random = randoms(1);
    for (let trial = 0; trial < 60; trial++) {
      const [a, b] = [at(random() * 24 - 2, random() * 34 - 2), at(random() * 24 - 2, random() * 34 - 2)];
      const diameter = 1 + Math.floor(random() * 9);
      const wanted = Array.from({ length: 20 * 30 }, (_, i) =>
        distance(at(Math.floor(i / 30) + 0.5, (i % 30) + 0.5), a, b) <= diameter / 2 ? 1 : 0,
      );
      const got = showSpans(coverLine(a, b, diameter, { rows: 20, columns: 30 }), 20, 30).replaceAll(" / ", "");
      expect(got).toBe(wanted.map((one) => (one ? "1" : ".")).join(""));
    }
  });
});

describe("a polygon", () => {
  const size = { rows: 6, columns: 8 };
  const fill = (...points: Point[]) => showSpans(coverPolygon(points, size), 6, 8);

  it("of fewer than three corners is empty", () => {
    expect(coverPolygon([], size)).toEqual([]);
    expect(coverPolygon([at(1, 1), at(4, 4)], size)).toEqual([]);
  });
  it("has the pixels whose centre is inside", () => {
    expect(fill(at(1, 1), at(1, 4), at(3, 4), at(3, 1))).toBe(
      "........ / .111.... / .111.... / ........ / ........ / ........",
    );
    expect(fill(at(1, 1.6), at(1, 4.4), at(3, 4.4), at(3, 1.6))).toBe(
      "........ / ..11.... / ..11.... / ........ / ........ / ........",
    );
  });
  it("that winds twice around a place has no hole there", () => {
    const once = [at(0, 0), at(0, 8), at(6, 8), at(6, 0)];
    const inner = [at(2, 2), at(2, 6), at(4, 6), at(4, 2)];
    const twice = [...once, at(0, 0), ...inner, at(2, 2)];
    expect(showSpans(coverPolygon(twice, size), 6, 8)).toBe(Array(6).fill("11111111").join(" / "));
  });
  it("outside of the map is cut off", () => {
    expect(fill(at(-9, -9), at(-9, 3), at(2, 3), at(2, -9))).toBe(
      "111..... / 111..... / ........ / ........ / ........ / ........",
    );
  });
  it("agrees with the winding number of every pixel centre, counted by angles", () => {
    const random = randoms(7);
    for (let trial = 0; trial < 60; trial++) {
      const points = Array.from({ length: 3 + Math.floor(random() * 9) }, () => at(random() * 26 - 3, random() * 36 - 3));
      const wanted = Array.from({ length: 20 * 30 }, (_, i) =>
        winding(at(Math.floor(i / 30) + 0.5, (i % 30) + 0.5), points) === 0 ? "." : "1",
      ).join("");
      const got = showSpans(coverPolygon(points, { rows: 20, columns: 30 }), 20, 30).replaceAll(" / ", "");
      expect(got).toBe(wanted);
    }
  });
});

describe("a region", () => {
  const region = (text: string, row: number, column: number) => {
    const map = draw(text);
    return showSpans(coverRegion(map, at(row, column)), map.rows, map.columns);
  };

  it("of an empty map is all of it", () => {
    expect(region("... / ...", 0, 0)).toBe("111 / 111");
  });
  it("outside of the map is empty", () => {
    expect(region("... / ...", 5, 0)).toBe("... / ...");
  });
  it("of an event goes around corners and stops at another class", () => {
    expect(region("11.. / ..1. / 2221", 0, 0)).toBe("11.. / ..1. / ...1");
  });
  it("of background does not leak between pixels that touch at a corner", () => {
    expect(region(".1.. / 1.1. / .1..", 1, 1)).toBe(".... / .1.. / ....");
  });
});

describe("places", () => {
  it("are null outside", () => {
    expect(indexOf({ rows: 2, columns: 3 }, at(1.9, 2.9))).toBe(5);
    expect(indexOf({ rows: 2, columns: 3 }, at(-0.1, 0))).toBeNull();
    expect(indexOf({ rows: 2, columns: 3 }, at(0, 3))).toBeNull();
  });
  it("have the smallest box around them", () => {
    expect(boxAround([])).toBeNull();
    expect(boxAround([{ row: 2, columnMin: 3, columnMax: 5 }, { row: 4, columnMin: 1, columnMax: 2 }])).toEqual({
      rowMin: 2,
      columnMin: 1,
      rowMax: 5,
      columnMax: 5,
    });
  });
});

/** By halving, without the formula that is tested: the distance along a line has one lowest place. */
function distance(p: Point, a: Point, b: Point): number {
  const to = (t: number) => Math.hypot(p.row - a.row - t * (b.row - a.row), p.column - a.column - t * (b.column - a.column));
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (to(left) < to(right)) high = right;
    else low = left;
  }
  return to(low);
}

function winding(p: Point, points: Point[]): number {
  let angle = 0;
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length];
    const turn = Math.atan2(b.row - p.row, b.column - p.column) - Math.atan2(a.row - p.row, a.column - p.column);
    angle += Math.atan2(Math.sin(turn), Math.cos(turn));
  });
  return Math.round(angle / (2 * Math.PI));
}

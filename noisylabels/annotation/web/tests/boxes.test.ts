import { describe, expect, it } from "vitest";
import { boxBetween, gripAt, moveBox, resizeBox, shortestSide } from "../src/boxes";

const size = { rows: 20, columns: 30 };
const box = { rowMin: 4, columnMin: 6, rowMax: 10, columnMax: 16 };

describe("a box", () => {
  it("covers every pixel that the drag touched, in whatever direction", () => {
    const wanted = { rowMin: 2, columnMin: 3, rowMax: 6, columnMax: 9 };
    expect(boxBetween({ row: 2.7, column: 3.2 }, { row: 5.1, column: 8.9 }, size)).toEqual(wanted);
    expect(boxBetween({ row: 5.1, column: 3.2 }, { row: 2.7, column: 8.9 }, size)).toEqual(wanted);
  });
  it("stays inside the image", () => {
    expect(boxBetween({ row: -5, column: 25 }, { row: 50, column: 99 }, size)).toEqual({
      rowMin: 0,
      columnMin: 25,
      rowMax: 20,
      columnMax: 30,
    });
    expect(moveBox(box, -99, 99, size)).toEqual({ rowMin: 0, columnMin: 20, rowMax: 6, columnMax: 30 });
  });
  it("keeps its size when it moves", () => {
    expect(moveBox(box, 2.4, -1.6, size)).toEqual({ rowMin: 6, columnMin: 4, rowMax: 12, columnMax: 14 });
  });
  it("does not get smaller than it may", () => {
    const grip = { row: 1, column: -1 } as const;
    expect(resizeBox(box, grip, -99, 99, size, 3)).toEqual({ rowMin: 4, columnMin: 13, rowMax: 7, columnMax: 16 });
    expect(shortestSide(resizeBox(box, grip, -99, 99, size, 3))).toBe(3);
  });
  it("does not grow out of the image", () => {
    expect(resizeBox(box, { row: -1, column: 1 }, -99, 99, size, 3)).toEqual({
      rowMin: 0,
      columnMin: 6,
      rowMax: 10,
      columnMax: 30,
    });
  });
  it("is held at its corner, its edge, its inside, or not at all", () => {
    expect(gripAt(box, { row: 4.2, column: 15.9 }, 1)).toEqual({ row: -1, column: 1 });
    expect(gripAt(box, { row: 7, column: 6.1 }, 1)).toEqual({ row: 0, column: -1 });
    expect(gripAt(box, { row: 7, column: 11 }, 1)).toEqual({ row: 0, column: 0 });
    expect(gripAt(box, { row: 12, column: 11 }, 1)).toBeNull();
  });
  it("however small can still be moved", () => {
    const small = { rowMin: 4, columnMin: 6, rowMax: 7, columnMax: 9 };
    expect(gripAt(small, { row: 5.5, column: 7.5 }, 10)).toEqual({ row: 0, column: 0 });
  });
});

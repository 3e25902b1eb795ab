import { describe, expect, it } from "vitest";
import { fit, pan, toImage, toScreen, zoom } from "../src/viewport";

const image = { rows: 512, columns: 680 };
const screen = { width: 1000, height: 800 };

describe("a view", () => {
  it("shows the whole image in the middle", () => {
    const view = fit(image, screen);
    expect(toScreen(view, { row: 256, column: 340 })).toEqual({ x: 500, y: 400 });
    const corner = toScreen(view, { row: 0, column: 0 });
    expect(corner.x).toBeGreaterThanOrEqual(12);
    expect(corner.y).toBeGreaterThanOrEqual(12);
  });
  it("keeps the point under the pointer when it zooms", () => {
    const view = fit(image, screen);
    const at = { x: 321, y: 123 };
    const before = toImage(view, at);
    const after = toImage(zoom(view, 3, at, 0.1), at);
    expect(after.row).toBeCloseTo(before.row, 9);
    expect(after.column).toBeCloseTo(before.column, 9);
  });
  it("does not zoom without end", () => {
    const view = fit(image, screen);
    expect(zoom(view, 1e9, { x: 0, y: 0 }, 0.1).scale).toBe(48);
    expect(zoom(view, 1e-9, { x: 0, y: 0 }, 0.1).scale).toBe(0.1);
  });
  it("never loses the image", () => {
    const far = pan(fit(image, screen), 1e6, -1e6, image, screen);
    const corner = toScreen(far, { row: 0, column: 0 });
    expect(corner.x).toBeLessThan(screen.width);
    expect(corner.y + image.rows * far.scale).toBeGreaterThan(0);
  });
  it("goes to the screen and back", () => {
    const view = { scale: 2.5, x: -40, y: 17 };
    const point = { row: 12.25, column: 99.5 };
    expect(toImage(view, toScreen(view, point))).toEqual(point);
  });
});

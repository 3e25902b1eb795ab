import { describe, expect, it } from "vitest";
import { fit, keepInSight, scaleBar, toImage, toScreen } from "../src/viewport";

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
  it("never loses the image", () => {
    const far = keepInSight({ ...fit(image, screen), x: 1e6, y: -1e6 }, image, screen);
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

it("a scale bar is 1, 2 or 5 times a power of ten, and at most 120 pixels long", () => {
  expect(scaleBar(1 / 0.2152)).toEqual({ um: 20, px: 20 / 0.2152 });
  expect(scaleBar(24)).toEqual({ um: 5, px: 120 });
  expect(scaleBar(200).um).toBe(0.5);
});

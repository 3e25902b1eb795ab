import { describe, expect, it } from "vitest";
import { classColour, colourImage, tabulate } from "../src/colours";
import { colourLabels } from "../src/overlay";
import { draw } from "./drawings";

describe("contrast", () => {
  it("is a straight line between its ends", () => {
    const table = tabulate([100, 300]);
    expect([table[0], table[100], table[200], table[300], table[65535]]).toEqual([0, 0, 128, 255, 255]);
  });
  it("that is no contrast shows a step, never nothing and never a fault", () => {
    for (const ends of [[500, 500], [500, 100], [500, NaN], [500, Infinity]] as [number, number][]) {
      expect([tabulate(ends)[500], tabulate(ends)[501]]).toEqual([0, 255]);
    }
    expect(tabulate([NaN, NaN])[1]).toBe(255);
  });
});

describe("an image", () => {
  const planes = [Uint16Array.of(0, 300, 0, 300), Uint16Array.of(0, 0, 300, 200)];
  const tables = planes.map(() => tabulate([100, 300]));
  const colour = (look: "together" | number) => {
    const rgba = new Uint8ClampedArray(16);
    colourImage(planes, tables, look, rgba);
    return [0, 4, 8, 12].map((i) => [...rgba.subarray(i, i + 4)]);
  };

  it("is magenta and green, white where both are", () => {
    expect(colour("together")).toEqual([[0, 0, 0, 255], [255, 0, 255, 255], [0, 255, 0, 255], [255, 128, 255, 255]]);
  });
  it("of one channel is grey", () => {
    expect(colour(1)).toEqual([[0, 0, 0, 255], [0, 0, 0, 255], [255, 255, 255, 255], [128, 128, 128, 255]]);
  });
  it("of one or three channels is the sum of its colours", () => {
    const one = new Uint8ClampedArray(4);
    colourImage([Uint16Array.of(300)], [tables[0]], "together", one);
    expect([...one]).toEqual([255, 0, 255, 255]);
    const three = new Uint8ClampedArray(4);
    const lit = Uint16Array.of(300);
    colourImage([Uint16Array.of(0), lit, lit], [tables[0], tables[0], tables[0]], "together", three);
    expect([...three]).toEqual([0, 255, 255, 255]);
  });
});

describe("labels", () => {
  const whole = { rowMin: 0, columnMin: 0, rowMax: 5, columnMax: 5 };
  const alpha = (text: string, outline: boolean) =>
    Array.from(colourLabels(draw(text), whole, { opacity: 0.5, outline }))
      .filter((_, i) => i % 4 === 3)
      .map((value) => (value === 0 ? "." : "1"))
      .join("");
  const square = "..... / .111. / .111. / .111. / .....";

  it("of an empty map are not there", () => {
    expect(alpha("..... / ..... / ..... / ..... / .....", false)).toBe(".".repeat(25));
  });
  it("have the colour of their class and the opacity that was set", () => {
    const rgba = colourLabels(draw("2"), { rowMin: 0, columnMin: 0, rowMax: 1, columnMax: 1 }, { opacity: 0.5, outline: false });
    expect([...rgba]).toEqual([...classColour(2), 128]);
  });
  it("in outline are hollow", () => {
    expect(alpha(square, false)).toBe("......111..111..111......");
    expect(alpha(square, true)).toBe("......111..1.1..111......");
  });
});

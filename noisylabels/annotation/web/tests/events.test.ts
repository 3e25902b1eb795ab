import { expect, it } from "vitest";
import { countEvents } from "../src/events";
import { draw } from "./drawings";

const count = (text: string) => [...countEvents(draw(text)).subarray(0, 4)];

it("counts no event in an empty map", () => {
  expect(count("... / ...")).toEqual([0, 0, 0, 0]);
});
it("counts what touches by a corner once, each class apart, and a ring that closes late once", () => {
  expect(count("1..2 / .1.2 / 2... ")).toEqual([0, 1, 2, 0]);
  expect(count("3.3 / 3.3 / 333")).toEqual([0, 0, 0, 1]);
});
it("does not count around the end of a row", () => {
  expect(count("..1 / ... / 1.. / ..1")).toEqual([0, 3, 0, 0]);
});

import { expect, it } from "vitest";
import { findKey } from "../src/keys";

const KEYS = ["b", "z", "$mod+z", "Shift+z", "$mod+Shift+z", "1", "6", "-", "[", "]", "?", "Enter", "Space", "ArrowLeft"];

function press(key: string, code: string, ...held: string[]): string | null {
  const getModifierState = (name: string) => held.includes(name);
  const [ctrlKey, metaKey, shiftKey, altKey] = ["Control", "Meta", "Shift", "Alt"].map(getModifierState);
  return findKey(KEYS, { key, code, ctrlKey, metaKey, shiftKey, altKey, getModifierState });
}

it("finds keys by what they write and what is held", () => {
  expect(press("B", "KeyB")).toBe("b"); // caps lock
  expect(press("z", "KeyZ", "Control")).toBe("$mod+z");
  expect(press("Z", "KeyZ", "Control", "Shift")).toBe("$mod+Shift+z");
  expect(press("?", "Slash", "Shift")).toBe("?");
  expect(press("b", "KeyB", "Control")).toBeNull(); // the browser's own
  expect(press("Enter", "Enter", "Control")).toBeNull();
  expect(press(" ", "Space")).toBe("Space");
});

it("finds brackets where a keyboard writes them with AltGr or Option", () => {
  expect(press("]", "Digit9", "AltGraph")).toBe("]"); // German, Linux
  expect(press("]", "Digit9", "Control", "Alt", "AltGraph")).toBe("]"); // German, Windows
  expect(press("]", "Digit6", "Alt")).toBe("]"); // German, Mac
});

it("finds digits of a French keyboard with and without Shift, and letters of a Russian one by their place", () => {
  expect(press("&", "Digit1")).toBe("1");
  expect(press("1", "Digit1", "Shift")).toBe("1");
  expect(press("-", "Digit6")).toBe("6"); // not: zoom out
  expect(press("и", "KeyB")).toBe("b");
  expect(press("я", "KeyZ", "Control")).toBe("$mod+z");
  expect(press("х", "BracketLeft")).toBe("[");
});

it("does not take a letter for another that is in its place elsewhere", () => {
  expect(press("x", "KeyB")).toBeNull(); // Dvorak
  expect(press("z", "KeyY")).toBe("z"); // German
});

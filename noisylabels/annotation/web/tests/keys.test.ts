import { expect, it } from "vitest";
import { nameOf } from "../src/keys";

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  nameOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

it("names keys with what is held, and characters by what they are", () => {
  expect(press("B")).toBe("b");
  expect(press("Z", { ctrlKey: true, shiftKey: true })).toBe("ctrl+shift+z");
  expect(press("z", { metaKey: true })).toBe("ctrl+z");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("ArrowLeft", { shiftKey: true })).toBe("shift+arrowleft");
});

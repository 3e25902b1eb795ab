import { expect, it } from "vitest";
import { Activity } from "../src/activity";

it("counts the time between movements, not that of long pauses, and each once", () => {
  let now = 0;
  const activity = new Activity(30_000, () => now);
  const moveAt = (ms: number) => {
    now = ms;
    activity.note();
  };
  expect(activity.take()).toBe(0);
  [1000, 2500, 32_500, 62_501, 63_000].forEach(moveAt); // 1,500 + 30,000 + a pause + 499
  expect(activity.take()).toBe(31_999);
  expect(activity.take()).toBe(0);
  moveAt(63_000.6);
  moveAt(63_001.2);
  expect(activity.take()).toBe(1);
});

import { createHash } from "node:crypto";
import { expect, it, vi } from "vitest";
import { sha256 } from "../src/hashes";
import { randoms } from "./drawings";

it("agrees with Node's own, with the browser's and without", async () => {
  const random = randoms(3);
  const bytes = Uint8Array.from({ length: 680 * 12 }, () => Math.floor(random() * 256));
  const wanted = createHash("sha256").update(bytes).digest("hex");
  expect(await sha256(bytes)).toBe(wanted);
  vi.stubGlobal("crypto", undefined);
  expect(await sha256(bytes)).toBe(wanted);
  vi.unstubAllGlobals();
});

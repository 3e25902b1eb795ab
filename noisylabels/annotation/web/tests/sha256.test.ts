import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { sha256, sha256Here } from "../src/sha256";
import { randoms } from "./drawings";

it("agrees with Node's own at every length around a block, and on a map", async () => {
  const random = randoms(3);
  for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 680 * 512]) {
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    const wanted = createHash("sha256").update(bytes).digest("hex");
    expect(sha256Here(bytes)).toBe(wanted);
    expect(await sha256(bytes)).toBe(wanted);
  }
});

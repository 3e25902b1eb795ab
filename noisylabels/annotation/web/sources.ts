/** The hash that ties `dist/` to what it was built from; `tests/annotation/test_pages_built.py` computes the same. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const TOP = /\.(html|ts|json)$/;

/** List the files a build depends on, relative to `folder`, in the order of their names. */
export function listSources(folder: string): string[] {
  const top = readdirSync(folder).filter((name) => TOP.test(name));
  const below = ["src", "public"].flatMap((name) =>
    readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
  );
  return [...top, ...below].sort();
}

/** Hash names and contents of all sources. */
export function hashSources(folder: string): string {
  const hash = createHash("sha256");
  for (const name of listSources(folder)) hash.update(`${name}\0`).update(readFileSync(join(folder, name))).update("\0");
  return hash.digest("hex");
}

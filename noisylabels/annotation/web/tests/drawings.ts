/** Label maps drawn as text, as in the Python tests: "11.. / .22." */

import type { LabelMap, Span } from "../src/raster";

export function draw(text: string): LabelMap {
  const lines = text.split("/").map((line) => line.trim());
  const pixels = Uint8Array.from(lines.join(""), (letter) => (letter === "." ? 0 : Number(letter)));
  return { rows: lines.length, columns: lines[0].length, pixels };
}

export function show(map: LabelMap): string {
  const letters = Array.from(map.pixels, (index) => (index === 0 ? "." : String(index)));
  return Array.from({ length: map.rows }, (_, row) =>
    letters.slice(row * map.columns, (row + 1) * map.columns).join(""),
  ).join(" / ");
}

/** Draw spans as ones. */
export function showSpans(spans: readonly Span[], rows: number, columns: number): string {
  const map = { rows, columns, pixels: new Uint8Array(rows * columns) };
  for (const { row, columnMin, columnMax } of spans) {
    map.pixels.fill(1, row * columns + columnMin, row * columns + columnMax);
  }
  return show(map);
}

/** Random numbers that are the same each time (mulberry32). */
export function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

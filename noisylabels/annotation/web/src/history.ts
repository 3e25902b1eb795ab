/** What strokes changed, and the way back. */

import type { Box, LabelMap, Span } from "./raster";

/** The pixels that one stroke changed: where, from what, to what. */
export interface Change {
  indices: Uint32Array;
  before: Uint8Array;
  after: number;
}

/** One stroke while it is drawn. It changes the map it is given; of a pixel only the value before the stroke is kept. */
export class Stroke {
  private readonly indices: number[] = [];
  private readonly before: number[] = [];

  /**
   * @param map What is painted on.
   * @param value The class index that is painted.
   * @param only If not null: only pixels of this class may change.
   */
  constructor(
    private readonly map: LabelMap,
    readonly value: number,
    readonly only: number | null,
  ) {}

  /** Paint spans. */
  paint(spans: readonly Span[]): void {
    const { pixels, columns } = this.map;
    for (const { row, columnMin, columnMax } of spans) {
      for (let index = row * columns + columnMin; index < row * columns + columnMax; index++) {
        const old = pixels[index];
        if (old === this.value || (this.only !== null && old !== this.only)) continue;
        this.indices.push(index);
        this.before.push(old);
        pixels[index] = this.value;
      }
    }
  }

  /** Tell what changed; null if nothing did. */
  finish(): Change | null {
    if (this.indices.length === 0) return null;
    return { indices: Uint32Array.from(this.indices), before: Uint8Array.from(this.before), after: this.value };
  }
}

/** Find the smallest box around a change. */
export function boxOf(change: Change, columns: number): Box {
  const box = { rowMin: Infinity, columnMin: Infinity, rowMax: 0, columnMax: 0 };
  for (const index of change.indices) {
    const row = Math.floor(index / columns);
    const column = index % columns;
    box.rowMin = Math.min(box.rowMin, row);
    box.rowMax = Math.max(box.rowMax, row + 1);
    box.columnMin = Math.min(box.columnMin, column);
    box.columnMax = Math.max(box.columnMax, column + 1);
  }
  return box;
}

/** Put the pixels of a change back as they were before it. */
export function revert(map: LabelMap, change: Change): void {
  change.indices.forEach((index, i) => (map.pixels[index] = change.before[i]));
}

/** Make a change again. */
export function repeat(map: LabelMap, change: Change): void {
  for (const index of change.indices) map.pixels[index] = change.after;
}

/** The changes of this visit, without limit; what is older the server undoes. */
export class History {
  private past: Change[] = [];
  private future: Change[] = [];

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  push(change: Change): void {
    this.past.push(change);
    this.future = [];
  }

  /** Undo the newest change of the map; null if there is none. */
  undo(map: LabelMap): Change | null {
    const change = this.past.pop() ?? null;
    if (change === null) return null;
    revert(map, change);
    this.future.push(change);
    return change;
  }

  /** Make the change again that was undone last; null if there is none. */
  redo(map: LabelMap): Change | null {
    const change = this.future.pop() ?? null;
    if (change === null) return null;
    repeat(map, change);
    this.past.push(change);
    return change;
  }

  clear(): void {
    this.past = [];
    this.future = [];
  }
}

/** Boxes of experts: whole pixels, half-open, inside the image. */

import type { Box, Point, Size } from "./raster";

/** Which edges of a box a drag moves; none: all of the box. */
export interface Grip {
  row: -1 | 0 | 1;
  column: -1 | 0 | 1;
}

/** Make the box between two corners, in whatever order; it covers every pixel the drag touched. */
export function boxBetween(a: Point, b: Point, size: Size): Box {
  const place = (value: number, end: number) => Math.min(end, Math.max(0, value));
  return {
    rowMin: place(Math.floor(Math.min(a.row, b.row)), size.rows),
    columnMin: place(Math.floor(Math.min(a.column, b.column)), size.columns),
    rowMax: place(Math.ceil(Math.max(a.row, b.row)), size.rows),
    columnMax: place(Math.ceil(Math.max(a.column, b.column)), size.columns),
  };
}

export function shortestSide(box: Box): number {
  return Math.min(box.rowMax - box.rowMin, box.columnMax - box.columnMin);
}

/** Move a box by whole pixels; it keeps its size and stays inside. */
export function moveBox(box: Box, rows: number, columns: number, size: Size): Box {
  const down = Math.min(size.rows - box.rowMax, Math.max(-box.rowMin, Math.round(rows)));
  const right = Math.min(size.columns - box.columnMax, Math.max(-box.columnMin, Math.round(columns)));
  return {
    rowMin: box.rowMin + down,
    columnMin: box.columnMin + right,
    rowMax: box.rowMax + down,
    columnMax: box.columnMax + right,
  };
}

/** Move the gripped edges of a box; sides do not get shorter than `minimum`, edges do not leave the image. */
export function resizeBox(box: Box, grip: Grip, rows: number, columns: number, size: Size, minimum: number): Box {
  const [rowMin, rowMax] = stretch(box.rowMin, box.rowMax, grip.row, Math.round(rows), size.rows, minimum);
  const [columnMin, columnMax] = stretch(
    box.columnMin,
    box.columnMax,
    grip.column,
    Math.round(columns),
    size.columns,
    minimum,
  );
  return { rowMin, columnMin, rowMax, columnMax };
}

function stretch(low: number, high: number, grip: number, by: number, end: number, minimum: number): [number, number] {
  if (grip < 0) return [Math.max(0, Math.min(high - minimum, low + by)), high];
  if (grip > 0) return [low, Math.min(end, Math.max(low + minimum, high + by))];
  return [low, high];
}

/** Find what a point takes hold of: an edge or corner within `reach`, else the inside; null if it misses the box. */
export function gripAt(box: Box, point: Point, reach: number): Grip | null {
  const row = edgeAt(box.rowMin, box.rowMax, point.row, reach);
  const column = edgeAt(box.columnMin, box.columnMax, point.column, reach);
  return row === null || column === null ? null : { row, column };
}

function edgeAt(low: number, high: number, value: number, reach: number): -1 | 0 | 1 | null {
  if (value < low - reach || value > high + reach) return null;
  const hold = Math.min(reach, (high - low) / 4); // half of a small box is still its inside
  if (value < low + hold) return -1;
  return value > high - hold ? 1 : 0;
}

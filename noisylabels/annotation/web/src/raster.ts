/**
 * Label maps as pixels: what brush, polygon and fill change.
 *
 * A point is in image coordinates: pixel (row, column) covers [row, row + 1) x [column, column + 1), its centre is at
 * (row + 0.5, column + 0.5). A pixel belongs to a shape when its centre does: there is no anti-aliasing.
 */

export interface Point {
  row: number;
  column: number;
}

/** Half-open, in whole pixels. */
export interface Box {
  rowMin: number;
  columnMin: number;
  rowMax: number;
  columnMax: number;
}

/** Pixels columnMin..columnMax - 1 of a row. */
export interface Span {
  row: number;
  columnMin: number;
  columnMax: number;
}

export interface LabelMap {
  rows: number;
  columns: number;
  /** Class indices, row by row. */
  pixels: Uint8Array;
}

export interface Size {
  rows: number;
  columns: number;
}

/** Move a point so that a round brush of this diameter covers whole pixels: onto a centre if odd, a corner if even. */
export function snap(point: Point, diameter: number): Point {
  const place = (value: number) => (diameter % 2 === 1 ? Math.floor(value) + 0.5 : Math.round(value));
  return { row: place(point.row), column: place(point.column) };
}

/** Find the pixels within half a diameter of a line between two points: one movement of a round brush. */
export function coverLine(from: Point, to: Point, diameter: number, size: Size): Span[] {
  const radius = diameter / 2;
  const [rowMin, rowMax] = reach(from.row, to.row, radius, size.rows);
  const [columnMin, columnMax] = reach(from.column, to.column, radius, size.columns);
  const dRow = to.row - from.row;
  const dColumn = to.column - from.column;
  const length2 = dRow * dRow + dColumn * dColumn;
  const spans: Span[] = [];
  for (let row = rowMin; row < rowMax; row++) {
    let first = -1;
    let last = -1;
    for (let column = columnMin; column < columnMax; column++) {
      const y = row + 0.5 - from.row;
      const x = column + 0.5 - from.column;
      const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, (y * dRow + x * dColumn) / length2));
      const distance2 = (y - along * dRow) ** 2 + (x - along * dColumn) ** 2;
      if (distance2 > radius * radius + 1e-9) continue;
      if (first < 0) first = column;
      last = column;
    }
    if (first >= 0) spans.push({ row, columnMin: first, columnMax: last + 1 }); // a capsule is convex: one span a row
  }
  return spans;
}

function reach(a: number, b: number, radius: number, end: number): [number, number] {
  return [Math.max(0, Math.floor(Math.min(a, b) - radius)), Math.min(end, Math.ceil(Math.max(a, b) + radius))];
}

/** Find the pixels inside a closed polygon by non-zero winding: where a lasso crosses itself it leaves no hole. */
export function coverPolygon(points: readonly Point[], size: Size): Span[] {
  if (points.length < 3) return [];
  const rows = points.map((point) => point.row);
  const rowMin = Math.max(0, Math.floor(Math.min(...rows)));
  const rowMax = Math.min(size.rows, Math.ceil(Math.max(...rows)));
  const spans: Span[] = [];
  for (let row = rowMin; row < rowMax; row++) {
    let winding = 0;
    let entered = 0;
    for (const crossing of crossingsAt(points, row + 0.5)) {
      if (winding === 0) entered = crossing.column;
      winding += crossing.turn;
      if (winding !== 0) continue;
      const columnMin = Math.max(0, Math.ceil(entered - 0.5));
      const columnMax = Math.min(size.columns, Math.ceil(crossing.column - 0.5));
      if (columnMin < columnMax) spans.push({ row, columnMin, columnMax });
    }
  }
  return spans;
}

function crossingsAt(points: readonly Point[], y: number): { column: number; turn: number }[] {
  const crossings = [];
  for (let i = 0; i < points.length; i++) {
    const a = points[i];
    const b = points[(i + 1) % points.length];
    if (a.row <= y === b.row <= y) continue;
    const column = a.column + ((y - a.row) / (b.row - a.row)) * (b.column - a.column);
    crossings.push({ column, turn: a.row < b.row ? 1 : -1 });
  }
  return crossings.sort((a, b) => a.column - b.column);
}

/**
 * Find the connected pixels of one class around a point.
 *
 * Events are 8-connected; background is 4-connected, so that it does not leak through a closed outline.
 */
export function coverRegion(map: LabelMap, point: Point): Span[] {
  const { rows, columns, pixels } = map;
  const start = indexOf(map, point);
  if (start === null) return [];
  const wanted = pixels[start];
  const diagonal = wanted === 0 ? 0 : 1;
  const seen = new Uint8Array(pixels.length);
  const spans: Span[] = [];
  const waiting = [start];
  while (waiting.length > 0) {
    const index = waiting.pop()!;
    if (seen[index]) continue;
    const row = Math.floor(index / columns);
    const base = row * columns;
    let columnMin = index - base;
    let columnMax = columnMin + 1;
    while (columnMin > 0 && pixels[base + columnMin - 1] === wanted) columnMin--;
    while (columnMax < columns && pixels[base + columnMax] === wanted) columnMax++;
    seen.fill(1, base + columnMin, base + columnMax);
    spans.push({ row, columnMin, columnMax });
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= rows) continue;
      const end = Math.min(columns, columnMax + diagonal);
      for (let column = Math.max(0, columnMin - diagonal); column < end; column++) {
        const neighbour = next * columns + column;
        if (pixels[neighbour] === wanted && !seen[neighbour]) waiting.push(neighbour);
      }
    }
  }
  return spans;
}

/** Find the place of the pixel under a point; null outside of the map. */
export function indexOf(size: Size, point: Point): number | null {
  const row = Math.floor(point.row);
  const column = Math.floor(point.column);
  const inside = row >= 0 && column >= 0 && row < size.rows && column < size.columns;
  return inside ? row * size.columns + column : null;
}

/** Find the smallest box around spans; null around none. */
export function boxAround(spans: readonly Span[]): Box | null {
  if (spans.length === 0) return null;
  const box = { rowMin: Infinity, columnMin: Infinity, rowMax: 0, columnMax: 0 };
  for (const span of spans) {
    box.rowMin = Math.min(box.rowMin, span.row);
    box.rowMax = Math.max(box.rowMax, span.row + 1);
    box.columnMin = Math.min(box.columnMin, span.columnMin);
    box.columnMax = Math.max(box.columnMax, span.columnMax);
  }
  return box;
}

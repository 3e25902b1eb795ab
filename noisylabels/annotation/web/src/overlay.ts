/** From class indices to a transparent picture over the image. */

import { classColour } from "./colours";
import type { Box, LabelMap, Size } from "./raster";

export interface OverlayStyle {
  /** 0 (nothing) to 1 (covers the image). */
  opacity: number;
  /** Only the rim of events; every second class dashed, for those who do not tell the colours apart. */
  outline: boolean;
  /** Every second pixel of a rim only. */
  dotted?: boolean;
}

/** "Cannot tell here": hatched. */
export const IGNORE = 255;

/** Widen a box by one pixel, inside the map: a changed pixel changes whether its neighbours are rim. */
export function widen(box: Box, size: Size): Box {
  return {
    rowMin: Math.max(0, box.rowMin - 1),
    columnMin: Math.max(0, box.columnMin - 1),
    rowMax: Math.min(size.rows, box.rowMax + 1),
    columnMax: Math.min(size.columns, box.columnMax + 1),
  };
}

/** Colour the labels of a box. Returns RGBA, row by row of the box. */
export function colourLabels(map: LabelMap, box: Box, style: OverlayStyle): Uint8ClampedArray<ArrayBuffer> {
  const width = box.columnMax - box.columnMin;
  const rgba = new Uint8ClampedArray(4 * width * (box.rowMax - box.rowMin));
  const pixels = new Uint32Array(rgba.buffer);
  const colours = tabulateClasses(style.opacity);
  let place = 0;
  for (let row = box.rowMin; row < box.rowMax; row++) {
    for (let column = box.columnMin; column < box.columnMax; column++, place++) {
      const index = map.pixels[row * map.columns + column];
      if (index === 0 || !isShown(map, row, column, index, style)) continue;
      pixels[place] = colours[index];
    }
  }
  return rgba;
}

function tabulateClasses(opacity: number): Uint32Array {
  const alpha = Math.round(255 * opacity);
  return Uint32Array.from({ length: 256 }, (_, index) => {
    const [red, green, blue] = classColour(index);
    return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

function isShown(map: LabelMap, row: number, column: number, index: number, style: OverlayStyle): boolean {
  if (style.dotted && (row + column) % 2 === 1) return false;
  if (style.outline) return isDrawn(map, row, column, index);
  return index !== IGNORE || (row + column) % 4 < 2;
}

function isDrawn(map: LabelMap, row: number, column: number, index: number): boolean {
  const dashed = index % 2 === 0 && (row + column) % 4 === 3;
  return isRim(map, row, column, index) && !dashed;
}

function isRim(map: LabelMap, row: number, column: number, index: number): boolean {
  const { rows, columns, pixels } = map;
  const place = row * columns + column;
  return (
    row === 0 ||
    column === 0 ||
    row === rows - 1 ||
    column === columns - 1 ||
    pixels[place - columns] !== index ||
    pixels[place + columns] !== index ||
    pixels[place - 1] !== index ||
    pixels[place + 1] !== index
  );
}

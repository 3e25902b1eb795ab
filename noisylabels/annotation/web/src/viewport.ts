/** Which part of an image is on the screen: screen = image * scale + offset. */

import type { Point, Size } from "./raster";

export interface View {
  /** Screen pixels per image pixel. */
  scale: number;
  x: number;
  y: number;
}

export interface Place {
  x: number;
  y: number;
}

export interface Extent {
  width: number;
  height: number;
}

export const LARGEST_SCALE = 48;

/** Show the whole image in the middle. */
export function fit(image: Size, screen: Extent, margin = 12): View {
  const across = (screen.width - 2 * margin) / image.columns;
  const down = (screen.height - 2 * margin) / image.rows;
  const scale = Math.max(1e-3, Math.min(across, down));
  return { scale, x: (screen.width - image.columns * scale) / 2, y: (screen.height - image.rows * scale) / 2 };
}

/** Move a view so far that a part of the image stays in sight. */
export function keepInSight(view: View, image: Size, screen: Extent): View {
  const keep = 48;
  const clamp = (value: number, length: number, room: number) =>
    Math.min(room - keep, Math.max(keep - length * view.scale, value));
  return {
    scale: view.scale,
    x: clamp(view.x, image.columns, screen.width),
    y: clamp(view.y, image.rows, screen.height),
  };
}

/** Choose the longest bar of 1, 2 or 5 times a power of ten micrometres that is not longer than 120 pixels. */
export function scaleBar(pxPerUm: number): { um: number; px: number } {
  const longest = 120 / pxPerUm;
  const power = 10 ** Math.floor(Math.log10(longest));
  const um = [5, 2, 1].map((n) => n * power).find((length) => length <= longest) ?? power;
  return { um: Number(um.toPrecision(1)), px: um * pxPerUm };
}

export function toImage(view: View, place: Place): Point {
  return { row: (place.y - view.y) / view.scale, column: (place.x - view.x) / view.scale };
}

export function toScreen(view: View, point: Point): Place {
  return { x: point.column * view.scale + view.x, y: point.row * view.scale + view.y };
}

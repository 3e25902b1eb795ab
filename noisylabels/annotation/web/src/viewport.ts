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

const LARGEST_SCALE = 48;

/** Show the whole image in the middle. */
export function fit(image: Size, screen: Extent, margin = 12): View {
  const across = (screen.width - 2 * margin) / image.columns;
  const down = (screen.height - 2 * margin) / image.rows;
  const scale = Math.max(1e-3, Math.min(across, down));
  return { scale, x: (screen.width - image.columns * scale) / 2, y: (screen.height - image.rows * scale) / 2 };
}

/** Zoom by a factor; the image point at `at` stays where it is. */
export function zoom(view: View, factor: number, at: Place, smallest: number): View {
  const scale = Math.min(LARGEST_SCALE, Math.max(smallest, view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

/** Move the image on the screen; a part of it always stays in sight. */
export function pan(view: View, dx: number, dy: number, image: Size, screen: Extent): View {
  const keep = 48;
  const clamp = (value: number, length: number, room: number) =>
    Math.min(room - keep, Math.max(keep - length * view.scale, value));
  return {
    scale: view.scale,
    x: clamp(view.x + dx, image.columns, screen.width),
    y: clamp(view.y + dy, image.rows, screen.height),
  };
}

export function toImage(view: View, place: Place): Point {
  return { row: (place.y - view.y) / view.scale, column: (place.x - view.x) / view.scale };
}

export function toScreen(view: View, point: Point): Place {
  return { x: point.column * view.scale + view.x, y: point.row * view.scale + view.y };
}

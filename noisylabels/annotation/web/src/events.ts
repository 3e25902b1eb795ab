/** Events of a label map: 8-connected components of one class. */

import type { LabelMap } from "./raster";

/** Count the events of every class index; [0], the background, is 0. */
export function countEvents({ rows, columns, pixels }: LabelMap): Uint32Array {
  const counts = new Uint32Array(256);
  const roots = new Int32Array(pixels.length); // of each labelled pixel a pixel of its event
  const rootOf = (place: number): number => {
    while (roots[place] !== place) place = roots[place] = roots[roots[place]];
    return place;
  };
  for (let row = 0, place = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, place++) {
      const index = pixels[place];
      if (index === 0) continue;
      roots[place] = place;
      counts[index]++;
      const join = (neighbour: number) => {
        if (pixels[neighbour] !== index) return;
        const [a, b] = [rootOf(neighbour), rootOf(place)];
        if (a === b) return;
        roots[b] = a;
        counts[index]--;
      };
      if (column > 0) join(place - 1);
      if (row === 0) continue;
      if (column > 0) join(place - columns - 1);
      join(place - columns);
      if (column < columns - 1) join(place - columns + 1);
    }
  }
  return counts;
}

/** From camera counts to colours. Looking never changes what was measured. */

import table from "./colours.json";

/** The two ends of a channel's contrast, in counts; gamma bends the line between (below 1: dim things brighter). */
export type Contrast = [low: number, high: number, gamma?: number];

export type Rgb = [number, number, number];

/** All channels together, or one of them in grey. */
export type Look = "together" | number;

/**
 * Six classes and three channels that all eyes tell apart, also those without L, M or S cones: `colours.json`, which the
 * server's thumbnails and the napari plugin read too; `tests/annotation/test_colours.py` measures the distances.
 */
const CHANNEL_COLOURS = table.channels as Rgb[];
const CLASS_COLOURS = table.classes as Rgb[];

export function channelColour(channel: number): Rgb {
  return CHANNEL_COLOURS[channel] ?? (table.further_channels as Rgb);
}

/** The colour of a foreground class (index 1 and up). */
export function classColour(index: number): Rgb {
  if (index === 255) return [190, 190, 190]; // ignored
  return CLASS_COLOURS[(index - 1 + CLASS_COLOURS.length) % CLASS_COLOURS.length];
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

/**
 * Tabulate the brightness of every count: 0 up to `low`, 255 from `high` on, a line between, straight for a gamma of 1.
 *
 * Ends that are no numbers, or the wrong way round, show a step at `low` instead of nothing.
 */
export function tabulate([low, high, gamma = 1]: Contrast): Uint8Array {
  const start = Number.isFinite(low) ? low : 0;
  const end = Number.isFinite(high) && high > start ? high : start + 1;
  const table = new Uint8Array(65536);
  for (let count = 0; count < table.length; count++) {
    table[count] = Math.round(255 * Math.min(1, Math.max(0, (count - start) / (end - start))) ** gamma);
  }
  return table;
}

/** Colour an image: each channel through its table in its colour and added, or one channel in grey. */
export function colourImage(
  planes: readonly Uint16Array[],
  tables: readonly Uint8Array[],
  look: Look,
  rgba: Uint8ClampedArray,
): void {
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  if (look !== "together") {
    const plane = planes[look];
    const grey = Uint32Array.from(tables[look], (value) => (0xff000000 | (value * 0x010101)) >>> 0);
    for (let i = 0; i < pixels.length; i++) pixels[i] = grey[plane[i]];
    return;
  }
  const lit = tables.map((table, channel) => Uint32Array.from(table, (value) => pack(channelColour(channel), value)));
  if (planes.length === 2) {
    const [first, second] = planes;
    const [left, right] = lit;
    for (let i = 0; i < pixels.length; i++) pixels[i] = (left[first[i]] | right[second[i]]) >>> 0; // no colour in common
    return;
  }
  rgba.fill(0);
  planes.forEach((plane, channel) => {
    const [red, green, blue] = channelColour(channel);
    for (let i = 0; i < plane.length; i++) {
      const value = tables[channel][plane[i]] / 255;
      rgba[4 * i] += red * value;
      rgba[4 * i + 1] += green * value;
      rgba[4 * i + 2] += blue * value;
      rgba[4 * i + 3] = 255;
    }
  });
}

/** One pixel as canvases keep it on little-endian machines: alpha, blue, green, red from the top. */
function pack([red, green, blue]: Rgb, value: number): number {
  const part = (colour: number) => Math.round((colour * value) / 255);
  return (0xff000000 | (part(blue) << 16) | (part(green) << 8) | part(red)) >>> 0;
}

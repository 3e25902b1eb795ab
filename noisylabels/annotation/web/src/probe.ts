/** What tests and benchmarks read of a page. Nothing of the page depends on it. */

export interface Probe {
  /** When the page could be worked on, in ms since it was asked for; null before. */
  readyMs: number | null;
  /** What the latest movements of a painting pointer took. */
  paintMs: number[];
  /** What the latest drawings onto the screen took. */
  frameMs: number[];
  /** Hashes the label map of the page. */
  hash: () => Promise<string>;
  /** Where an image point is on the page. */
  locate: (row: number, column: number) => { x: number; y: number };
}

declare global {
  interface Window {
    desk: Probe;
  }
}

const KEPT = 2000;

export const probe: Probe = {
  readyMs: null,
  paintMs: [],
  frameMs: [],
  hash: () => Promise.reject(new Error("No label map is shown.")),
  locate: () => ({ x: 0, y: 0 }),
};
window.desk = probe;

/** Say that the page can be worked on. */
export function ready(): void {
  probe.readyMs = performance.now();
  document.body.dataset.ready = "yes";
}

/** Measure what a piece of work takes. */
export function timed(times: number[], work: () => void): void {
  const start = performance.now();
  work();
  times.push(performance.now() - start);
  if (times.length > KEPT) times.shift();
}

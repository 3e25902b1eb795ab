/** Painting on the label map of the page: one stroke at a time, each told when it is finished. */

import { boxOf, History, revert, Stroke } from "../history";
import { boxAround, type LabelMap, type Span } from "../raster";
import type { Stage } from "../stage";

/** The names the server keeps. */
export type StrokeTool = "brush" | "eraser" | "lasso" | "polygon" | "fill" | "clear";

export class Painter {
  readonly history = new History();
  map: LabelMap | null = null;
  /** The class index that is painted. */
  value = 1;
  /** If not null: only pixels of this class may change. */
  only: number | null = null;
  /** Of brush and eraser, in image pixels. */
  diameter = 7;
  /** While true nothing can be painted. */
  locked = false;
  onStroke: (tool: StrokeTool) => void = () => {};

  private stroke: Stroke | null = null;

  constructor(private readonly stage: Stage) {}

  get drawing(): boolean {
    return this.stroke !== null;
  }

  /** Take over another label map; what was painted on the one before is history of the server. */
  show(map: LabelMap | null): void {
    this.stroke = null;
    this.history.clear();
    this.map = map;
    this.stage.setMap(map);
  }

  begin(value: number = this.value): void {
    if (this.map !== null && !this.locked) this.stroke = new Stroke(this.map, value, this.only);
  }

  paint(spans: readonly Span[]): void {
    const box = boxAround(spans);
    if (this.stroke === null || box === null) return;
    this.stroke.paint(spans);
    this.stage.repaint(box);
  }

  end(tool: StrokeTool): void {
    const change = this.stroke?.finish() ?? null;
    this.stroke = null;
    if (change === null) return;
    this.history.push(change);
    this.onStroke(tool);
  }

  cancel(): void {
    const change = this.stroke?.finish() ?? null;
    this.stroke = null;
    if (change === null || this.map === null) return;
    revert(this.map, change);
    this.stage.repaint(boxOf(change, this.map.columns));
  }

  /** Paint one shape as a stroke of its own. */
  paintAt(tool: StrokeTool, spans: readonly Span[], value: number = this.value): void {
    this.begin(value);
    this.paint(spans);
    this.end(tool);
  }

  /** Go back or forward in this visit's strokes; false if there is none. */
  step(kind: "undo" | "redo"): boolean {
    if (this.map === null) return false;
    const change = kind === "undo" ? this.history.undo(this.map) : this.history.redo(this.map);
    if (change === null) return false;
    this.stage.repaint(boxOf(change, this.map.columns));
    return true;
  }
}

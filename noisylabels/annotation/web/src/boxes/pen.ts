/** The pointer on the boxes page: draws, takes hold, moves, resizes. */

import { boxBetween, gripAt, moveBox, resizeBox, shortestSide, type Grip } from "../boxes";
import { classColour, css } from "../colours";
import { newKey } from "../api";
import type { Box, Point, Size } from "../raster";
import type { Stage, Tool } from "../stage";
import { toScreen, type View } from "../viewport";
import type { Actions, ClassBox } from "./actions";

const REACH_PX = 6;

interface Drag {
  from: Point;
  /** The box that is held, null while a new one is drawn. */
  held: ClassBox | null;
  grip: Grip;
  now: Box;
}

export class Pen implements Tool {
  readonly cursor = "crosshair";
  classIndex = 1;
  selected: string | null = null;
  minimum = 3;
  /** Draws a new box also where one lies already. */
  draws = false;
  onSelect: () => void = () => {};
  onTooSmall: () => void = () => {};
  private drag: Drag | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly actions: Actions,
    private size: Size,
  ) {}

  get box(): ClassBox | null {
    return this.actions.boxes.find((box) => box.id === this.selected) ?? null;
  }

  get drawing(): boolean {
    return this.drag !== null;
  }

  show(size: Size): void {
    this.size = size;
    this.drag = null;
    this.select(null);
  }

  select(id: string | null): void {
    this.selected = id;
    this.onSelect();
    this.stage.sketch();
  }

  /** Shift draws a new box wherever it begins, also inside another. */
  down(point: Point, event: PointerEvent): void {
    const held = event.shiftKey || this.draws ? null : this.find(point);
    const grip = held === null ? { row: 0 as const, column: 0 as const } : gripAt(held, point, this.reach())!;
    this.drag = { from: point, held, grip, now: held ?? boxBetween(point, point, this.size) };
    this.select(held?.id ?? null);
  }

  move(points: Point[]): void {
    const point = points[points.length - 1];
    if (this.drag === null) {
      this.stage.host.style.cursor = this.cursorAt(point);
      return;
    }
    this.drag.now = this.follow(this.drag, point);
    this.stage.sketch();
  }

  up(): void {
    const drag = this.drag;
    this.drag = null;
    if (drag === null) return;
    if (drag.held !== null) this.change(drag.held, { ...drag.held, ...drag.now });
    else this.add(drag.now);
    if (drag.held === null) this.select(null); // so that the class of the next box is chosen without changing this one
    this.stage.sketch();
  }

  cancel(): void {
    this.drag = null;
    this.stage.sketch();
  }

  /** Draw a box, unless it is a slip of the mouse. */
  add(box: Box): void {
    const side = shortestSide(box);
    if (side < this.minimum) {
      if (Math.max(box.rowMax - box.rowMin, box.columnMax - box.columnMin) > 1) this.onTooSmall();
      return;
    }
    const drawn = { id: newKey(), classIndex: this.classIndex, ...box };
    this.actions.act(null, drawn);
    this.select(drawn.id);
  }

  change(before: ClassBox, after: ClassBox): void {
    const keys = ["classIndex", "rowMin", "columnMin", "rowMax", "columnMax"] as const;
    if (keys.some((key) => before[key] !== after[key])) this.actions.act(before, after);
  }

  /** Move the selected box by keys, or its lower right corner. */
  nudge(rows: number, columns: number, resize: boolean): void {
    const { box } = this;
    if (box === null) return;
    const grip: Grip = { row: rows === 0 ? 0 : 1, column: columns === 0 ? 0 : 1 };
    const moved = resize
      ? resizeBox(box, grip, rows, columns, this.size, this.minimum)
      : moveBox(box, rows, columns, this.size);
    this.change(box, { ...box, ...moved });
  }

  sketch(context: CanvasRenderingContext2D, view: View): void {
    for (const box of this.actions.boxes) {
      const now = this.drag?.held?.id === box.id ? this.drag.now : box;
      drawBox(context, view, now, box.classIndex, box.id === this.selected);
    }
    if (this.drag !== null && this.drag.held === null) drawBox(context, view, this.drag.now, this.classIndex, true);
  }

  private follow({ from, held, grip }: Drag, point: Point): Box {
    if (held === null) return boxBetween(from, point, this.size);
    const [rows, columns] = [point.row - from.row, point.column - from.column];
    const moves = grip.row === 0 && grip.column === 0;
    return moves
      ? moveBox(held, rows, columns, this.size)
      : resizeBox(held, grip, rows, columns, this.size, this.minimum);
  }

  /** Find the box under a point: the selected one first, then the smallest, so that none hides another. */
  private find(point: Point): ClassBox | null {
    const hits = this.actions.boxes.filter((box) => gripAt(box, point, this.reach()) !== null);
    const area = (box: Box) => (box.rowMax - box.rowMin) * (box.columnMax - box.columnMin);
    return hits.find((box) => box.id === this.selected) ?? hits.sort((a, b) => area(a) - area(b))[0] ?? null;
  }

  private reach(): number {
    return REACH_PX / this.stage.view.scale;
  }

  private cursorAt(point: Point): string {
    const box = this.draws ? null : this.find(point);
    if (box === null) return this.cursor;
    const { row, column } = gripAt(box, point, this.reach())!;
    if (row === 0 && column === 0) return "move";
    if (row === 0) return "ew-resize";
    if (column === 0) return "ns-resize";
    return row === column ? "nwse-resize" : "nesw-resize";
  }
}

function drawBox(context: CanvasRenderingContext2D, view: View, box: Box, classIndex: number, selected: boolean): void {
  const low = toScreen(view, { row: box.rowMin, column: box.columnMin });
  const high = toScreen(view, { row: box.rowMax, column: box.columnMax });
  const edges = [low.x, low.y, high.x - low.x, high.y - low.y] as const;
  context.setLineDash(classIndex % 2 === 0 ? [7, 3] : []); // told apart without colour, too
  context.lineWidth = selected ? 5 : 3.5;
  context.strokeStyle = selected ? "#fff" : "#000b";
  context.strokeRect(...edges);
  context.lineWidth = 2;
  context.strokeStyle = css(classColour(classIndex));
  context.strokeRect(...edges);
  context.setLineDash([]);
}

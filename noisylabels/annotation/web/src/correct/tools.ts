/** The tools of the correction page: what each does with the pointer. */

import { classColour, css } from "../colours";
import { probe, timed } from "../probe";
import { coverLine, coverPolygon, coverRegion, indexOf, snap, type Box, type Point } from "../raster";
import { boxBetween } from "../boxes";
import type { Stage, Tool } from "../stage";
import { toScreen, type View } from "../viewport";
import type { Painter, StrokeTool } from "./painter";

export type ToolName = "brush" | "eraser" | "lasso" | "polygon" | "fill" | "pick" | "region" | "pan";

export interface ToolEvents {
  onPick: (value: number) => void;
  onRegion: (box: Box) => void;
}

/** Make every tool of the page. */
export function makeTools(stage: Stage, painter: Painter, events: ToolEvents): Record<ToolName, Tool> {
  return {
    brush: new Brush(stage, painter, "brush"),
    eraser: new Brush(stage, painter, "eraser"),
    lasso: new Lasso(stage, painter),
    polygon: new Polygon(stage, painter),
    fill: {
      cursor: "crosshair",
      up: (point) => painter.map && painter.paintAt("fill", coverRegion(painter.map, point)),
    },
    pick: {
      cursor: "copy",
      up(point) {
        const index = painter.map && indexOf(painter.map, point);
        if (index !== null) events.onPick(painter.map!.pixels[index]);
      },
    },
    region: new Region(stage, painter, events.onRegion),
    pan: { cursor: "grab" },
  };
}

class Brush implements Tool {
  readonly cursor = "none";
  private at: Point | null = null;
  private from: Point | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly painter: Painter,
    private readonly name: StrokeTool,
  ) {}

  down(point: Point): void {
    this.painter.begin(this.value);
    if (this.painter.drawing) timed(probe.paintMs, () => this.dab([point]));
  }

  move(points: Point[]): void {
    this.at = points[points.length - 1];
    this.stage.sketch();
    if (this.painter.drawing) timed(probe.paintMs, () => this.dab(points));
  }

  up(): void {
    this.from = null;
    this.painter.end(this.name);
  }

  cancel(): void {
    this.from = null;
    this.painter.cancel();
  }

  sketch(context: CanvasRenderingContext2D, view: View): void {
    if (this.at === null) return;
    const { x, y } = toScreen(view, snap(this.at, this.painter.diameter));
    const radius = Math.max(2, (this.painter.diameter / 2) * view.scale);
    for (const [width, colour] of [[3, "#000a"], [1.5, this.value === 0 ? "#fff" : css(classColour(this.value))]] as const) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  private get value(): number {
    return this.name === "eraser" ? 0 : this.painter.value;
  }

  private dab(points: Point[]): void {
    const { diameter, map } = this.painter;
    for (const point of points) {
      const to = snap(point, diameter);
      this.painter.paint(coverLine(this.from ?? to, to, diameter, map!));
      this.from = to;
    }
  }
}

class Lasso implements Tool {
  readonly cursor = "crosshair";
  private points: Point[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly painter: Painter,
  ) {}

  down(point: Point): void {
    this.points = [point];
  }

  move(points: Point[]): void {
    if (this.points.length === 0) return;
    this.points.push(...points);
    this.stage.sketch();
  }

  up(): void {
    const points = this.points;
    this.cancel();
    if (this.painter.map !== null) this.painter.paintAt("lasso", coverPolygon(points, this.painter.map));
  }

  cancel(): void {
    this.points = [];
    this.stage.sketch();
  }

  sketch(context: CanvasRenderingContext2D, view: View): void {
    drawPath(context, view, this.points, this.painter.value);
  }
}

/** Corner by corner; closed by a double click, Enter, or a click on the first corner. */
class Polygon implements Tool {
  readonly cursor = "crosshair";
  private points: Point[] = [];
  private at: Point | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly painter: Painter,
  ) {}

  up(point: Point): void {
    if (this.painter.locked) return;
    if (this.points.length > 2 && this.isNear(point, this.points[0])) return this.close();
    const last = this.points[this.points.length - 1];
    if (last === undefined || !this.isNear(point, last)) this.points.push(point);
    this.stage.sketch();
  }

  move(points: Point[]): void {
    this.at = points[points.length - 1];
    this.stage.sketch();
  }

  doubleClick(): void {
    this.close();
  }

  /** Keep the corners: a press sets one only when it is lifted. */
  interrupt(): void {}

  stepBack(): boolean {
    if (this.points.pop() === undefined) return false;
    this.stage.sketch();
    return true;
  }

  /** Paint what was drawn; true if there was something. */
  finish(): boolean {
    if (this.points.length === 0) return false;
    this.close();
    return true;
  }

  cancel(): void {
    this.points = [];
    this.stage.sketch();
  }

  sketch(context: CanvasRenderingContext2D, view: View): void {
    const open = this.points.length > 0 && this.at !== null ? [...this.points, this.at] : this.points;
    drawPath(context, view, open, this.painter.value);
    if (this.points.length > 2) drawCorner(context, view, this.points[0]);
  }

  private close(): void {
    const points = this.points;
    this.cancel();
    if (this.painter.map !== null) this.painter.paintAt("polygon", coverPolygon(points, this.painter.map));
  }

  private isNear(a: Point, b: Point): boolean {
    return Math.hypot(a.row - b.row, a.column - b.column) * this.stage.view.scale < 8;
  }
}

class Region implements Tool {
  readonly cursor = "crosshair";
  private from: Point | null = null;
  private to: Point | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly painter: Painter,
    private readonly onRegion: (box: Box) => void,
  ) {}

  down(point: Point): void {
    this.from = this.to = point;
  }

  move(points: Point[]): void {
    if (this.from === null) return;
    this.to = points[points.length - 1];
    this.stage.sketch();
  }

  up(): void {
    const { from, to } = this;
    this.cancel();
    if (from === null || to === null || this.painter.map === null) return;
    const box = boxBetween(from, to, this.painter.map);
    if (box.rowMin < box.rowMax && box.columnMin < box.columnMax) this.onRegion(box);
  }

  cancel(): void {
    this.from = this.to = null;
    this.stage.sketch();
  }

  sketch(context: CanvasRenderingContext2D, view: View): void {
    if (this.from === null || this.to === null) return;
    const corners = [this.from, { row: this.from.row, column: this.to.column }, this.to];
    drawPath(context, view, [...corners, { row: this.to.row, column: this.from.column }, this.from], 0);
  }
}

function drawPath(context: CanvasRenderingContext2D, view: View, points: Point[], value: number): void {
  if (points.length === 0) return;
  context.beginPath();
  for (const point of points) {
    const { x, y } = toScreen(view, point);
    context.lineTo(x, y);
  }
  context.setLineDash([]);
  context.lineWidth = 3;
  context.strokeStyle = "#000a";
  context.stroke();
  context.lineWidth = 1.5;
  context.setLineDash([6, 3]);
  context.strokeStyle = value === 0 ? "#fff" : css(classColour(value));
  context.stroke();
  context.setLineDash([]);
}

function drawCorner(context: CanvasRenderingContext2D, view: View, point: Point): void {
  const { x, y } = toScreen(view, point);
  context.strokeStyle = "#fff";
  context.strokeRect(x - 4, y - 4, 8, 8);
}

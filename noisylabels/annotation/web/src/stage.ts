/** An image with its labels on the screen: drawn, zoomed, moved, pointed at. */

import { colourImage, tabulate, type Contrast, type Look } from "./colours";
import { colourLabels, widen, type OverlayStyle } from "./overlay";
import { probe, timed } from "./probe";
import type { Box, LabelMap, Point, Size } from "./raster";
import { fit, pan, toImage, toScreen, zoom, type Place, type View } from "./viewport";

/** What the pointer does to an image. Points are in image coordinates. */
export interface Tool {
  cursor: string;
  down?(point: Point, event: PointerEvent): void;
  move?(points: Point[], event: PointerEvent): void;
  up?(point: Point, event: PointerEvent): void;
  doubleClick?(): void;
  /** Forget what is being drawn. */
  cancel?(): void;
  /** Draw what is being drawn, in screen pixels. */
  sketch?(context: CanvasRenderingContext2D, view: View): void;
}

const ZOOM_STEP = 1.25;

export class Stage {
  view: View = { scale: 1, x: 0, y: 0 };
  tool: Tool = { cursor: "default" };
  /** Moves the image instead of using the tool, while held. */
  panning = false;
  onView: () => void = () => {};
  onPoint: (point: Point | null) => void = () => {};

  private readonly screen = document.createElement("canvas");
  private readonly sketches = document.createElement("canvas");
  private readonly picture = document.createElement("canvas");
  private readonly overlay = document.createElement("canvas");
  private readonly screenContext = this.screen.getContext("2d", { alpha: false })!;
  private readonly sketchContext = this.sketches.getContext("2d")!;
  private size: Size = { rows: 1, columns: 1 };
  private planes: Uint16Array[] = [];
  private map: LabelMap | null = null;
  private style: OverlayStyle = { opacity: 0.5, outline: false };
  private look: Look = "together";
  private tables: Uint8Array[] = [];
  private dirty: Box | "everything" | null = null;
  private asked = false;
  private dragged: Place | null = null;
  private fitted = true;

  constructor(readonly host: HTMLElement) {
    this.sketches.className = "sketches";
    host.append(this.screen, this.sketches);
    new ResizeObserver(() => this.resize()).observe(host);
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    host.addEventListener("pointerdown", (event) => this.pointerDown(event));
    host.addEventListener("pointermove", (event) => this.pointerMove(event));
    host.addEventListener("pointerup", (event) => this.pointerUp(event));
    host.addEventListener("pointercancel", () => this.tool.cancel?.());
    host.addEventListener("pointerleave", () => this.onPoint(null));
    host.addEventListener("dblclick", () => this.tool.doubleClick?.());
    host.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** Show another image, whole. */
  show(planes: Uint16Array[], size: Size, contrast: readonly Contrast[]): void {
    this.planes = planes;
    this.size = size;
    this.map = null;
    for (const canvas of [this.picture, this.overlay]) {
      canvas.width = size.columns;
      canvas.height = size.rows;
    }
    this.fitView();
    this.setContrast(contrast);
  }

  setContrast(contrast: readonly Contrast[]): void {
    this.tables = contrast.map(tabulate);
    this.colour();
  }

  setLook(look: Look): void {
    this.look = look;
    this.colour();
  }

  /** Lay a label map over the image. It may be painted on afterwards: call `repaint`. */
  setMap(map: LabelMap | null): void {
    this.map = map;
    this.repaint(null);
  }

  setStyle(style: OverlayStyle): void {
    this.style = style;
    this.repaint(null);
  }

  /** Colour the labels of a box again, of the whole map if null. */
  repaint(changed: Box | null): void {
    const context = this.overlay.getContext("2d")!;
    const whole = { rowMin: 0, columnMin: 0, rowMax: this.size.rows, columnMax: this.size.columns };
    const box = changed === null ? whole : widen(changed, this.size);
    if (this.map === null) context.clearRect(0, 0, this.size.columns, this.size.rows);
    else {
      const rgba = colourLabels(this.map, box, this.style);
      context.putImageData(new ImageData(rgba, box.columnMax - box.columnMin), box.columnMin, box.rowMin);
    }
    this.ask(changed === null ? "everything" : box);
  }

  setView(view: View): void {
    this.view = view;
    this.ask("everything");
  }

  fitView(): void {
    this.fitted = true;
    this.setView(fit(this.size, this.extent()));
    this.onView();
  }

  /** Zoom by steps around a place, the middle without one. */
  zoomBy(steps: number, at?: Place): void {
    const { width, height } = this.extent();
    const smallest = Math.min(1, fit(this.size, this.extent()).scale) / 2;
    this.fitted = false;
    this.setView(zoom(this.view, ZOOM_STEP ** steps, at ?? { x: width / 2, y: height / 2 }, smallest));
    this.onView();
  }

  panBy(dx: number, dy: number): void {
    this.fitted = false;
    this.setView(pan(this.view, dx, dy, this.size, this.extent()));
    this.onView();
  }

  setTool(tool: Tool): void {
    this.tool.cancel?.();
    this.tool = tool;
    this.host.style.cursor = tool.cursor;
    this.sketch();
  }

  /** Draw the tool's sketch again at the next frame. */
  sketch(): void {
    this.ask(null);
  }

  /** Tell where an image point is on the page. */
  locate(point: Point): Place {
    const corner = this.host.getBoundingClientRect();
    const place = toScreen(this.view, point);
    return { x: corner.x + place.x, y: corner.y + place.y };
  }

  private extent(): { width: number; height: number } {
    return { width: this.host.clientWidth, height: this.host.clientHeight };
  }

  private resize(): void {
    const { width, height } = this.extent();
    for (const canvas of [this.screen, this.sketches]) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    if (this.fitted) this.fitView();
    else this.ask("everything");
  }

  private colour(): void {
    const image = new ImageData(this.size.columns, this.size.rows);
    if (this.planes.length > 0) colourImage(this.planes, this.tables, this.look, image.data);
    this.picture.getContext("2d")!.putImageData(image, 0, 0);
    this.ask("everything");
  }

  private ask(dirty: Box | "everything" | null): void {
    if (dirty === "everything" || this.dirty === "everything") this.dirty = "everything";
    else if (dirty !== null) this.dirty = this.dirty === null ? dirty : join(this.dirty, dirty);
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => timed(probe.frameMs, () => this.draw()));
  }

  private draw(): void {
    this.asked = false;
    const dirty = this.dirty;
    this.dirty = null;
    if (dirty !== null) this.drawImage(dirty);
    const context = this.sketchContext;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.sketches.width, this.sketches.height);
    this.tool.sketch?.(context, this.view);
  }

  /** Draw the part of the screen that shows a box of the image: a brush must not cost the whole screen. */
  private drawImage(dirty: Box | "everything"): void {
    const { screenContext: context, view, size } = this;
    const ratio = devicePixelRatio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.save();
    if (dirty !== "everything") {
      const low = toScreen(view, { row: dirty.rowMin, column: dirty.columnMin });
      const high = toScreen(view, { row: dirty.rowMax, column: dirty.columnMax });
      const [x, y] = [Math.floor(low.x * ratio), Math.floor(low.y * ratio)];
      context.beginPath();
      context.rect(x, y, Math.ceil(high.x * ratio) - x, Math.ceil(high.y * ratio) - y);
      context.clip();
    }
    context.fillStyle = "#0d1014";
    context.fillRect(0, 0, this.screen.width, this.screen.height);
    context.imageSmoothingEnabled = view.scale * ratio < 1;
    const place = [view.x, view.y, size.columns * view.scale, size.rows * view.scale].map((value) => value * ratio);
    const [x, y, width, height] = place;
    context.drawImage(this.picture, x, y, width, height);
    if (this.map !== null) context.drawImage(this.overlay, x, y, width, height);
    context.restore();
  }

  private placeOf(event: MouseEvent): Place {
    const corner = this.host.getBoundingClientRect();
    return { x: event.clientX - corner.x, y: event.clientY - corner.y };
  }

  private pointOf(event: MouseEvent): Point {
    return toImage(this.view, this.placeOf(event));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    if (event.shiftKey) this.panBy(-event.deltaY - event.deltaX, 0);
    else this.zoomBy(-Math.sign(event.deltaY), this.placeOf(event));
  }

  private pointerDown(event: PointerEvent): void {
    this.host.focus({ preventScroll: true });
    this.host.setPointerCapture(event.pointerId);
    if (event.button === 1 || (event.button === 0 && this.panning)) this.dragged = this.placeOf(event);
    else if (event.button === 0) this.tool.down?.(this.pointOf(event), event);
  }

  private pointerMove(event: PointerEvent): void {
    this.onPoint(this.pointOf(event));
    if (this.dragged !== null) {
      const place = this.placeOf(event);
      this.panBy(place.x - this.dragged.x, place.y - this.dragged.y);
      this.dragged = place;
      return;
    }
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length > 0 ? events : [event]).map((each) => this.pointOf(each));
    this.tool.move?.(points, event);
  }

  private pointerUp(event: PointerEvent): void {
    if (this.dragged !== null) this.dragged = null;
    else if (event.button === 0) this.tool.up?.(this.pointOf(event), event);
  }
}

function join(a: Box, b: Box): Box {
  return {
    rowMin: Math.min(a.rowMin, b.rowMin),
    columnMin: Math.min(a.columnMin, b.columnMin),
    rowMax: Math.max(a.rowMax, b.rowMax),
    columnMax: Math.max(a.columnMax, b.columnMax),
  };
}

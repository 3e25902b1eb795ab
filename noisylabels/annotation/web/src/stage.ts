/** An image with its labels on the screen: drawn, zoomed, moved, pointed at. */

import { select } from "d3-selection";
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomTransform } from "d3-zoom";
import { colourImage, tabulate, type Contrast, type Look } from "./colours";
import { colourLabels, widen, type OverlayStyle } from "./overlay";
import { probe, timed } from "./probe";
import type { Box, LabelMap, Point, Size } from "./raster";
import { fit, keepInSight, LARGEST_SCALE, scaleBar, toImage, toScreen, type Place, type View } from "./viewport";

/** What the pointer does to an image. Points are in image coordinates. */
export interface Tool {
  cursor: string;
  down?(point: Point, event: PointerEvent): void;
  move?(points: Point[], event: PointerEvent): void;
  up?(point: Point, event: PointerEvent): void;
  doubleClick?(): void;
  /** Forget what is being drawn. */
  cancel?(): void;
  /** Forget this press only: a second finger came to zoom. Without it: `cancel`. */
  interrupt?(): void;
  /** Take the last part of what is being drawn back; false if there is none. */
  stepBack?(): boolean;
  /** Draw what is being drawn, in screen pixels. */
  sketch?(context: CanvasRenderingContext2D, view: View): void;
}

const ZOOM_STEP = 1.25;
/** A second finger within this time is a pinch; later it is the ball of a hand. */
const PINCH_MS = 400;

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
  private fitted = true;
  /** The pointer that draws, and since when. */
  private drawing: { id: number; since: number } | null = null;
  private penSeen = false;
  private fingers = new Set<number>();
  private pixelSizeUm: number | null = null;
  private readonly bar = Object.assign(document.createElement("div"), { className: "scale-bar" });
  private readonly ghost = document.createElement("canvas");
  private hasGhost = false;
  private readonly zoomer = zoom<HTMLElement, unknown>();

  constructor(readonly host: HTMLElement) {
    this.sketches.className = "sketches";
    host.append(this.screen, this.sketches);
    new ResizeObserver(() => this.resize()).observe(host);
    this.bar.append(document.createElement("span"), document.createElement("i"));
    host.append(this.bar);
    host.addEventListener("pointerdown", (event) => this.pointerDown(event), { capture: true });
    host.addEventListener("pointermove", (event) => this.pointerMove(event));
    host.addEventListener("pointerup", (event) => this.pointerUp(event));
    host.addEventListener("pointercancel", (event) => this.pointerCancel(event));
    host.addEventListener("pointerleave", () => this.onPoint(null));
    host.addEventListener("dblclick", () => this.tool.doubleClick?.());
    host.addEventListener("contextmenu", (event) => event.preventDefault());
    this.listenToZoom();
  }

  /** Show another image, whole. */
  show(planes: Uint16Array[], size: Size, contrast: readonly Contrast[]): void {
    this.planes = planes;
    this.size = size;
    this.map = null;
    this.hasGhost = false;
    for (const canvas of [this.picture, this.overlay, this.ghost]) {
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

  /** Lay the rims of another label map over the image, to compare with. */
  setGhost(map: LabelMap | null): void {
    this.hasGhost = map !== null;
    if (map !== null) {
      const whole = { rowMin: 0, columnMin: 0, rowMax: map.rows, columnMax: map.columns };
      const rgba = colourLabels(map, whole, { opacity: 1, outline: true, dotted: true });
      this.ghost.getContext("2d")!.putImageData(new ImageData(rgba, map.columns), 0, 0);
    }
    this.ask("everything");
  }

  /** Show a scale bar, and how far the image is zoomed. */
  setPixelSize(um: number | null): void {
    this.pixelSizeUm = um;
    this.showScale();
  }

  setView(view: View): void {
    this.view = view;
    const transform = zoomIdentity.translate(view.x, view.y).scale(view.scale);
    Object.assign(this.host, { __zoom: transform }); // where d3-zoom goes on from; `zoomer.transform` would tell all panes
    this.showScale();
    this.ask("everything");
  }

  fitView(): void {
    this.fitted = true;
    this.prepareZoom();
    this.setView(fit(this.size, this.extent()));
    this.onView();
  }

  /** Zoom by steps around the middle. */
  zoomBy(steps: number): void {
    const { width, height } = this.extent();
    this.zoomer.scaleBy(select(this.host), ZOOM_STEP ** steps, [width / 2, height / 2]);
  }

  panBy(dx: number, dy: number): void {
    this.zoomer.translateBy(select(this.host), dx / this.view.scale, dy / this.view.scale);
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
    this.prepareZoom();
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
    if (this.hasGhost) context.drawImage(this.ghost, x, y, width, height);
    context.restore();
  }

  private placeOf(event: MouseEvent): Place {
    const corner = this.host.getBoundingClientRect();
    return { x: event.clientX - corner.x, y: event.clientY - corner.y };
  }

  private pointOf(event: MouseEvent): Point {
    return toImage(this.view, this.placeOf(event));
  }

  /** Wheel and trackpad zoom by how far they turned, two fingers pinch, a dragged image moves: d3-zoom. */
  private listenToZoom(): void {
    this.zoomer
      .filter((event: Event) => this.mayZoom(event))
      .constrain((transform) => this.constrain(transform))
      .on("zoom", ({ transform }: D3ZoomEvent<HTMLElement, unknown>) => {
        this.fitted = false;
        this.setView({ scale: transform.k, x: transform.x, y: transform.y });
        this.onView();
      });
    select(this.host).call(this.zoomer).on("dblclick.zoom", null);
  }

  private mayZoom(event: Event): boolean {
    if (event instanceof WheelEvent) return true;
    if (event instanceof MouseEvent) return event.button === 1 || (event.button === 0 && this.panning);
    if (!("touches" in event)) return false;
    if (this.drawing !== null && performance.now() - this.drawing.since > PINCH_MS) return false;
    const pinches = (event as TouchEvent).touches.length > 1;
    if (pinches) this.interrupt();
    return pinches || this.panning || this.penSeen;
  }

  private prepareZoom(): void {
    const smallest = Math.min(1, fit(this.size, this.extent()).scale) / 2;
    this.zoomer.scaleExtent([smallest, LARGEST_SCALE]);
  }

  private constrain(transform: ZoomTransform): ZoomTransform {
    const { scale, x, y } = keepInSight({ scale: transform.k, x: transform.x, y: transform.y }, this.size, this.extent());
    return zoomIdentity.translate(x, y).scale(scale);
  }

  private pointerDown(event: PointerEvent): void {
    this.host.focus({ preventScroll: true });
    if (event.pointerType === "touch") this.fingers.add(event.pointerId);
    if (event.pointerType === "pen") {
      this.penSeen = true;
      if (this.drawing !== null) this.interrupt(); // the hand came down before the pen
    }
    const touches = event.pointerType === "touch" && (this.penSeen || this.fingers.size > 1);
    if (this.drawing !== null || this.panning || touches || event.button !== 0) return;
    this.host.setPointerCapture(event.pointerId);
    this.drawing = { id: event.pointerId, since: performance.now() };
    this.tool.down?.(this.pointOf(event), event);
  }

  private pointerMove(event: PointerEvent): void {
    this.onPoint(this.pointOf(event));
    if (this.drawing === null ? event.pointerType === "touch" : this.drawing.id !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length > 0 ? events : [event]).map((each) => this.pointOf(each));
    this.tool.move?.(points, event);
  }

  private pointerUp(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.drawing?.id !== event.pointerId) return;
    this.drawing = null;
    this.tool.up?.(this.pointOf(event), event);
  }

  private pointerCancel(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.drawing?.id === event.pointerId) this.interrupt();
  }

  /** Forget what the pointer that draws has begun. */
  private interrupt(): void {
    if (this.drawing === null) return;
    this.drawing = null;
    if (this.tool.interrupt) this.tool.interrupt();
    else this.tool.cancel?.();
  }

  private showScale(): void {
    const [text, line] = this.bar.children as unknown as [HTMLElement, HTMLElement];
    const bar = this.pixelSizeUm === null ? null : scaleBar(this.view.scale / this.pixelSizeUm);
    text.textContent = `${bar === null ? "" : `${bar.um} µm · `}zoom ${this.view.scale.toPrecision(2)}`;
    line.style.width = `${bar?.px ?? 0}px`;
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

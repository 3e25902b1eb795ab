/** The field on the page: loaded, painted, saved, told when it is in two versions. */

import type { Activity } from "../activity";
import { getBytes, getJson, newKey, Refused, send, splitPlanes, type Picture } from "../api";
import { find, tell } from "../elements";
import type { Job } from "../jobs";
import { DisplayPanel } from "../display";
import { indexOf, type LabelMap, type Point } from "../raster";
import { sha256 } from "../hashes";
import { Stage } from "../stage";
import { Painter } from "./painter";
import { Saver, type Conflict, type Head } from "./saver";

export interface Task extends Picture, Head {
  task: string;
  number: number;
  name: string | null;
  state: "open" | "accepted" | "returned" | "skipped" | "cannot_judge" | "released";
  active_ms: number;
  person: string;
  /** False while the owner reviews somebody else's. */
  mine: boolean;
  comment: string;
  plate: string;
}

/** All that is shown of a task. */
export interface Loaded {
  task: Task;
  planes: Uint16Array<ArrayBuffer>[];
  pixels: Uint8Array<ArrayBuffer>;
}

const OTHER_WINDOW = "Another window or program changed this field while you painted. Both versions are kept.";
const PREDICTED = "The prediction is ready, but you painted meanwhile. Both versions are kept.";

export class Field {
  readonly stage = new Stage(find("stage"));
  readonly painter = new Painter(this.stage);
  readonly display = new DisplayPanel(this.stage);
  task: Task | null = null;
  planes: Uint16Array[] = [];
  onChange: () => void = () => {};

  private saver: Saver | null = null;
  private holds = 0;

  constructor(private readonly activity: Activity) {
    this.painter.onStroke = (tool) => this.push("stroke", tool);
    find("again").addEventListener("click", () => this.saver?.again());
    const outlines = find<HTMLInputElement>("outlines-file");
    find("load-outlines").addEventListener("click", () => outlines.click());
    outlines.addEventListener("change", () => {
      const [file] = outlines.files ?? [];
      outlines.value = ""; // the same file may be chosen again
      if (file !== undefined) void this.drawOutlines(file);
    });
    find("discard").addEventListener("click", () => this.saver?.discard());
    window.addEventListener("beforeunload", (event) => {
      if (this.waiting > 0) event.preventDefault();
    });
  }

  get map(): LabelMap | null {
    return this.painter.map;
  }

  /** The newest revision that the server acknowledged. */
  get revision(): number {
    return this.saver!.head.revision;
  }

  get waiting(): number {
    return this.saver?.waiting ?? 0;
  }

  get canUndo(): boolean {
    return this.painter.history.canUndo || (this.waiting === 0 && this.saver?.head.can_undo === true);
  }

  get canRedo(): boolean {
    return this.painter.history.canRedo || (this.waiting === 0 && this.saver?.head.can_redo === true);
  }

  /** Load all of a task; nothing on the page changes by that. */
  async load(task: Task): Promise<Loaded> {
    const [planes, pixels] = await Promise.all([this.loadPlanes(task), this.loadPixels(task)]);
    return { task, planes, pixels };
  }

  /** Put a task on the page, all at once. */
  show({ task, planes, pixels }: Loaded): void {
    this.task = task;
    this.planes = planes;
    this.saver = new Saver(task.task, task, this.activity, {
      onState: (n, trouble) => this.showState(n, trouble),
      onConflict: (conflict) => void this.settle(conflict, OTHER_WINDOW),
      onMismatch: () => void this.reload("The server has another version of this field. It was loaded again."),
      onDiscard: () => void this.reload("The refused stroke is discarded."),
    });
    this.stage.show(planes, task, task.contrast);
    this.display.show(task.channels, planes, task.contrast, task.plate);
    this.showLock();
    this.painter.show({ rows: task.rows, columns: task.columns, pixels });
    this.say(task.problem ?? "");
    find("stage").dataset.field = task.task;
    this.showState(0, null);
  }

  /** Leave the page empty, and say why. */
  clear(sentence: string, name: "" | "none"): void {
    this.task = null;
    this.saver = null;
    this.stage.show([], { rows: 1, columns: 1 }, []);
    this.painter.show(null);
    this.say(sentence);
    find("stage").dataset.field = name;
    this.showState(0, null);
  }

  private say(sentence: string): void {
    find("empty").textContent = sentence;
    find("empty").hidden = sentence === "";
  }

  /** Whether strokes of the person change this field: it is theirs, and not closed. */
  get isOpen(): boolean {
    return this.task !== null && this.task.mine && (this.task.state === "open" || this.task.state === "returned");
  }

  /** Take the milliseconds that the person worked since they were last sent. */
  takeActive(): number {
    return this.activity.take();
  }

  /** Wait until all strokes are on the server's disk; tells the person if that cannot be now. */
  async settled(): Promise<boolean> {
    if (this.saver === null) return true;
    const settled = await this.saver.settled();
    if (!settled) tell("Not everything is saved yet. Settle that first.");
    return settled;
  }

  /** Undo or redo: this visit's strokes here, older ones on the server. */
  async step(kind: "undo" | "redo"): Promise<void> {
    if (this.saver === null || this.painter.drawing || this.painter.locked) return;
    if (kind === "undo" && this.stage.tool.stepBack?.()) return;
    if (this.painter.step(kind)) {
      this.push(kind, kind);
      return;
    }
    const saver = this.saver;
    await this.hold(async () => {
      if (!(await saver.settled()) || !(kind === "undo" ? saver.head.can_undo : saver.head.can_redo)) return;
      this.push(kind, kind, false);
      if (await saver.settled()) await this.reload(null);
    });
  }

  /** Take over what a job made of this field. */
  async takeJob(job: Job): Promise<void> {
    if (job.kind !== "predict" || job.task !== this.task?.task) return;
    if (job.state !== "done") return tell(`There is no prediction (${job.state}). ${job.error ?? "See its log."}`);
    if (job.conflict && job.revision !== null) return this.choosePrediction(job.revision);
    if (this.painter.drawing) return; // this stroke will meet the prediction as it would meet another window
    if (await this.saver!.settled()) await this.reload("The prediction is in. Undo takes it back.");
  }

  /** Replace the label map by what a file of outlines draws: a ROI zip of ImageJ or GeoJSON. Undo takes it back. */
  async drawOutlines(file: File): Promise<void> {
    const { saver, task } = this;
    if (saver === null || task === null || !this.isOpen || this.painter.drawing || !(await this.settled())) return;
    await this.hold(async () => {
      const headers = {
        "Content-Type": "application/octet-stream",
        "If-Match": `"${this.revision}"`,
        "Idempotency-Key": newKey(),
        "X-Active-Ms": String(this.takeActive()),
      };
      const options = { method: "POST", headers, body: await file.arrayBuffer() };
      try {
        await send(`/api/tasks/${task.task}/outlines`, options);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return tell(error.message);
      }
      await this.reload(`The outlines of ${file.name} are in. Undo takes them back.`);
    });
  }

  /** Hash the label map of the page. */
  async hash(): Promise<string> {
    return sha256(this.map!.pixels.slice());
  }

  /** Tell class and counts under a point; null outside of the field. */
  read(point: Point): { index: number; counts: number[] } | null {
    const place = this.map === null ? null : indexOf(this.map, point);
    if (place === null) return null;
    return { index: this.map!.pixels[place], counts: this.planes.map((plane) => plane[place]) };
  }

  private push(kind: "stroke" | "undo" | "redo", tool: string, known = true): void {
    this.saver!.push({ kind, tool, pixels: this.map!.pixels.slice() as Uint8Array<ArrayBuffer>, known });
  }

  private async loadPlanes(task: Task): Promise<Uint16Array<ArrayBuffer>[]> {
    if (task.problem === null) return splitPlanes(await getBytes(`/api/tasks/${task.task}/image`), task);
    return task.channels.map(() => new Uint16Array(task.rows * task.columns));
  }

  private async loadPixels(task: Task): Promise<Uint8Array<ArrayBuffer>> {
    return getBytes(`/api/tasks/${task.task}/labels?revision=${task.revision}`);
  }

  /** Let nothing be painted while the label map is about to be replaced: it would be painted over. */
  private async hold(work: () => Promise<void>): Promise<void> {
    this.holds++;
    this.showLock();
    try {
      await work();
    } finally {
      this.holds--;
      this.showLock();
    }
  }

  private showLock(): void {
    this.painter.locked = this.holds > 0 || !this.isOpen || this.task?.problem !== null;
    find("stage").setAttribute("aria-busy", String(this.holds > 0));
  }

  /** Take the label map from the server again. */
  private async reload(notice: string | null): Promise<void> {
    await this.hold(async () => {
      const task = await getJson<Task>(`/api/tasks/${this.task!.task}`);
      const pixels = await this.loadPixels(task);
      if (task.task !== this.task?.task) return;
      this.task = task;
      this.saver!.follow(task);
      this.painter.show({ rows: task.rows, columns: task.columns, pixels });
      this.showState(0, null);
      if (notice !== null) tell(notice);
    });
  }

  private async choosePrediction(revision: number): Promise<void> {
    if (!(await this.saver!.settled())) return;
    if ((await ask(PREDICTED, "Go on with mine", "Take the prediction")) === "mine") return;
    await this.saver!.adopt(revision);
    await this.reload(null);
  }

  private async settle(conflict: Conflict, sentence: string): Promise<void> {
    this.painter.cancel();
    await this.hold(async () => {
      if ((await ask(sentence, "Go on with mine", "Take the other")) === "mine") await this.saver!.adopt(conflict.kept);
      await this.reload(null);
    });
  }

  private showState(n: number, trouble: string | null): void {
    const saved = find("saved");
    saved.dataset.waiting = String(n);
    saved.dataset.trouble = trouble === null ? "" : "yes";
    saved.textContent = n === 0 ? "Saved" : (trouble ?? "Saving…");
    find("again").hidden = trouble === null;
    find("discard").hidden = this.saver?.refused !== true;
    this.onChange();
  }
}

/** Ask which of two versions counts. Escape is "mine": what the person sees. */
function ask(sentence: string, mine: string, other: string): Promise<"mine" | "other"> {
  const dialog = find<HTMLDialogElement>("conflict");
  find("conflict-text").textContent = sentence;
  find("keep-mine").textContent = mine;
  find("take-other").textContent = other;
  dialog.returnValue = "mine";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "other" ? "other" : "mine"), { once: true });
  });
}

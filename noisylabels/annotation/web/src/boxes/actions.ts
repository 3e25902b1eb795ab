/** What an expert did to the boxes of a field, each action on its way to the server, and the way back. */

import type { Activity } from "../activity";
import { check, json, newKey, Refused, untilAnswered } from "../api";
import { keep, recall } from "../memory";
import type { Box } from "../raster";

/** A box with its name and class. */
export interface ClassBox extends Box {
  id: string;
  classIndex: number;
}

/** One action: the box before (null: it was drawn) and after (null: it was deleted). */
interface Action {
  before: ClassBox | null;
  after: ClassBox | null;
}

export interface ActionEvents {
  onChange: () => void;
  onState: (n: number, trouble: string | null) => void;
}

/** Actions that are kept for the next visit, per field. */
const KEPT = 500;

export class Actions {
  boxes: ClassBox[] = [];
  private path = "";
  private place = "";
  private past: Action[] = [];
  private future: Action[] = [];
  private line: Promise<void> = Promise.resolve();
  private waiting = 0;

  constructor(
    private readonly activity: Activity,
    private readonly events: ActionEvents,
  ) {}

  get unsaved(): number {
    return this.waiting;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Take over another field's boxes. */
  show(task: string, boxes: ClassBox[]): void {
    this.path = `/api/boxes/${task}`;
    this.boxes = boxes;
    this.place = `boxes:${task}`;
    const kept = recall<{ past: Action[]; future: Action[] }>(this.place);
    const fits = kept !== null && isOutcome(kept.past.at(-1), boxes);
    this.past = fits ? kept.past : []; // drawn elsewhere meanwhile: nothing to take back here
    this.future = fits ? kept.future : [];
    this.events.onChange();
  }

  /** Draw (before null), change, or delete (after null) a box. */
  act(before: ClassBox | null, after: ClassBox | null): void {
    this.past.push({ before, after });
    this.future = [];
    this.apply(before, after);
  }

  undo(): void {
    const action = this.past.pop();
    if (action === undefined) return;
    this.future.push(action);
    this.apply(action.after, action.before);
  }

  redo(): void {
    const action = this.future.pop();
    if (action === undefined) return;
    this.past.push(action);
    this.apply(action.before, action.after);
  }

  /** Wait until all actions are on the server's disk. */
  async settled(): Promise<void> {
    await this.line;
  }

  private apply(before: ClassBox | null, after: ClassBox | null): void {
    const place = before === null ? -1 : this.boxes.findIndex((box) => box.id === before.id);
    const others = this.boxes.filter((box) => box.id !== before?.id);
    this.boxes = after === null ? others : place < 0 ? [...others, after] : others.toSpliced(place, 0, after);
    keep(this.place, { past: this.past.slice(-KEPT), future: this.future.slice(-KEPT) });
    this.events.onChange();
    this.send(before, after);
  }

  private send(before: ClassBox | null, after: ClassBox | null): void {
    const [path, options] = after === null ? this.prepareDelete(before!) : this.preparePut(after);
    this.waiting++;
    this.events.onState(this.waiting, null);
    this.line = this.line.then(async () => {
      let trouble: string | null = null;
      try {
        await check(await untilAnswered(path, options, (sentence) => this.events.onState(this.waiting, sentence)));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        trouble = `This was not saved. ${error.message}`;
      }
      this.waiting--;
      this.events.onState(this.waiting, trouble);
    });
  }

  private preparePut(box: ClassBox): [string, RequestInit] {
    const content = {
      key: newKey(),
      class_index: box.classIndex,
      row_min: box.rowMin,
      column_min: box.columnMin,
      row_max: box.rowMax,
      column_max: box.columnMax,
      active_ms: this.activity.take(),
    };
    return [`${this.path}/${box.id}`, json("PUT", content)];
  }

  private prepareDelete(box: ClassBox): [string, RequestInit] {
    const headers = { "Idempotency-Key": newKey(), "X-Active-Ms": String(this.activity.take()) };
    return [`${this.path}/${box.id}`, { method: "DELETE", headers }];
  }
}

/** Whether boxes are as an action left them. */
function isOutcome(action: Action | undefined, boxes: readonly ClassBox[]): boolean {
  if (action === undefined) return true;
  const id = (action.after ?? action.before)!.id;
  const found = boxes.find((box) => box.id === id);
  if (found === undefined || action.after === null) return found === undefined && action.after === null;
  const { after } = action;
  return (["classIndex", "rowMin", "columnMin", "rowMax", "columnMax"] as const).every((key) => found[key] === after[key]);
}

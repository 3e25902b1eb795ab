/** Strokes on their way to the server, one after another. A stroke is saved when the server says it is on the disk. */

import type { Activity } from "../activity";
import { deflate, json, newKey, Refused, send, untilAnswered } from "../api";
import { sha256 } from "../hashes";

export interface Head {
  revision: number;
  sha256: string;
  can_undo: boolean;
  can_redo: boolean;
}

/** Something done to the label map, and the map after it. */
export interface Step {
  kind: "stroke" | "undo" | "redo";
  tool: string;
  pixels: Uint8Array<ArrayBuffer>;
  /** False where the page does not know what will come: an undo of an earlier visit's stroke. */
  known: boolean;
}

/** Two windows painted one field: ours is kept as `kept`, the head is `theirs`. */
export interface Conflict {
  kept: number;
  theirs: number;
}

export interface SaverEvents {
  /** Something is waiting (`n` steps), or nothing is; `trouble` says why it takes long. */
  onState: (n: number, trouble: string | null) => void;
  onConflict: (conflict: Conflict) => void;
  /** The server has another label map than the page. */
  onMismatch: () => void;
  /** What the server refused was given up: the page takes the server's label map. */
  onDiscard: () => void;
}

type Waiting = Step & { activeMs: number };

export class Saver {
  private queue: Waiting[] = [];
  private running = false;
  private conflict: Conflict | null = null;
  private refusal: string | null = null;
  private listeners: ((settled: boolean) => void)[] = [];

  constructor(
    private readonly task: string,
    /** The newest revision the server has of this page. */
    public head: Head,
    private readonly activity: Activity,
    private readonly events: SaverEvents,
  ) {}

  get waiting(): number {
    return this.queue.length;
  }

  push(step: Step): void {
    this.queue.push({ ...step, activeMs: this.activity.take() });
    this.events.onState(this.queue.length, this.refusal);
    void this.run();
  }

  /** Wait until everything is saved; false if it cannot be now. */
  async settled(): Promise<boolean> {
    if (!this.running) return this.isSettled();
    return new Promise((resolve) => this.listeners.push(resolve));
  }

  /** Try again what the server refused. */
  again(): void {
    this.refusal = null;
    void this.run();
  }

  /** Whether the server refused a stroke for good. */
  get refused(): boolean {
    return this.refusal !== null;
  }

  /** Give up what the server refused, and what was painted on it. */
  discard(): void {
    this.refusal = null;
    this.queue = [];
    this.events.onState(0, null);
    this.events.onDiscard();
  }

  /** Make our side of a conflict the head. */
  async adopt(revision: number): Promise<void> {
    const theirs = this.conflict?.theirs ?? this.head.revision;
    try {
      this.head = await send<Head>(
        `/api/tasks/${this.task}/adopt`,
        json("POST", { key: newKey(), revision: theirs, adopt: revision }),
      );
      this.conflict = null;
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 409) throw error;
      this.conflict = { kept: revision, theirs: Number(error.body.revision) };
      this.events.onConflict(this.conflict);
    }
  }

  /** Take over the head as the server tells it; a conflict is settled by that. */
  follow(head: Head): void {
    this.head = head;
    this.conflict = null;
  }

  private isSettled(): boolean {
    return this.queue.length === 0 && this.conflict === null;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      while (this.queue.length > 0 && this.refusal === null) await this.sendFirst();
    } finally {
      this.running = false;
    }
    this.events.onState(this.queue.length, this.refusal);
    if (this.conflict !== null && this.queue.length === 0) this.events.onConflict(this.conflict);
    const settled = this.isSettled();
    for (const listener of this.listeners.splice(0)) listener(settled);
  }

  private async sendFirst(): Promise<void> {
    const step = this.queue[0];
    const hash = await sha256(step.pixels);
    const response = await untilAnswered(...(await this.prepare(step, hash)), (trouble) =>
      this.events.onState(this.queue.length, trouble),
    );
    const answer = (await response.json()) as Head & { kept?: number; error?: string };
    if (response.ok) this.acknowledge(answer, step.known ? hash : answer.sha256);
    else if (response.status === 409) this.divert(answer.kept, answer.revision);
    else this.refusal = answer.error ?? `The server answered ${response.status}.`;
  }

  private acknowledge(head: Head, hash: string): void {
    this.head = head;
    this.queue.shift();
    this.events.onState(this.queue.length, null);
    if (head.sha256 !== hash && this.queue.length === 0) this.events.onMismatch();
  }

  /** Go on beside a head that somebody else moved: what is still waiting becomes one revision on our branch. */
  private divert(kept: number | undefined, theirs: number): void {
    const last = this.queue[this.queue.length - 1];
    if (kept !== undefined) {
      this.conflict = { kept, theirs };
      this.head = { ...this.head, revision: kept };
      this.queue.shift();
    }
    if (this.queue.length > 0) this.queue = [{ ...last, kind: "stroke", tool: "merge", known: true }];
  }

  private async prepare(step: Waiting, hash: string): Promise<[string, RequestInit]> {
    const path = `/api/tasks/${this.task}`;
    const revision = this.head.revision;
    if (step.kind !== "stroke") {
      return [`${path}/${step.kind}`, json("POST", { key: newKey(), revision, active_ms: step.activeMs })];
    }
    const headers = {
      "Content-Type": "application/octet-stream",
      "If-Match": `"${revision}"`,
      "Idempotency-Key": newKey(),
      "X-Tool": step.tool,
      "X-Active-Ms": String(step.activeMs),
      "X-Sha256": hash,
    };
    return [`${path}/revisions`, { method: "POST", headers, body: await deflate(step.pixels) }];
  }
}

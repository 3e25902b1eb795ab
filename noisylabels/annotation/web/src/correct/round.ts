/** From field to field: next, back, skip, cannot judge. */

import { getJson, newKey, json, post, Refused, send } from "../api";
import { find, tell } from "../elements";
import type { Field, Task } from "./field";

type State = "accepted" | "skipped" | "cannot_judge";

interface Own {
  task: string;
  number: number;
  state: Task["state"];
}

interface Queue {
  n_fields: number;
  n_accepted: number;
}

const WORDS: Record<Task["state"], string> = {
  open: "open",
  accepted: "accepted",
  skipped: "skipped",
  cannot_judge: "cannot judge",
};

export class Round {
  private busy = false;

  constructor(private readonly field: Field) {
    find("accept").addEventListener("click", () => void this.close("accepted"));
    find("skip").addEventListener("click", () => void this.close("skipped"));
    find("back").addEventListener("click", () => void this.walk(-1));
    find("forward").addEventListener("click", () => void this.walk(1));
    const judge = find<HTMLDialogElement>("judge");
    find("cannot-judge").addEventListener("click", () => this.judge());
    judge.addEventListener("close", () => {
      if (judge.returnValue === "judge") void this.close("cannot_judge", find<HTMLTextAreaElement>("judge-comment").value);
    });
  }

  /** Open the task that the page's address names, else the next of the queue. */
  async begin(): Promise<void> {
    const token = new URLSearchParams(location.search).get("task");
    if (token === null) await this.next();
    else await this.open(token);
  }

  /** Say what became of the field, and go on with the next. */
  async close(state: State, comment = ""): Promise<void> {
    await this.once(async () => {
      const { task } = this.field;
      if (task === null || !(await this.field.settled())) return;
      await post(`/api/tasks/${task.task}/close`, { state, revision: this.field.revision, active_ms: this.field.takeActive(), comment });
      await this.next();
    });
  }

  /** Ask why, then say that the field cannot be judged. */
  judge(): void {
    if (this.field.task === null) return;
    find<HTMLTextAreaElement>("judge-comment").value = "";
    find<HTMLDialogElement>("judge").returnValue = "";
    find<HTMLDialogElement>("judge").showModal();
  }

  /** Go back or forward along the person's own fields; nothing is closed by that. */
  async walk(by: -1 | 1): Promise<void> {
    await this.once(async () => {
      if (!(await this.field.settled())) return;
      const { tasks } = await getJson<{ tasks: Own[] }>("/api/tasks");
      const here = tasks.findIndex((task) => task.task === this.field.task?.task);
      const there = this.field.task === null ? tasks.at(-1) : tasks[here + by];
      if (there !== undefined) await this.open(there.task);
      else tell(by < 0 ? "This is your first field." : "This is your newest field. Accept it for the next.");
    });
  }

  private async next(): Promise<void> {
    const { task } = await send<{ task: Task | null }>("/api/tasks/next", json("POST", { key: newKey() }));
    await this.show(task);
  }

  private async open(token: string): Promise<void> {
    await this.show(await getJson<Task>(`/api/tasks/${encodeURIComponent(token)}`));
  }

  private async show(task: Task | null): Promise<void> {
    if (task === null) this.field.clear("The queue is empty: every field is done. Thank you.");
    else await this.field.show(task);
    history.replaceState(null, "", task === null ? "/correct" : `/correct?task=${task.task}`);
    find("title").textContent = task === null ? "Done" : (task.name ?? `Field ${task.number}`);
    find("state").textContent = task === null ? "" : WORDS[task.state];
    find("state").hidden = task === null || task.state === "open";
    void this.showProgress();
  }

  private async showProgress(): Promise<void> {
    const queue = await getJson<Queue>("/api/queue");
    const bar = find<HTMLProgressElement>("progress");
    bar.max = Math.max(1, queue.n_fields);
    bar.value = queue.n_accepted;
    find("progress-text").textContent = `${queue.n_accepted} of ${queue.n_fields} accepted`;
  }

  private async once(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(error.message);
    } finally {
      this.busy = false;
    }
  }
}

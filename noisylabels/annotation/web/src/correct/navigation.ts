/** From field to field: next, back, skip, cannot judge, reopen; and what the owner does about somebody else's. */

import { getJson, post, Refused } from "../api";
import { find, tell } from "../elements";
import { Loading } from "../loading";
import type { Field, Loaded, Task } from "./field";

type State = "accepted" | "skipped" | "cannot_judge" | "open";

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
  returned: "returned",
  skipped: "skipped",
  cannot_judge: "cannot judge",
  released: "released",
};

export class Navigation {
  onShow: (task: Task) => void = () => {};
  private busy = false;
  private readonly loading: Loading;

  constructor(private readonly field: Field) {
    this.loading = new Loading(() => this.field.clear("", ""));
    find("accept").addEventListener("click", () => void this.accept());
    find("skip").addEventListener("click", () => void this.close("skipped"));
    find("back").addEventListener("click", () => void this.walk(-1));
    find("forward").addEventListener("click", () => void this.walk(1));
    find("reopen").addEventListener("click", () => void this.reopen());
    find("return").addEventListener("click", () => this.askWhy("return"));
    find("replace").addEventListener("click", () => void this.replace());
    find("release").addEventListener("click", () => void this.review("release"));
    find("cannot-judge").addEventListener("click", () => this.askWhy("judge"));
    const judge = find<HTMLDialogElement>("judge");
    judge.addEventListener("close", () => {
      const comment = find<HTMLTextAreaElement>("judge-comment").value;
      if (judge.returnValue === "judge") void this.close("cannot_judge", comment);
      if (judge.returnValue === "return") void this.review("return", comment);
    });
  }

  /** Open the task that the page's address names, else the next of the queue. */
  async begin(): Promise<void> {
    const token = new URLSearchParams(location.search).get("task");
    if (token === null) await this.next();
    else await this.open(token);
  }

  /** Accept the field and go on; a field that is closed already is only left. */
  async accept(): Promise<void> {
    if (this.field.isOpen) return this.close("accepted");
    await this.once(async () => {
      if (await this.field.settled()) await this.next();
    });
  }

  /** Say what became of the field, and go on with the next. */
  async close(state: State, comment = ""): Promise<void> {
    await this.once(async () => {
      const { task } = this.field;
      if (task === null || !task.mine || this.field.painter.drawing || !(await this.field.settled())) return;
      const { revision } = this.field;
      const content = { state, revision, active_ms: this.field.takeActive(), comment };
      await this.loading.during("Saving…", () => post(`/api/tasks/${task.task}/close`, content));
      await this.next();
    });
  }

  /** Ask why a field cannot be judged, or is returned. */
  askWhy(action: "judge" | "return"): void {
    if (this.field.task === null) return;
    const judges = action === "judge";
    find("judge-title").textContent = judges ? "Cannot judge this field" : `Return this field to ${this.field.task.person}`;
    find("judge-why").textContent = judges ? "Why? (may stay empty)" : "What should be corrected?";
    find<HTMLButtonElement>("judge-do").value = action;
    find("judge-do").textContent = judges ? "Cannot judge" : "Return";
    find<HTMLTextAreaElement>("judge-comment").value = "";
    find<HTMLDialogElement>("judge").returnValue = "";
    find<HTMLDialogElement>("judge").showModal();
  }

  /** Go back or forward along the person's own fields; nothing is closed by that. */
  async walk(by: -1 | 1): Promise<void> {
    await this.once(async () => {
      if (!(await this.field.settled())) return;
      const { tasks } = await getJson<{ tasks: Own[] }>("/api/tasks");
      const here = tasks.findIndex((task) => task.task === this.here);
      const there = here < 0 ? tasks.at(-1) : tasks[here + by];
      if (there !== undefined) await this.open(there.task);
      else tell(by < 0 ? "This is your first field." : "This is your newest field. Accept it for the next.");
    });
  }

  private here: string | null = null;

  private async reopen(): Promise<void> {
    await this.once(async () => {
      const { task } = this.field;
      if (task === null || !task.mine || this.field.isOpen) return;
      const content = { state: "open", revision: this.field.revision, active_ms: this.field.takeActive(), comment: "" };
      await this.loading.during("Opening it again…", () => post(`/api/tasks/${task.task}/close`, content));
      await this.open(task.task);
    });
  }

  /** The owner gives a field back, or frees it. */
  private async review(action: "return" | "release", comment?: string): Promise<void> {
    await this.once(async () => {
      const { task } = this.field;
      if (task === null || task.mine) return;
      await post(`/api/tasks/${task.task}/${action}`, comment === undefined ? {} : { comment });
      await this.open(task.task);
    });
  }

  /** The owner corrects the field in their own name: both maps are kept, the newest accepted one counts. */
  private async replace(): Promise<void> {
    await this.once(async () => {
      const { task } = this.field;
      if (task?.name == null) return;
      await this.to(async () => (await post<{ task: Task }>("/api/tasks", { field: task.name })).task);
    });
  }

  private async next(): Promise<void> {
    let found: Promise<{ task: Task | null }> | null = null; // asked once, however often its image is
    await this.to(async () => (await (found ??= post<{ task: Task | null }>("/api/tasks/next"))).task);
  }

  private async open(token: string): Promise<void> {
    this.here = token;
    await this.to(() => getJson<Task>(`/api/tasks/${encodeURIComponent(token)}`));
  }

  private async to(find: () => Promise<Task | null>): Promise<void> {
    const load = async () => {
      const task = await find();
      this.here = task?.task ?? null;
      return task === null ? null : this.field.load(task);
    };
    await this.loading.to(load, (loaded) => this.show(loaded));
  }

  private show(loaded: Loaded | null): void {
    if (loaded === null) this.field.clear("The queue is empty: every field is done. Thank you.", "none");
    else this.field.show(loaded);
    const task = loaded?.task ?? null;
    history.replaceState(null, "", task === null ? "/correct" : `/correct?task=${task.task}`);
    find("title").textContent = task === null ? "Done" : (task.name ?? `Field ${task.number}`);
    find("state").textContent = task === null ? "" : WORDS[task.state] + (task.mine ? "" : ` by ${task.person}`);
    find("state").hidden = task === null || (task.state === "open" && task.mine);
    find("comment").textContent = task?.comment ?? "";
    find("comment").hidden = (task?.comment ?? "") === "";
    this.showActions(task);
    if (task !== null) this.onShow(task);
    void this.showProgress().catch(() => {}); // the number of fields is not worth a warning
  }

  private showActions(task: Task | null): void {
    const { isOpen } = this.field;
    const closed = task !== null && !isOpen;
    find("accept-text").textContent = closed ? "Next" : "Accept, next";
    for (const id of ["skip", "cannot-judge"]) find(id).hidden = closed;
    find("reopen").hidden = !closed || !task.mine || task.state === "released";
    const reviews = task !== null && !task.mine;
    find("return").hidden = !reviews || task.state !== "accepted";
    find("replace").hidden = !reviews || task.name === null;
    find("release").hidden = !reviews || !["open", "returned"].includes(task.state);
    for (const id of ["accept", "skip", "cannot-judge"]) find<HTMLButtonElement>(id).disabled = task === null;
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

/** The boxes page: an expert's fields, boxes drawn around events. */

import "../theme.css";
import { Activity } from "../activity";
import { getBytes, getJson, post, Refused, splitPlanes, type Picture, type SessionInfo } from "../api";
import { classColour, css } from "../colours";
import { find, make, makeSwatch, tell } from "../elements";
import { bindKeys, type Binding } from "../keys";
import { DisplayPanel } from "../display";
import { Loading } from "../loading";
import { showPerson } from "../person";
import { probe, ready } from "../probe";
import { Stage } from "../stage";
import { Actions, type ClassBox } from "./actions";
import { Pen } from "./pen";

interface Listed {
  task: string;
  number: number;
  state: "open" | "done" | "skipped" | "cannot_judge";
  n_boxes: number;
}

interface ServerBox {
  box: string;
  class_index: number;
  row_min: number;
  column_min: number;
  row_max: number;
  column_max: number;
}

type Opened = Listed & Picture & { boxes: ServerBox[]; plate: string };

const WORDS: Record<Listed["state"], string> = { open: "", done: "done", skipped: "skipped", cannot_judge: "cannot judge" };

class BoxesPage {
  private readonly stage = new Stage(find("stage"));
  private readonly display = new DisplayPanel(this.stage);
  private readonly loading = new Loading(() => this.clear());
  private busy = false;
  private readonly actions: Actions;
  private readonly pen: Pen;
  private task: Opened | null = null;
  private tasks: Listed[] = [];

  constructor(
    private readonly session: SessionInfo,
    private readonly activity: Activity,
  ) {
    this.actions = new Actions(activity, { onChange: () => this.showBoxes(), onState: (n, trouble) => showSaved(n, trouble) });
    this.pen = new Pen(this.stage, this.actions, { rows: 1, columns: 1 });
    this.pen.onSelect = () => this.showBoxes();
    this.pen.onTooSmall = () => tell(`A box must have at least ${this.pen.minimum} pixels on each side. Draw it again.`);
    this.stage.setPixelSize(session.pixel_size_um);
    this.stage.setTool(this.pen);
    this.stage.onPoint = (point) => {
      find("cursor-place").textContent =
        point === null ? "" : `row ${Math.floor(point.row)}, column ${Math.floor(point.column)}`;
    };
    find("classes").replaceChildren(...session.classes.slice(1).map((name, i) => this.makeClass(name, i + 1)));
    this.chooseClass(1);
    this.listen();
  }

  /** Open the field that the page's address names, else the first that is open. */
  async begin(): Promise<void> {
    await this.refresh();
    const named = new URLSearchParams(location.search).get("task");
    const first = named ?? this.tasks.find((task) => task.state === "open")?.task ?? this.tasks[0]?.task;
    if (first !== undefined) return this.open(first);
    this.say("No field was given to you yet. Ask the owner of the project.");
  }

  private listen(): void {
    find("done").addEventListener("click", () => void this.close("done"));
    find("skip").addEventListener("click", () => void this.close("skipped"));
    find("cannot-judge").addEventListener("click", () => void this.close("cannot_judge"));
    find("back").addEventListener("click", () => void this.walk(-1));
    find("forward").addEventListener("click", () => void this.walk(1));
    find("reopen").addEventListener("click", () => void this.close("open"));
    const draws = find<HTMLInputElement>("draws");
    draws.addEventListener("input", () => (this.pen.draws = draws.checked));
    find("undo").addEventListener("click", () => this.actions.undo());
    find("redo").addEventListener("click", () => this.actions.redo());
    const letGo = () => (this.stage.panning = false);
    document.addEventListener("keyup", (event) => event.key === " " && letGo());
    window.addEventListener("blur", letGo);
    window.addEventListener("beforeunload", (event) => {
      if (this.actions.unsaved > 0) event.preventDefault();
    });
    bindKeys(this.bindings());
  }

  private bindings(): Binding[] {
    const { stage, pen, actions } = this;
    const arrow = (key: string, rows: number, columns: number): Binding[] => [
      { keys: [key], does: "Move the selected box", run: () => this.isOpen && pen.nudge(rows, columns, false), repeats: true },
      {
        keys: [`Shift+${key}`],
        does: "Move its lower right corner",
        run: () => this.isOpen && pen.nudge(rows, columns, true),
        repeats: true,
      },
    ];
    return [
      { keys: ["n"], does: "New box in the middle of the view", run: () => this.addInMiddle() },
      { keys: ["]", "f"], does: "Select the next box", run: () => this.selectNext(1) },
      { keys: ["[", "a"], does: "Select the box before", run: () => this.selectNext(-1) },
      ...arrow("ArrowLeft", 0, -1),
      ...arrow("ArrowRight", 0, 1),
      ...arrow("ArrowUp", -1, 0),
      ...arrow("ArrowDown", 1, 0),
      { keys: [..."123456789"], does: "Class of the selected box, else of the next", run: (key) => this.chooseClass(Number(key)) },
      { keys: ["d"], does: "Draw also inside of boxes (or hold Shift)", run: () => find("draws").click() },
      { keys: ["Delete", "Backspace", "x"], does: "Delete the selected box", run: () => this.remove() },
      { keys: ["z", "$mod+z"], does: "Undo", run: () => this.isOpen && actions.undo(), repeats: true },
      { keys: ["Shift+z", "$mod+Shift+z", "$mod+y"], does: "Redo", run: () => this.isOpen && actions.redo(), repeats: true },
      { keys: ["Escape"], does: "Forget what is drawn; select nothing", run: () => (pen.cancel(), pen.select(null)) },
      { keys: ["c"], does: "Channels together, or the next alone", run: () => this.display.cycle() },
      { keys: ["+", "="], does: "Zoom in", run: () => stage.zoomBy(1), repeats: true },
      { keys: ["-"], does: "Zoom out", run: () => stage.zoomBy(-1), repeats: true },
      { keys: ["."], does: "Show all of the field", run: () => stage.fitView() },
      { keys: ["Space"], does: "Move the image while held", run: () => (stage.panning = true) },
      { keys: ["Enter"], does: "Done, next", run: () => find("done").click() },
      { keys: ["s"], does: "Skip", run: () => find("skip").click() },
      { keys: ["j"], does: "Cannot judge", run: () => find("cannot-judge").click() },
      { keys: ["PageUp"], does: "Back", run: () => void this.walk(-1) },
      { keys: ["PageDown"], does: "Forward", run: () => void this.walk(1) },
    ];
  }

  private async refresh(): Promise<void> {
    const list = await getJson<{ minimum_side_px: number; tasks: Listed[] }>("/api/boxes");
    this.tasks = list.tasks;
    this.pen.minimum = list.minimum_side_px;
    find("hint").textContent = `Drag around an event; at least ${list.minimum_side_px} pixels on each side.`;
    find("tasks").replaceChildren(...list.tasks.map((task) => this.makeTask(task)));
    const done = list.tasks.filter((task) => task.state !== "open").length;
    find<HTMLProgressElement>("progress").max = Math.max(1, list.tasks.length);
    find<HTMLProgressElement>("progress").value = done;
    find("progress-text").textContent = `${done} of ${list.tasks.length} done`;
  }

  private async open(token: string): Promise<void> {
    this.here = token;
    await this.loading.to(
      () => this.load(token),
      (loaded) => this.show(loaded),
    );
  }

  private here: string | null = null;

  private async load(token: string): Promise<{ task: Opened; planes: Uint16Array<ArrayBuffer>[] }> {
    const path = `/api/boxes/${encodeURIComponent(token)}`;
    const task = await getJson<Opened>(path);
    if (task.problem === null) return { task, planes: splitPlanes(await getBytes(`${path}/image`), task) };
    return { task, planes: task.channels.map(() => new Uint16Array(task.rows * task.columns)) };
  }

  private show({ task, planes }: { task: Opened; planes: Uint16Array<ArrayBuffer>[] }): void {
    this.task = task;
    this.say(task.problem ?? "");
    this.stage.show(planes, task, task.contrast);
    this.display.show(task.channels, planes, task.contrast, task.plate);
    this.pen.show(task);
    this.actions.show(task.task, task.boxes.map(fromServer));
    const isOpen = task.state === "open";
    find("stage").inert = !isOpen || task.problem !== null; // a closed field, or one without a picture, takes no box
    history.replaceState(null, "", `/boxes?task=${task.task}`);
    find("title").textContent = `Field ${task.number}`;
    find("state").textContent = WORDS[task.state];
    find("state").hidden = isOpen;
    find("reopen").hidden = isOpen;
    find("done-text").textContent = isOpen ? "Done, next" : "Next";
    for (const id of ["skip", "cannot-judge"]) find(id).hidden = !isOpen;
    find("stage").dataset.field = task.task;
    for (const row of find("tasks").children) {
      row.firstElementChild!.toggleAttribute("aria-current", (row as HTMLElement).dataset.task === task.task);
    }
  }

  private clear(): void {
    this.task = null;
    this.say("");
    this.stage.show([], { rows: 1, columns: 1 }, []);
    this.pen.show({ rows: 1, columns: 1 });
    find("stage").dataset.field = "";
    find("title").textContent = "…";
    find("state").hidden = true;
  }

  private async close(state: Listed["state"]): Promise<void> {
    await this.once(async () => {
      const { task } = this;
      if (task === null || this.pen.drawing) return;
      await this.actions.settled();
      if (task.state === "open" || state === "open") await this.loading.during("Saving…", () => this.send(task.task, state));
      await this.refresh();
      const next = this.tasks.find((each) => each.state === "open");
      await this.open(state === "open" ? task.task : (next?.task ?? task.task));
      if (next === undefined) tell("All fields are done. Thank you.");
    });
  }

  private async send(task: string, state: Listed["state"]): Promise<void> {
    await post(`/api/boxes/${task}/close`, { state, active_ms: this.activity.take() });
  }

  private async walk(by: -1 | 1): Promise<void> {
    await this.once(async () => {
      await this.actions.settled();
      const there = this.tasks[this.tasks.findIndex((task) => task.task === this.here) + by];
      if (there !== undefined) await this.open(there.task);
    });
  }

  /** One thing at a time, and a refusal said. */
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

  /** Whether boxes of this field can be changed. */
  private get isOpen(): boolean {
    return this.loading.isOver && this.task?.state === "open" && this.task.problem === null;
  }

  private addInMiddle(): void {
    if (!this.isOpen) return;
    const { view, host } = this.stage;
    const row = Math.round((host.clientHeight / 2 - view.y) / view.scale);
    const column = Math.round((host.clientWidth / 2 - view.x) / view.scale);
    this.pen.add({ rowMin: row - 5, columnMin: column - 5, rowMax: row + 5, columnMax: column + 5 });
  }

  private selectNext(by: number): void {
    const { boxes } = this.actions;
    if (boxes.length === 0) return;
    const here = boxes.findIndex((box) => box.id === this.pen.selected);
    this.pen.select(boxes[(here + by + boxes.length) % boxes.length].id);
  }

  private chooseClass(index: number): void {
    if (index >= this.session.classes.length) return;
    this.pen.classIndex = index;
    find<HTMLInputElement>(`class-${index}`).checked = true;
    const { box } = this.pen;
    if (box !== null && this.isOpen) this.pen.change(box, { ...box, classIndex: index });
  }

  private remove(): void {
    const { box } = this.pen;
    if (box === null || !this.isOpen) return;
    this.actions.act(box, null);
    this.pen.select(null);
  }

  private showBoxes(): void {
    const rows = this.actions.boxes.map((box) => this.makeRow(box));
    find("boxes").replaceChildren(...rows);
    find("count").textContent = String(rows.length);
    this.countBoxes(rows.length);
    find<HTMLButtonElement>("undo").disabled = !this.actions.canUndo;
    find<HTMLButtonElement>("redo").disabled = !this.actions.canRedo;
    const { box } = this.pen;
    if (box !== null) {
      this.pen.classIndex = box.classIndex;
      find<HTMLInputElement>(`class-${box.classIndex}`).checked = true;
    }
    this.stage.sketch();
  }

  /** Keep the number of boxes in the list of fields. */
  private countBoxes(n: number): void {
    const listed = this.tasks.find((task) => task.task === this.task?.task);
    if (listed === undefined || listed.n_boxes === n) return;
    listed.n_boxes = n;
    document.querySelector(`[data-task="${listed.task}"] .quiet`)!.textContent = aboutTask(listed);
  }

  private makeRow(box: ClassBox): HTMLElement {
    const name = this.session.classes[box.classIndex];
    const size = `${box.rowMax - box.rowMin} × ${box.columnMax - box.columnMin}`;
    const place = make("span", { className: "quiet" }, size);
    const title = `rows ${box.rowMin} to ${box.rowMax}, columns ${box.columnMin} to ${box.columnMax}`;
    const row = make("button", { type: "button", title }, makeSwatch(css(classColour(box.classIndex))), make("span", {}, name), place);
    row.setAttribute("aria-pressed", String(box.id === this.pen.selected));
    row.addEventListener("click", () => this.pen.select(box.id));
    return make("li", { data: { box: box.id } }, row);
  }

  private makeTask(task: Listed): HTMLElement {
    const about = make("span", { className: "quiet" }, aboutTask(task));
    const button = make("button", { type: "button" }, `Field ${task.number}`, about);
    button.addEventListener("click", () => void this.once(async () => {
      await this.actions.settled();
      await this.open(task.task);
    }));
    return make("li", { data: { task: task.task, state: task.state } }, button);
  }

  private makeClass(name: string, index: number): HTMLElement {
    const radio = make("input", { type: "radio", name: "class", id: `class-${index}` });
    radio.addEventListener("change", () => this.chooseClass(index));
    const swatch = makeSwatch(css(classColour(index)));
    return make("label", {}, radio, swatch, make("span", { className: "name" }, name), make("kbd", {}, String(index)));
  }

  private say(sentence: string): void {
    find("empty").textContent = sentence;
    find("empty").hidden = sentence === "";
  }

  locate(row: number, column: number): { x: number; y: number } {
    return this.stage.locate({ row, column });
  }
}

function aboutTask(task: Listed): string {
  const n = task.n_boxes === 1 ? "1 box" : `${task.n_boxes} boxes`;
  return task.state === "open" ? n : `${n} · ${WORDS[task.state]}`;
}

function fromServer(box: ServerBox): ClassBox {
  const { row_min: rowMin, column_min: columnMin, row_max: rowMax, column_max: columnMax } = box;
  return { id: box.box, classIndex: box.class_index, rowMin, columnMin, rowMax, columnMax };
}

function showSaved(n: number, trouble: string | null): void {
  const saved = find("saved");
  saved.dataset.waiting = String(n);
  saved.dataset.trouble = trouble === null ? "" : "yes";
  saved.textContent = trouble ?? (n === 0 ? "Saved" : "Saving…");
}

async function start(): Promise<void> {
  const session = await getJson<SessionInfo>("/api/session");
  if (!session.pages.includes("boxes")) {
    location.replace("/");
    return;
  }
  const activity = new Activity(session.idle_ms);
  activity.watch(document);
  const page = new BoxesPage(session, activity);
  showPerson(session.person);
  await page.begin();
  probe.locate = (row, column) => page.locate(row, column);
  ready();
}

start().catch((error: unknown) => {
  if (!(error instanceof Refused)) throw error;
  tell(error.message);
});

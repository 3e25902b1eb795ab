/** The panel of classes: which is painted, how many pixels each has, what may change, how labels look. */

import { getBytes, getJson } from "../api";
import { classColour, css } from "../colours";
import { find, make, makeSwatch } from "../elements";
import { countEvents } from "../events";
import { keepInput } from "../memory";
import { IGNORE } from "../overlay";
import type { Point } from "../raster";
import type { Field } from "./field";

const LARGEST_BRUSH = 60;
/** Events are counted when painting rests: it takes a few milliseconds. */
const COUNT_AFTER_MS = 250;
const NO_GHOST = "none";
const CANNOT_TELL = "cannot tell here";

interface Ghost {
  ghost: string;
  kind: "labels" | "person";
}

export class LabelPanel {
  private at: Point | null = null;

  constructor(
    private readonly field: Field,
    private readonly classes: string[],
  ) {
    const rows = [...classes.map((name, index) => this.makeClass(name, index, index < 10 ? String(index) : ""))];
    find("classes").replaceChildren(...rows, this.makeClass(CANNOT_TELL, IGNORE, "X"));
    const only = find<HTMLSelectElement>("only");
    const options = classes.map((name, index) => new Option(`only ${name}`, String(index)));
    only.replaceChildren(new Option("every class", ""), ...options, new Option(`only ${CANNOT_TELL}`, String(IGNORE)));
    only.addEventListener("change", () => this.setOnly(only.value === "" ? null : Number(only.value)));
    find("diameter").addEventListener("input", () => this.setDiameter(Number(find<HTMLInputElement>("diameter").value)));
    for (const id of ["opacity", "visible", "outline"]) find(id).addEventListener("input", () => this.restyle());
    for (const id of ["diameter", "opacity", "outline"]) keepInput(find<HTMLInputElement>(id));
    find("ghost").addEventListener("change", () => void this.showGhost());
    field.stage.onPoint = (point) => this.showPoint(point);
    this.choose(Math.min(1, classes.length - 1));
  }

  /** Choose the class to paint. */
  choose(index: number): void {
    if (index >= this.classes.length && index !== IGNORE) return;
    this.field.painter.value = index;
    find<HTMLInputElement>(`class-${index}`).checked = true;
    this.field.stage.sketch();
  }

  /** Let the next class be the only one that may change: every class, then each. */
  cycleOnly(): void {
    const { only } = this.field.painter;
    const next = only === null ? 0 : only + 1;
    this.setOnly(next < this.classes.length ? next : null);
  }

  /** List what this field can be compared with. */
  async offerGhosts(task: string): Promise<void> {
    const select = find<HTMLSelectElement>("ghost");
    const wanted = select.value;
    const { ghosts } = await getJson<{ ghosts: Ghost[] }>(`/api/tasks/${task}/ghosts`);
    if (this.field.task?.task !== task) return;
    const options = ghosts.map(({ ghost, kind }) => new Option(kind === "person" ? `${ghost}'s map` : ghost, `${kind}=${ghost}`));
    select.replaceChildren(new Option(NO_GHOST, ""), ...options);
    select.value = options.some((option) => option.value === wanted) ? wanted : "";
    if (select.value !== "") await this.showGhost();
  }

  private async showGhost(): Promise<void> {
    const { value } = find<HTMLSelectElement>("ghost");
    const task = this.field.task;
    if (task === null || value === "") return this.field.stage.setGhost(null);
    const [kind, ...rest] = value.split("=");
    const query = new URLSearchParams({ kind, ghost: rest.join("=") });
    const pixels = await getBytes(`/api/tasks/${task.task}/ghost?${query}`);
    const isAsked = this.field.task === task && find<HTMLSelectElement>("ghost").value === value;
    if (isAsked) this.field.stage.setGhost({ rows: task.rows, columns: task.columns, pixels });
  }

  changeDiameter(by: number): void {
    const slider = find<HTMLInputElement>("diameter");
    slider.value = String(Math.min(LARGEST_BRUSH, Math.max(1, this.field.painter.diameter + by)));
    slider.dispatchEvent(new Event("input"));
  }

  toggle(id: "visible" | "outline"): void {
    const box = find<HTMLInputElement>(id);
    box.checked = !box.checked;
    box.dispatchEvent(new Event("input"));
  }

  /** Show how many pixels each class has, and what is under the pointer now. */
  count(): void {
    this.showPoint(this.at);
    const counts = new Uint32Array(256);
    for (const index of this.field.map?.pixels ?? []) counts[index]++;
    for (const index of [...this.classes.keys(), IGNORE]) find(`pixels-${index}`).textContent = `${counts[index].toLocaleString("en")} px`;
    clearTimeout(this.counting);
    this.counting = window.setTimeout(() => this.countEvents(), COUNT_AFTER_MS);
  }

  private counting = 0;

  private countEvents(): void {
    const { map } = this.field;
    const counts = map === null ? new Uint32Array(256) : countEvents(map);
    for (const index of [...this.classes.keys()].slice(1)) find(`events-${index}`).textContent = `${counts[index].toLocaleString("en")} ${counts[index] === 1 ? "event" : "events"} · `;
  }

  private setOnly(index: number | null): void {
    this.field.painter.only = index;
    find<HTMLSelectElement>("only").value = index === null ? "" : String(index);
  }

  private setDiameter(diameter: number): void {
    this.field.painter.diameter = diameter;
    find<HTMLInputElement>("diameter").value = String(diameter);
    find("diameter-text").textContent = `${diameter} px`;
    this.field.stage.sketch();
  }

  private restyle(): void {
    const opacity = Number(find<HTMLInputElement>("opacity").value);
    find("opacity-text").textContent = `${opacity} %`;
    const visible = find<HTMLInputElement>("visible").checked;
    const outline = find<HTMLInputElement>("outline").checked;
    this.field.stage.setStyle({ opacity: visible ? opacity / 100 : 0, outline });
  }

  private makeClass(name: string, index: number, key: string): HTMLElement {
    const radio = make("input", { type: "radio", name: "class", id: `class-${index}`, value: String(index) });
    radio.addEventListener("change", () => this.choose(index));
    const swatch = makeSwatch(index === 0 ? "transparent" : css(classColour(index)));
    const events = make("span", { id: `events-${index}` });
    const counts = make("span", { className: "quiet" }, events, make("span", { id: `pixels-${index}` }));
    const words = make("span", { className: "name", title: name }, name, counts);
    const hint = key === "" ? [] : [make("kbd", {}, key)];
    return make("label", {}, radio, swatch, words, ...hint);
  }

  private showPoint(point: Point | null): void {
    this.at = point;
    const read = point === null ? null : this.field.read(point);
    find("cursor-class").textContent = read === null ? "" : read.index === IGNORE ? CANNOT_TELL : this.classes[read.index];
    find("cursor-place").textContent =
      read === null ? "" : `row ${Math.floor(point!.row)}, column ${Math.floor(point!.column)} · ${this.showCounts(read.counts)}`;
  }

  private showCounts(counts: number[]): string {
    return this.field.task!.channels.map((name, channel) => `${name} ${counts[channel]}`).join(" · ");
  }
}

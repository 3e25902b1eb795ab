/** The panel of classes: which is painted, how many pixels each has, what may change, how labels look. */

import { classColour, css } from "../colours";
import { find, make, makeSwatch } from "../elements";
import type { Point } from "../raster";
import type { Field } from "./field";

const LARGEST_BRUSH = 60;

export class LabelPanel {
  private at: Point | null = null;

  constructor(
    private readonly field: Field,
    private readonly classes: string[],
  ) {
    find("classes").replaceChildren(...classes.map((name, index) => this.makeClass(name, index)));
    const only = find<HTMLSelectElement>("only");
    only.replaceChildren(new Option("every class", ""), ...classes.map((name, index) => new Option(`only ${name}`, String(index))));
    only.addEventListener("change", () => this.setOnly(only.value === "" ? null : Number(only.value)));
    find("diameter").addEventListener("input", () => this.setDiameter(Number(find<HTMLInputElement>("diameter").value)));
    for (const id of ["opacity", "visible", "outline"]) find(id).addEventListener("input", () => this.restyle());
    field.stage.onPoint = (point) => this.showPoint(point);
    this.choose(Math.min(1, classes.length - 1));
  }

  /** Choose the class to paint. */
  choose(index: number): void {
    if (index >= this.classes.length) return;
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

  changeDiameter(by: number): void {
    this.setDiameter(Math.min(LARGEST_BRUSH, Math.max(1, this.field.painter.diameter + by)));
  }

  toggle(id: "visible" | "outline"): void {
    const box = find<HTMLInputElement>(id);
    box.checked = !box.checked;
    this.restyle();
  }

  /** Show how many pixels each class has, and what is under the pointer now. */
  count(): void {
    this.showPoint(this.at);
    const counts = new Uint32Array(256);
    for (const index of this.field.map?.pixels ?? []) counts[index]++;
    this.classes.forEach((_, index) => (find(`count-${index}`).textContent = counts[index].toLocaleString("en")));
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

  private makeClass(name: string, index: number): HTMLElement {
    const radio = make("input", { type: "radio", name: "class", id: `class-${index}`, value: String(index) });
    radio.addEventListener("change", () => this.choose(index));
    const swatch = makeSwatch(index === 0 ? "transparent" : css(classColour(index)));
    const count = make("span", { className: "quiet", id: `count-${index}`, title: "pixels" });
    return make("label", {}, radio, swatch, make("span", { className: "name" }, name), count, make("kbd", {}, String(index)));
  }

  private showPoint(point: Point | null): void {
    this.at = point;
    const read = point === null ? null : this.field.read(point);
    find("cursor-class").textContent = read === null ? "" : this.classes[read.index];
    find("cursor-place").textContent =
      read === null ? "" : `row ${Math.floor(point!.row)}, column ${Math.floor(point!.column)} · ${this.showCounts(read.counts)}`;
  }

  private showCounts(counts: number[]): string {
    return this.field.task!.channels.map((name, channel) => `${name} ${counts[channel]}`).join(" · ");
  }
}

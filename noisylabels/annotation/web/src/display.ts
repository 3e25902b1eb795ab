/** The controls of how an image is shown: together or one channel, and the contrast and gamma of each, kept per plate. */

import { channelColour, css, type Contrast, type Look } from "./colours";
import { find, make, makeSwatch } from "./elements";
import { keep, recall } from "./memory";
import type { Stage } from "./stage";

const STEPS = 1000;
const FIELDS = ["low", "high", "gamma"] as const;

export class DisplayPanel {
  private contrast: Contrast[] = [];
  private proposed: Contrast[] = [];
  private tops: number[] = [];
  private look: Look = "together";
  private channels: string[] = [];
  private plate = "";

  constructor(private readonly stage: Stage) {
    find("contrast-reset").addEventListener("click", () => this.reset());
  }

  /** Take over the image that is shown. What was set on its plate holds for it; else what is proposed for it. */
  show(channels: string[], planes: readonly Uint16Array[], proposed: readonly Contrast[], plate = ""): void {
    this.plate = plate;
    this.proposed = proposed.map(([low, high]) => [low, high, 1]);
    const kept = recall<Contrast[]>(this.place());
    this.contrast = isContrast(kept, channels.length) ? kept : this.copyProposed();
    this.tops = planes.map((plane, channel) => Math.max(this.contrast[channel][1], proposed[channel][1], brightest(plane)));
    if (this.channels.join("\n") !== channels.join("\n")) this.makeControls(channels);
    this.contrast.forEach((_, channel) => this.put(channel));
    this.tellKept(this.contrast === kept);
    this.stage.setContrast(this.contrast);
  }

  /** Show the next view: together, first channel, second channel. */
  cycle(): void {
    const looks: Look[] = ["together", ...this.channels.keys()];
    this.setLook(looks[(looks.indexOf(this.look) + 1) % looks.length]);
  }

  private place(): string {
    return `contrast:${this.plate}`;
  }

  private copyProposed(): Contrast[] {
    return this.proposed.map(([low, high, gamma]) => [low, high, gamma]);
  }

  private setLook(look: Look): void {
    this.look = look;
    find<HTMLInputElement>(`look-${look}`).checked = true;
    this.stage.setLook(look);
  }

  private reset(): void {
    keep(this.place(), null);
    this.contrast = this.copyProposed();
    this.contrast.forEach((_, channel) => this.put(channel));
    this.tellKept(false);
    this.stage.setContrast(this.contrast);
  }

  private makeControls(channels: string[]): void {
    this.channels = channels;
    find("looks").replaceChildren(
      this.makeLook("together", "Together"),
      ...channels.map((name, channel) => this.makeLook(channel, name)),
    );
    find("channels").replaceChildren(...channels.map((name, channel) => this.makeChannel(name, channel)));
    this.setLook("together");
  }

  private makeLook(look: Look, name: string): HTMLElement {
    const radio = make("input", { type: "radio", name: "look", id: `look-${look}` });
    radio.addEventListener("change", () => this.setLook(look));
    return make("label", { title: name }, radio, make("span", {}, name));
  }

  private makeChannel(name: string, channel: number): HTMLElement {
    const sliders = ["low", "high"].map((end, place) => {
      const slider = make("input", { type: "range", min: "0", max: String(STEPS), id: `${end}-${channel}` });
      slider.setAttribute("aria-label", `${name}: ${end === "low" ? "black" : "brightest"} at`);
      slider.addEventListener("input", () => this.set(channel, place, this.countAt(channel, Number(slider.value))));
      return slider;
    });
    const numbers = FIELDS.map((field, place) => this.makeNumber(name, field, channel, place));
    const head = make("div", { className: "row" }, makeSwatch(css(channelColour(channel))), make("span", { className: "name" }, name));
    return make("div", { className: "channel" }, head, make("div", { className: "row numbers" }, ...numbers), ...sliders);
  }

  private makeNumber(name: string, field: (typeof FIELDS)[number], channel: number, place: number): HTMLElement {
    const number = make("input", { type: "number", id: `${field}-number-${channel}`, min: field === "gamma" ? "0.1" : "0" });
    number.step = field === "gamma" ? "0.1" : "1";
    if (field === "gamma") number.max = "10";
    number.setAttribute("aria-label", `${name}: ${field}`);
    number.addEventListener("change", () => {
      if (number.value !== "") this.set(channel, place, Number(number.value));
      this.put(channel);
    });
    return make("label", {}, make("span", { className: "quiet" }, field === "gamma" ? "γ" : field), number);
  }

  private set(channel: number, place: number, value: number): void {
    const [low, high, gamma = 1] = this.contrast[channel];
    if (place === 0) this.contrast[channel] = [Math.max(0, Math.min(value, high - 1)), high, gamma];
    else if (place === 1) this.contrast[channel] = [low, Math.max(value, low + 1), gamma];
    else this.contrast[channel] = [low, high, Math.min(10, Math.max(0.1, value))];
    this.put(channel);
    keep(this.place(), this.contrast);
    this.tellKept(true);
    this.stage.setContrast(this.contrast);
  }

  private put(channel: number): void {
    const [low, high, gamma = 1] = this.contrast[channel];
    find<HTMLInputElement>(`low-${channel}`).value = String(this.stepOf(channel, low));
    find<HTMLInputElement>(`high-${channel}`).value = String(this.stepOf(channel, high));
    find<HTMLInputElement>(`low-number-${channel}`).value = String(Math.round(low));
    find<HTMLInputElement>(`high-number-${channel}`).value = String(Math.round(high));
    find<HTMLInputElement>(`gamma-number-${channel}`).value = String(Number(gamma.toFixed(2)));
  }

  private tellKept(kept: boolean): void {
    find("contrast-kept").textContent = kept ? `Kept for ${this.plate === "" ? "all fields" : `plate ${this.plate}`}` : "";
  }

  /** Sliders are quadratic: fluorescence is mostly dark, and the dark end is where contrast is set. */
  private countAt(channel: number, step: number): number {
    return this.tops[channel] * (step / STEPS) ** 2;
  }

  private stepOf(channel: number, count: number): number {
    return Math.round(STEPS * Math.sqrt(Math.max(0, count) / this.tops[channel]));
  }
}

function isContrast(kept: unknown, n: number): kept is Contrast[] {
  const fits = (each: unknown) => Array.isArray(each) && each.length === 3 && each.every(Number.isFinite) && each[0] < each[1];
  return Array.isArray(kept) && kept.length === n && kept.every(fits);
}

function brightest(plane: Uint16Array): number {
  let top = 1;
  for (const count of plane) if (count > top) top = count;
  return top;
}

/** The controls of how an image looks: together or one channel, and the contrast of each. */

import { channelColour, css, type Contrast, type Look } from "./colours";
import { find, make, makeSwatch } from "./elements";
import type { Stage } from "./stage";

const STEPS = 1000;

export class LookPanel {
  private contrast: Contrast[] = [];
  private proposed: Contrast[] = [];
  private tops: number[] = [];
  private look: Look = "together";
  private channels: string[] = [];

  constructor(private readonly stage: Stage) {
    find("contrast-reset").addEventListener("click", () => this.reset());
  }

  /** Take over the image that is shown. */
  show(channels: string[], planes: readonly Uint16Array[], proposed: readonly Contrast[]): void {
    this.proposed = proposed.map(([low, high]) => [low, high]);
    this.tops = planes.map((plane, channel) => Math.max(proposed[channel][1], brightest(plane)));
    const sameImages = this.channels.join() === channels.join();
    if (!sameImages) this.makeControls(channels);
    this.reset();
  }

  /** Show the next view: together, first channel, second channel. */
  cycle(): void {
    const looks: Look[] = ["together", ...this.channels.keys()];
    this.setLook(looks[(looks.indexOf(this.look) + 1) % looks.length]);
  }

  private setLook(look: Look): void {
    this.look = look;
    find<HTMLInputElement>(`look-${look}`).checked = true;
    this.stage.setLook(look);
  }

  private reset(): void {
    this.contrast = this.proposed.map(([low, high]) => [low, high]);
    this.contrast.forEach((_, channel) => this.place(channel));
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
    return make("label", {}, radio, make("span", {}, name));
  }

  private makeChannel(name: string, channel: number): HTMLElement {
    const ends = ["low", "high"].map((end, place) => {
      const slider = make("input", { type: "range", min: "0", max: String(STEPS), id: `${end}-${channel}` });
      slider.setAttribute("aria-label", `${name}: ${end === "low" ? "black" : "brightest"} at`);
      slider.addEventListener("input", () => this.move(channel, place, Number(slider.value)));
      return slider;
    });
    const value = make("output", { id: `contrast-${channel}` });
    const head = make("div", { className: "row" }, makeSwatch(css(channelColour(channel))), make("span", {}, name), value);
    return make("div", { className: "channel" }, head, ...ends);
  }

  private move(channel: number, end: number, step: number): void {
    const [low, high] = this.contrast[channel];
    const count = this.countAt(channel, step);
    this.contrast[channel] = end === 0 ? [Math.min(count, high - 1), high] : [low, Math.max(count, low + 1)];
    this.place(channel);
    this.stage.setContrast(this.contrast);
  }

  private place(channel: number): void {
    this.contrast[channel].forEach((count, end) => {
      find<HTMLInputElement>(`${end === 0 ? "low" : "high"}-${channel}`).value = String(this.stepOf(channel, count));
    });
    const [low, high] = this.contrast[channel];
    find(`contrast-${channel}`).textContent = `${Math.round(low)} – ${Math.round(high)}`;
  }

  /** Sliders are quadratic: fluorescence is mostly dark, and the dark end is where contrast is set. */
  private countAt(channel: number, step: number): number {
    return this.tops[channel] * (step / STEPS) ** 2;
  }

  private stepOf(channel: number, count: number): number {
    return Math.round(STEPS * Math.sqrt(Math.max(0, count) / this.tops[channel]));
  }
}

function brightest(plane: Uint16Array): number {
  let top = 1;
  for (const count of plane) if (count > top) top = count;
  return top;
}

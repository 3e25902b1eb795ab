/** The scores of the two sides, by pointer or by digits. */

import { find, make } from "../elements";
import { SIDES, type Side } from "./panes";

export class Scores {
  onChange: () => void = () => {};
  private values: Record<Side, number | null> = { left: null, right: null };
  private side: Side = "left";

  constructor(
    private readonly lowest: number,
    private readonly highest: number,
  ) {
    for (const side of SIDES) {
      const place = find(`scores-${side}`);
      for (let value = lowest; value <= highest; value++) place.append(this.makeScore(side, value));
      place.addEventListener("focusin", () => this.choose(side));
    }
    this.choose("left");
  }

  /** Both scores; null as long as one is missing. */
  get both(): Record<Side, number> | null {
    const { left, right } = this.values;
    return left === null || right === null ? null : { left, right };
  }

  show(values: Record<Side, number | null>): void {
    for (const side of SIDES) {
      this.values[side] = values[side];
      for (const radio of find(`scores-${side}`).querySelectorAll("input")) {
        radio.checked = Number(radio.value) === values[side];
      }
    }
    (document.activeElement as HTMLElement | null)?.blur();
    this.choose("left");
    this.onChange();
  }

  /** Take digits for this side from now on. */
  choose(side: Side): void {
    this.side = side;
    for (const each of SIDES) find(`scores-${each}`).dataset.active = String(each === side);
  }

  /** Score the side whose turn it is, and turn to the other if that has none. */
  type(value: number): void {
    if (value < this.lowest || value > this.highest) return;
    const other = this.side === "left" ? "right" : "left";
    find<HTMLInputElement>(`score-${this.side}-${value}`).checked = true;
    this.set(this.side, value);
    if (this.values[other] === null) this.choose(other);
  }

  private set(side: Side, value: number): void {
    this.values[side] = value;
    this.onChange();
  }

  private makeScore(side: Side, value: number): HTMLElement {
    const radio = make("input", { type: "radio", name: `score-${side}`, id: `score-${side}-${value}`, value: String(value) });
    radio.addEventListener("change", () => this.set(side, value));
    return make("label", {}, radio, make("span", {}, String(value)));
  }
}

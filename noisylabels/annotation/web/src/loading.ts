/**
 * From one picture to the next: everything is loaded, then all of it is switched.
 *
 * In between the page shows nothing of the one before, says that it loads, and takes no work: a score or a stroke never
 * lands on a picture that the person does not see.
 */

import { Refused } from "./api";
import { find } from "./elements";

export class Loading {
  private turn = 0;
  private again: () => void = () => {};

  /** @param clear Empties the panes of the page. */
  constructor(private readonly clear: () => void) {
    find("load-again").addEventListener("click", () => this.again());
  }

  /** Whether the page shows what it works on. */
  get isOver(): boolean {
    return document.body.dataset.loading === "";
  }

  /** Load, then show; tells why if it cannot be loaded, and offers to try again. Returns whether it is shown. */
  async to<T>(load: () => Promise<T>, show: (loaded: T) => void): Promise<boolean> {
    const turn = ++this.turn;
    this.again = () => void this.to(load, show);
    this.lock("yes", "Loading…");
    this.clear();
    try {
      const loaded = await load();
      if (turn !== this.turn) return false;
      show(loaded);
      this.unlock();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (turn === this.turn) this.lock("failed", `This could not be loaded. ${error.message}`);
      return false;
    }
  }

  /** Let nothing be done while an action of this picture is on its way. Refused: the picture can be worked on again. */
  async during<T>(sentence: string, work: () => Promise<T>): Promise<T> {
    const turn = ++this.turn;
    this.lock("yes", sentence);
    try {
      return await work();
    } catch (error) {
      if (turn === this.turn) this.unlock();
      throw error;
    }
  }

  /** Take work again. */
  unlock(): void {
    this.lock("", "");
  }

  private lock(state: "" | "yes" | "failed", sentence: string): void {
    document.body.dataset.loading = state;
    find("loading").hidden = state === "";
    find("loading-text").textContent = sentence;
    find("load-again").hidden = state !== "failed";
    for (const part of document.querySelectorAll<HTMLElement>("[data-work]")) part.inert = state !== "";
  }
}

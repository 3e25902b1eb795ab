/** Counts the time a person works: from one movement to the next, unless a pause was longer than `idleMs`. */
export class Activity {
  private counted = 0;
  private latest: number | null = null;

  constructor(
    private readonly idleMs: number,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Note a movement. */
  note(): void {
    const now = this.clock();
    if (this.latest !== null && now - this.latest <= this.idleMs) this.counted += now - this.latest;
    this.latest = now;
  }

  /** Take the whole milliseconds counted since the last call. */
  take(): number {
    const whole = Math.floor(this.counted);
    this.counted -= whole;
    return whole;
  }

  /** Note movements of pointer, wheel and keys anywhere on a page. */
  watch(target: EventTarget): void {
    for (const kind of ["pointermove", "pointerdown", "wheel", "keydown"]) {
      target.addEventListener(kind, () => this.note(), { passive: true, capture: true });
    }
  }
}

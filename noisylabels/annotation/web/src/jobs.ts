/** Jobs of the server (predict, retrain): started, watched, their logs read. */

import { getJson, post } from "./api";
import { find, make, told } from "./elements";

export interface Job {
  job: string;
  kind: "predict" | "retrain" | "curve";
  bundle: string;
  state: "running" | "done" | "failed" | "cancelled" | "lost";
  created: string;
  ended: string | null;
  exit_code: number | null;
  task: string | null;
  revision: number | null;
  conflict: boolean;
  error: string | null;
  /** 0 to 1; null when it cannot be told. */
  progress?: number | null;
  message?: string | null;
  score?: Score | null;
  replaced?: boolean | null;
  curve?: Curve | null;
}

/** How good a network is before and after retraining, on fields it did not learn from. */
export interface Score {
  measure: string;
  before: number | null;
  after: number;
  low: number | null;
  high: number | null;
  n_fields: number;
  decided_by: string;
}

/** What more fields are expected to add. */
export interface Curve {
  points: { n_fields: number; score: number; low: number; high: number }[];
  stop: boolean;
  sentence: string;
}

const NAMES: Record<Job["kind"], string> = { predict: "Predict", retrain: "Retrain", curve: "How many more" };

const POLL_MS = 1000;

export class JobsPanel {
  onEnd: (job: Job) => void = () => {};
  /** Is told of every job, newest first, whenever they were looked at. */
  onLook: (jobs: Job[]) => void = () => {};
  private running = new Set<string>();
  private shown: string | null = null;

  constructor(private readonly mayCancel: boolean) {
    find("job-log").addEventListener("close", () => (this.shown = null));
  }

  /** Start a job. */
  async start(path: string, content: object): Promise<void> {
    await told(async () => {
      const job = await post<Job>(path, content);
      this.running.add(job.job);
      await this.refresh();
    });
  }

  /** Show all jobs when the server answers: it is asked until it does. */
  watch(): void {
    this.refresh().catch(() => this.ask()); // it may be starting again
  }

  /** Show all jobs; as long as one runs, look again every second. Throws Refused. */
  async refresh(): Promise<void> {
    const { jobs } = await getJson<{ jobs: Job[] }>("/api/jobs");
    find("jobs").replaceChildren(...jobs.slice(0, 8).map((job) => this.makeRow(job)));
    find("jobs-section").hidden = jobs.length === 0;
    this.onLook(jobs);
    for (const job of jobs) {
      if (job.state === "running") this.running.add(job.job);
      else if (this.running.delete(job.job)) this.onEnd(job);
    }
    if (this.running.size > 0 && !this.asked) this.ask();
  }

  private asked = false;

  private ask(): void {
    this.asked = true;
    setTimeout(() => {
      this.asked = false;
      this.watch();
    }, POLL_MS);
  }

  private makeRow(job: Job): HTMLElement {
    const name = `${NAMES[job.kind]} · ${job.bundle}`;
    const log = make("button", { type: "button", className: "small", textContent: "Log" });
    log.addEventListener("click", () => void this.showLog(job));
    const state = make("span", { className: `state ${job.state}`, textContent: job.state });
    const row = make("li", { data: { job: job.job, state: job.state } }, make("span", {}, name), state, log);
    if (job.state === "running" && this.mayCancel) row.append(this.makeCancel(job));
    if (job.state === "running") row.append(makeProgress(job));
    if (job.error !== null) row.append(make("p", { className: "why" }, job.error));
    if (job.score) row.append(this.makeDecision(job, job.score));
    if (job.curve) row.append(makeCurve(job.curve));
    return row;
  }

  /** The score before and after, and the owner's yes or no. */
  private makeDecision(job: Job, score: Score): HTMLElement {
    const outcome = { true: "In use.", false: "Not used." }[String(job.replaced)];
    const words = make("p", {}, describeScore(score), outcome === undefined ? "" : ` ${outcome}`);
    const place = make("div", { className: "decision" }, words);
    if (job.replaced !== null || !this.mayCancel) return place;
    const button = (replace: boolean, text: string) => {
      const made = make("button", { type: "button", className: replace ? "main" : "", textContent: text });
      made.addEventListener("click", () => void told(async () => {
        await post(`/api/jobs/${job.job}/replace`, { replace });
        await this.refresh();
      }));
      return made;
    };
    place.append(make("p", {}, "Use the new network for predictions from now on?"));
    place.append(make("div", { className: "row" }, button(true, "Yes, use it"), button(false, "No, keep the old one")));
    return place;
  }

  private makeCancel(job: Job): HTMLElement {
    const cancel = make("button", { type: "button", className: "small", textContent: "Cancel" });
    cancel.addEventListener("click", () => void told(async () => {
      await post(`/api/jobs/${job.job}/cancel`);
      await this.refresh();
    }));
    return cancel;
  }

  private async showLog(job: Job): Promise<void> {
    const dialog = find<HTMLDialogElement>("job-log");
    const text = find("job-log-text");
    find("job-log-title").textContent = `${job.kind} ${job.bundle}`;
    text.textContent = "";
    this.shown = job.job;
    dialog.showModal();
    let offset = 0;
    while (this.shown === job.job) {
      const { piece, next } = await readLog(job, offset).catch(() => ({ piece: "", next: offset })); // asked again
      offset = next;
      text.append(piece);
      if (piece !== "") text.scrollTop = text.scrollHeight;
      else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

async function readLog(job: Job, offset: number): Promise<{ piece: string; next: number }> {
  const response = await fetch(`/api/jobs/${job.job}/log?offset=${offset}`);
  const piece = response.ok ? await response.text() : "";
  return { piece, next: Number(response.headers.get("X-Next-Offset") ?? offset) };
}

/** Say what retraining changed. */
export function describeScore(score: Score): string {
  const n = `${score.n_fields} ${score.n_fields === 1 ? "field" : "fields"} it did not learn from (${score.decided_by})`;
  const measure = score.measure.replaceAll("_", " ").replace("iou", "IoU");
  if (score.before === null) return `${measure} ${score.after.toFixed(3)} on ${n}. There was no network before.`;
  const { low, high } = score;
  const interval = low === null || high === null ? "" : `; change ${sign(low)} to ${sign(high)} (95 %)`;
  return `${measure} ${score.before.toFixed(3)} before, ${score.after.toFixed(3)} after, on ${n}${interval}.`;
}

function sign(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}

function makeProgress(job: Job): HTMLElement {
  const bar = make("progress", { max: 1 });
  bar.setAttribute("aria-label", `${NAMES[job.kind]} ${job.bundle}`);
  if (job.progress != null) bar.value = job.progress;
  return make("div", { className: "row running" }, bar, make("span", { className: "quiet" }, job.message ?? ""));
}

function makeCurve(curve: Curve): HTMLElement {
  const rows = curve.points.map(({ n_fields, score, low, high }) =>
    make("tr", {}, ...[String(n_fields), score.toFixed(3), `${low.toFixed(3)} to ${high.toFixed(3)}`].map((text) => make("td", {}, text))),
  );
  const head = make("tr", {}, ...["fields", "score", "95 %"].map((text) => make("th", {}, text)));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  return make("div", { className: "decision curve" }, make("p", {}, curve.sentence), table);
}

/** Jobs of the server (predict, retrain): started, watched, their logs read. */

import { getJson, post, Refused } from "./api";
import { find, make, tell } from "./elements";

export interface Job {
  job: string;
  kind: "predict" | "retrain";
  bundle: string;
  state: "running" | "done" | "failed" | "cancelled" | "lost";
  created: string;
  ended: string | null;
  exit_code: number | null;
  task: string | null;
  revision: number | null;
  conflict: boolean;
  error: string | null;
}

const POLL_MS = 1000;

export class JobsPanel {
  onEnd: (job: Job) => void = () => {};
  private running = new Set<string>();
  private shown: string | null = null;

  constructor(private readonly mayCancel: boolean) {
    find("job-log").addEventListener("close", () => (this.shown = null));
  }

  /** Start a job. */
  async start(path: string, content: object): Promise<void> {
    try {
      const job = await post<Job>(path, content);
      this.running.add(job.job);
      await this.refresh();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(error.message);
    }
  }

  /** Show all jobs; as long as one runs, look again every second. */
  async refresh(): Promise<void> {
    const { jobs } = await getJson<{ jobs: Job[] }>("/api/jobs");
    find("jobs").replaceChildren(...jobs.slice(0, 8).map((job) => this.makeRow(job)));
    find("jobs-section").hidden = jobs.length === 0;
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
      this.refresh().catch(() => this.ask()); // the server may be starting again
    }, POLL_MS);
  }

  private makeRow(job: Job): HTMLElement {
    const name = `${job.kind === "predict" ? "Predict" : "Retrain"} · ${job.bundle}`;
    const log = make("button", { type: "button", className: "small", textContent: "Log" });
    log.addEventListener("click", () => void this.showLog(job));
    const state = make("span", { className: `state ${job.state}`, textContent: job.state, title: job.error ?? "" });
    const row = make("li", { data: { job: job.job, state: job.state } }, make("span", {}, name), state, log);
    if (job.state === "running" && this.mayCancel) row.append(this.makeCancel(job));
    return row;
  }

  private makeCancel(job: Job): HTMLElement {
    const cancel = make("button", { type: "button", className: "small", textContent: "Cancel" });
    cancel.addEventListener("click", () => void post(`/api/jobs/${job.job}/cancel`).then(() => this.refresh()));
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
      const response = await fetch(`/api/jobs/${job.job}/log?offset=${offset}`);
      const piece = response.ok ? await response.text() : "";
      offset = Number(response.headers.get("X-Next-Offset") ?? offset);
      text.append(piece);
      if (piece !== "") text.scrollTop = text.scrollHeight;
      else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

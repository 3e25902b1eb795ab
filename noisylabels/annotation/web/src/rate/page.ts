/** The rating page: two label maps of one image, side by side, scored without knowing who drew which. */

import "../theme.css";
import { Activity } from "../activity";
import { getBytes, getJson, post, Refused, splitPlanes, type Picture, type SessionInfo } from "../api";
import { classColour, css } from "../colours";
import { find, make, makeSwatch, tell } from "../elements";
import { bindKeys, type Binding } from "../keys";
import { ready } from "../probe";
import { Panes, type Side } from "./panes";
import { Scores } from "./scores";

interface Study {
  lowest: number;
  highest: number;
  n_scored: number;
  next: string | null;
  trials: { trial: string; number: number; training: boolean; scored: boolean }[];
}

interface Trial extends Picture {
  trial: string;
  number: number;
  training: boolean;
  left: number | null;
  right: number | null;
}

class RatingPage {
  private readonly panes = new Panes();
  private readonly scores: Scores;
  private trial: Trial | null = null;
  private busy = false;

  constructor(
    private study: Study,
    private readonly activity: Activity,
  ) {
    this.scores = new Scores(study.lowest, study.highest);
    this.scores.onChange = () => (find<HTMLButtonElement>("save").disabled = this.scores.both === null);
    find("save").addEventListener("click", () => void this.save());
    find("back").addEventListener("click", () => void this.walk(-1));
    find("forward").addEventListener("click", () => void this.walk(1));
    find("comment").addEventListener("keydown", (event) => event.key === "Enter" && void this.save());
    bindKeys(this.bindings());
  }

  /** Open the trial that the page's address names, else the first without a score. */
  async begin(): Promise<void> {
    await this.open(new URLSearchParams(location.search).get("trial") ?? this.study.next);
  }

  private bindings(): Binding[] {
    const { panes, scores } = this;
    const digits = [..."123456789"];
    return [
      { keys: digits, does: "Score the side whose turn it is", run: (event) => scores.type(Number(event.key)) },
      { keys: ["0"], does: "Score it 10", run: () => scores.type(10) },
      { keys: ["l"], does: "Digits score the left", run: () => scores.choose("left") },
      { keys: ["r"], does: "Digits score the right", run: () => scores.choose("right") },
      { keys: ["enter"], does: "Save and go on", run: () => void this.save() },
      { keys: ["t"], does: "Show or hide labels on both sides", run: () => panes.toggle("visible") },
      { keys: ["o"], does: "Outlines or areas on both sides", run: () => panes.toggle("outline") },
      { keys: ["c"], does: "Image: channels together, or the next alone", run: () => panes.cycle() },
      { keys: ["+", "="], does: "Zoom in", run: () => panes.zoomBy(1) },
      { keys: ["-"], does: "Zoom out", run: () => panes.zoomBy(-1) },
      { keys: ["."], does: "Show all of the image", run: () => panes.fit() },
      { keys: ["pageup"], does: "Back to the trial before", run: () => void this.walk(-1) },
      { keys: ["pagedown"], does: "Forward", run: () => void this.walk(1) },
    ];
  }

  private async open(token: string | null): Promise<void> {
    document.body.dataset.trial = "";
    this.study = await getJson<Study>("/api/rating");
    this.showProgress();
    find("panes").hidden = token === null;
    if (token === null) return this.finish();
    const trial = await getJson<Trial>(`/api/rating/trials/${encodeURIComponent(token)}`);
    this.trial = trial;
    find("title").textContent = `Trial ${trial.number} of ${this.study.trials.length}`;
    find("training").hidden = !trial.training;
    find("empty").textContent = trial.problem ?? "";
    find("empty").hidden = trial.problem === null;
    find<HTMLInputElement>("comment").value = "";
    if (trial.problem === null) await this.show(trial);
    this.scores.show(trial);
    history.replaceState(null, "", `/rate?trial=${trial.trial}`);
    document.body.dataset.trial = trial.trial;
  }

  private async show(trial: Trial): Promise<void> {
    const body = await getBytes(`/api/rating/trials/${trial.trial}/media`);
    const n = trial.rows * trial.columns;
    const behind = 2 * trial.channels.length * n;
    const maps: Record<Side, Uint8Array> = {
      left: body.subarray(behind, behind + n),
      right: body.subarray(behind + n, behind + 2 * n),
    };
    this.panes.show(splitPlanes(body, trial), trial, trial.channels, trial.contrast, maps);
  }

  private async save(): Promise<void> {
    const { both } = this.scores;
    if (this.trial === null || both === null || this.busy) return;
    this.busy = true;
    showSaved("Saving…");
    try {
      const comment = find<HTMLInputElement>("comment").value;
      const content = { ...both, active_ms: this.activity.take(), comment };
      const path = `/api/rating/trials/${this.trial.trial}/scores`;
      const { next } = await post<{ next: string | null }>(path, content, (trouble) => trouble && showSaved(trouble));
      showSaved(null);
      await this.open(next);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      showSaved(`This was not saved. ${error.message}`);
    } finally {
      this.busy = false;
    }
  }

  /** Go to a trial that was scored before, or forward to the first that was not. */
  private async walk(by: -1 | 1): Promise<void> {
    if (this.busy) return;
    const seen = this.study.trials.filter((trial) => trial.scored || trial.trial === this.study.next);
    const here = this.trial === null ? seen.length : seen.findIndex((trial) => trial.trial === this.trial?.trial);
    const there = seen[here + by];
    if (there !== undefined) await this.open(there.trial);
    else if (by > 0 && this.study.next === null) await this.open(null);
  }

  private finish(): void {
    this.trial = null;
    find("title").textContent = "Done";
    find("training").hidden = true;
    find("empty").textContent = "All trials are rated. Thank you.";
    find("empty").hidden = false;
    find<HTMLButtonElement>("save").disabled = true;
    history.replaceState(null, "", "/rate");
    document.body.dataset.trial = "none";
  }

  private showProgress(): void {
    const { n_scored, trials } = this.study;
    find<HTMLProgressElement>("progress").max = Math.max(1, trials.length);
    find<HTMLProgressElement>("progress").value = n_scored;
    find("progress-text").textContent = `${n_scored} of ${trials.length} rated`;
  }
}

function showSaved(trouble: string | null): void {
  const saved = find("saved");
  saved.hidden = false;
  saved.textContent = trouble ?? "Saved";
  saved.dataset.waiting = trouble === null ? "0" : "1";
  saved.dataset.trouble = trouble === null || trouble === "Saving…" ? "" : "yes";
}

async function start(): Promise<void> {
  const session = await getJson<SessionInfo>("/api/session");
  if (!session.pages.includes("rate")) {
    location.replace("/");
    return;
  }
  const names = session.classes.slice(1);
  const entries = names.map((name, i) => make("span", {}, makeSwatch(css(classColour(i + 1))), ` ${name}`));
  find("legend").replaceChildren(...entries);
  const activity = new Activity(session.idle_ms);
  activity.watch(document);
  const page = new RatingPage(await getJson<Study>("/api/rating"), activity);
  await page.begin();
  ready();
}

start().catch((error: unknown) => {
  if (!(error instanceof Refused)) throw error;
  tell(error.message);
});

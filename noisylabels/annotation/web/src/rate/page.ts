/** The rating page: two label maps of one image, side by side, scored without knowing who drew which. */

import "../theme.css";
import { Activity } from "../activity";
import { getBytes, getJson, post, Refused, splitPlanes, type Picture, type SessionInfo } from "../api";
import { classColour, css } from "../colours";
import { find, make, makeSwatch, tell } from "../elements";
import { bindKeys, type Binding } from "../keys";
import { Loading } from "../loading";
import { showPerson } from "../person";
import { ready } from "../probe";
import { Panes, SIDES, type Side } from "./panes";
import { Scores } from "./scores";

type State = "open" | "scored" | "cannot_judge" | "skipped";

interface Study {
  lowest: number;
  highest: number;
  n_scored: number;
  n_cannot_judge: number;
  next: string | null;
  trials: { trial: string; number: number; training: boolean; state: State }[];
}

interface Trial extends Picture {
  trial: string;
  number: number;
  training: boolean;
  state: State;
  left: number | null;
  right: number | null;
}

interface Loaded {
  study: Study;
  /** Null at the end. */
  trial: Trial | null;
  /** The image and both label maps; null where they cannot be read. */
  body: Uint8Array<ArrayBuffer> | null;
}

class RatingPage {
  readonly panes = new Panes();
  private readonly scores: Scores;
  private trial: Trial | null = null;
  private busy = false;
  private here: string | null = null;
  private readonly loading = new Loading(() => this.clear());

  constructor(
    private study: Study,
    private readonly activity: Activity,
  ) {
    this.scores = new Scores(study.lowest, study.highest);
    this.scores.onChange = () => (find<HTMLButtonElement>("save").disabled = this.trial?.problem !== null || this.scores.both === null);
    find("save").addEventListener("click", () => void this.save());
    find("back").addEventListener("click", () => void this.walk(-1));
    find("forward").addEventListener("click", () => void this.walk(1));
    find("skip").addEventListener("click", () => void this.close("skipped"));
    find("cannot-judge").addEventListener("click", () => void this.close("cannot_judge"));
    find("comment").addEventListener("keydown", (event) => event.key === "Enter" && !event.repeat && void this.save());
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
      { keys: digits, does: "Score the side whose turn it is", run: (key) => this.mayScore && scores.type(Number(key)) },
      { keys: ["0"], does: "Score it 10", run: () => this.mayScore && scores.type(10) },
      { keys: ["l"], does: "Digits score the left", run: () => scores.choose("left") },
      { keys: ["r"], does: "Digits score the right", run: () => scores.choose("right") },
      { keys: ["s"], does: "Leave it for later", run: () => void this.close("skipped") },
      { keys: ["j"], does: "It cannot be judged; go on", run: () => void this.close("cannot_judge") },
      { keys: ["Enter"], does: "Save and go on", run: () => void this.save() },
      { keys: ["t"], does: "Show or hide labels on both sides", run: () => panes.toggle("visible") },
      { keys: ["o"], does: "Outlines or areas on both sides", run: () => panes.toggle("outline") },
      { keys: ["c"], does: "Image: channels together, or the next alone", run: () => panes.cycle() },
      { keys: ["+", "="], does: "Zoom in", run: () => panes.zoomBy(1), repeats: true },
      { keys: ["-"], does: "Zoom out", run: () => panes.zoomBy(-1), repeats: true },
      { keys: ["."], does: "Show all of the image", run: () => panes.fit() },
      { keys: ["PageUp"], does: "Back to the trial before", run: () => void this.walk(-1) },
      { keys: ["PageDown"], does: "Forward", run: () => void this.walk(1) },
    ];
  }

  private async open(token: string | null): Promise<void> {
    this.here = token;
    await this.loading.to(
      () => this.load(token),
      (loaded) => this.show(loaded),
    );
  }

  private async load(token: string | null): Promise<Loaded> {
    const study = await getJson<Study>("/api/rating");
    if (token === null) return { study, trial: null, body: null };
    const path = `/api/rating/trials/${encodeURIComponent(token)}`;
    const trial = await getJson<Trial>(path);
    return { study, trial, body: trial.problem === null ? await getBytes(`${path}/media`) : null };
  }

  private show({ study, trial, body }: Loaded): void {
    this.study = study;
    this.showProgress();
    find("panes").hidden = trial === null;
    for (const id of ["skip", "cannot-judge"]) find(id).hidden = trial === null;
    if (trial === null) return this.finish();
    this.trial = trial;
    find("title").textContent = `Trial ${trial.number} of ${this.study.trials.length}`;
    find("training").hidden = !trial.training;
    find("unjudged").hidden = trial.state !== "cannot_judge";
    find("empty").textContent = trial.problem === null ? "" : `${trial.problem} Leave this trial for later, or say that it cannot be judged.`;
    find("empty").hidden = trial.problem === null;
    find<HTMLInputElement>("comment").value = "";
    if (body !== null) this.showPictures(trial, body);
    for (const side of SIDES) find<HTMLFieldSetElement>(`scores-${side}`).disabled = body === null;
    this.scores.show(trial);
    history.replaceState(null, "", `/rate?trial=${trial.trial}`);
    document.body.dataset.trial = trial.trial;
  }

  private showPictures(trial: Trial, body: Uint8Array<ArrayBuffer>): void {
    const n = trial.rows * trial.columns;
    const behind = 2 * trial.channels.length * n;
    const maps: Record<Side, Uint8Array> = {
      left: body.subarray(behind, behind + n),
      right: body.subarray(behind + n, behind + 2 * n),
    };
    this.panes.show(splitPlanes(body, trial), trial, trial.channels, trial.contrast, maps);
  }

  /** Show no picture and no score. */
  private clear(): void {
    this.trial = null;
    document.body.dataset.trial = "";
    find("title").textContent = "…";
    for (const id of ["training", "unjudged", "empty"]) find(id).hidden = true;
    this.panes.clear();
    this.scores.show({ left: null, right: null });
  }

  /** Whether a score would be of what the rater sees. */
  private get mayScore(): boolean {
    return this.loading.isOver && this.trial !== null && this.trial.problem === null;
  }

  /** Go on without a score: the trial cannot be judged, or comes again at the end. */
  private async close(state: "cannot_judge" | "skipped"): Promise<void> {
    const trial = this.study.trials.find((each) => each.trial === this.here);
    if (trial === undefined || document.body.dataset.loading === "yes") return; // a picture that fails can be left
    if (state === "skipped" && (trial.state === "scored" || trial.state === "cannot_judge")) return this.walk(1);
    const waiting = this.study.trials.filter((each) => each.state === "open" || each.state === "skipped");
    if (state === "skipped" && waiting.length === 1) {
      return tell("This is the last trial without an answer. Score it, or say that it cannot be judged.");
    }
    await this.answer("close", { state });
  }

  private async save(): Promise<void> {
    const { both } = this.scores;
    if (this.mayScore && both !== null) await this.answer("scores", both);
  }

  /** Send what the rater says of the trial, and go on when the server has it. */
  private async answer(what: "scores" | "close", said: object): Promise<void> {
    if (this.here === null || this.busy) return;
    this.busy = true;
    showSaved("Saving…");
    try {
      const comment = find<HTMLInputElement>("comment").value;
      const content = { ...said, active_ms: this.activity.take(), comment };
      const path = `/api/rating/trials/${this.here}/${what}`;
      const send = () => post<{ next: string | null }>(path, content, (trouble) => trouble && showSaved(trouble));
      const { next } = await this.loading.during("Saving…", send);
      showSaved(null);
      await this.open(next);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      showSaved(`This was not saved. ${error.message}`);
    } finally {
      this.busy = false;
    }
  }

  /** Go to a trial that was answered before, or forward to the first that was not. */
  private async walk(by: -1 | 1): Promise<void> {
    if (this.busy) return;
    const seen = this.study.trials.filter(({ state, trial }) => state === "scored" || state === "cannot_judge" || trial === this.study.next);
    const at = seen.findIndex((trial) => trial.trial === this.here);
    const there = seen[(at < 0 ? seen.length : at) + by];
    if (there !== undefined) await this.open(there.trial);
    else if (by > 0 && this.study.next === null) await this.open(null);
  }

  private finish(): void {
    this.trial = null;
    find("title").textContent = "Done";
    for (const id of ["training", "unjudged"]) find(id).hidden = true;
    find("empty").textContent = "All trials are rated. Thank you.";
    find("empty").hidden = false;
    find<HTMLButtonElement>("save").disabled = true;
    history.replaceState(null, "", "/rate");
    document.body.dataset.trial = "none";
  }

  private showProgress(): void {
    const { n_scored, n_cannot_judge, trials } = this.study;
    find<HTMLProgressElement>("progress").max = Math.max(1, trials.length);
    find<HTMLProgressElement>("progress").value = n_scored + n_cannot_judge;
    const unjudged = n_cannot_judge === 0 ? "" : `, ${n_cannot_judge} cannot be judged`;
    find("progress-text").textContent = `${n_scored} of ${trials.length} rated${unjudged}`;
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
  showPerson(session.person);
  const names = session.classes.slice(1);
  const entries = names.map((name, i) => make("span", {}, makeSwatch(css(classColour(i + 1))), ` ${name}`));
  find("legend").replaceChildren(...entries);
  const activity = new Activity(session.idle_ms);
  activity.watch(document);
  const page = new RatingPage(await getJson<Study>("/api/rating"), activity);
  page.panes.setPixelSize(session.pixel_size_um);
  await page.begin();
  ready();
}

start().catch((error: unknown) => {
  if (!(error instanceof Refused)) throw error;
  tell(error.message);
});

/** The correction page: from the queue onto the screen, from the pen to the server. */

import "../theme.css";
import { Activity } from "../activity";
import { getJson, Refused, type SessionInfo } from "../api";
import { find, tell } from "../elements";
import { JobsPanel, type Job } from "../jobs";
import { bindKeys } from "../keys";
import { showPerson } from "../person";
import { probe, ready } from "../probe";
import { Field } from "./field";
import { LabelPanel } from "./labels";
import { Navigation } from "./navigation";
import { makeTools } from "./tools";
import { ToolBar } from "./toolbar";
import { makeBindings } from "./bindings";

async function start(): Promise<void> {
  const session = await getJson<SessionInfo>("/api/session");
  if (!session.pages.includes("correct")) {
    location.replace(`/${session.pages[0]}`);
    return;
  }
  const activity = new Activity(session.idle_ms);
  activity.watch(document);
  const jobs = new JobsPanel(session.role === "owner");
  const field = new Field(activity);
  const labels = new LabelPanel(field, session.classes);
  const tools = makeTools(field.stage, field.painter, {
    onPick: (value) => labels.choose(value),
    onRegion: (box) => void predict([box.rowMin, box.columnMin, box.rowMax, box.columnMax]),
  });
  const bar = new ToolBar(field, tools);
  const navigation = new Navigation(field);

  async function predict(region: number[] | null): Promise<void> {
    if (field.task === null || !(await field.settled())) return;
    const bundle = find<HTMLSelectElement>("bundle").value;
    await jobs.start(`/api/tasks/${field.task.task}/predict`, { bundle, revision: field.revision, region });
  }

  field.stage.setPixelSize(session.pixel_size_um);
  showPerson(session.person);
  navigation.onShow = (task) => {
    const mine = task.mine && (session.bundles ?? []).length > 0;
    find("predict-controls").hidden = !mine;
    find<HTMLButtonElement>("load-outlines").disabled = !field.isOpen;
    for (const format of ["geojson", "roi"]) {
      find<HTMLAnchorElement>(`outlines-${format}`).href = `/api/tasks/${task.task}/outlines?format=${format}`;
    }
    labels.offerGhosts(task.task).catch(() => {}); // nothing to compare with then
  };
  showBundles(session.bundles ?? []);
  find("predict").addEventListener("click", () => void predict(null));
  find("predict-region").addEventListener("click", () => bar.choose("region"));
  jobs.onLook = (all) => showPrediction(all.find((job) => job.kind === "predict" && job.task === field.task?.task));
  jobs.onEnd = (job) => void field.takeJob(job);
  bindKeys(makeBindings({ bar, labels, field, navigation }));
  bar.choose("brush");
  await navigation.begin();
  probe.hash = () => field.hash();
  probe.locate = (row, column) => field.stage.locate({ row, column });
  ready();
  jobs.watch();
}

/** Show beside the button how far a prediction of this field is. */
function showPrediction(job: Job | undefined): void {
  const place = find("predict-progress");
  place.hidden = job?.state !== "running";
  const [bar, words] = place.children as unknown as [HTMLProgressElement, HTMLElement];
  if (job?.progress == null) bar.removeAttribute("value");
  else bar.value = job.progress;
  words.textContent = job?.message ?? "";
}

function showBundles(bundles: string[]): void {
  find("bundle").replaceChildren(...bundles.map((name) => new Option(name)));
  find("predict-controls").hidden = bundles.length === 0;
  find("no-network").hidden = bundles.length > 0;
}

start().catch((error: unknown) => {
  if (!(error instanceof Refused)) throw error;
  tell(error.message);
});

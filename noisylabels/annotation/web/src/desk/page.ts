/** The desk: what a person may do here, how far the work is, how it is handed out. */

import "../theme.css";
import { getJson, json, newKey, post, Refused, send, type SessionInfo } from "../api";
import { find, make, tell } from "../elements";
import { JobsPanel } from "../jobs";
import { ready } from "../probe";

interface Queue {
  strategy: string;
  start: string;
  random_share: number;
  repeat_share: number;
  n_fields: number;
  n_open: number;
  n_accepted: number;
  n_skipped: number;
  n_cannot_judge: number;
}

interface Listed {
  name: string;
  rows: number;
  columns: number;
  state: string | null;
}

const SHOWN = 120;
const TRAINED_HERE = ["mdl"];
const STRATEGIES: Record<string, string> = {
  order: "as in the dataset",
  random: "random",
  uncertainty: "most uncertain first",
  disagreement: "CIP and CDL disagree most first",
  label_issue: "likely label issues first",
};

async function start(): Promise<void> {
  const session = await getJson<SessionInfo>("/api/session");
  find("person").textContent = `${session.person}, ${session.role}`;
  if (!session.pages.includes("correct")) showElsewhere(session.pages[0]);
  else await showCorrection(session);
  ready();
}

function showElsewhere(page: string): void {
  find<HTMLAnchorElement>("elsewhere-link").href = `/${page}`;
  find("elsewhere").hidden = false;
}

async function showCorrection(session: SessionInfo): Promise<void> {
  showQueue(await getJson<Queue>("/api/queue"), session);
  await showMine();
  const jobs = new JobsPanel(session.role === "owner");
  await jobs.refresh();
  if (session.role !== "owner") return;
  showTraining(session, jobs);
  find("queue").addEventListener("submit", (event) => {
    event.preventDefault();
    void told(() => saveQueue(session));
  });
  showFields((await getJson<{ fields: Listed[] }>("/api/fields")).fields);
}

function showQueue(queue: Queue, session: SessionInfo): void {
  find("correct-section").hidden = false;
  find("progress-text").textContent = `${queue.n_accepted} of ${queue.n_fields} fields accepted`;
  find<HTMLProgressElement>("progress").max = Math.max(1, queue.n_fields);
  find<HTMLProgressElement>("progress").value = queue.n_accepted;
  find("others").textContent = `${queue.n_open} open · ${queue.n_skipped} skipped · ${queue.n_cannot_judge} cannot be judged`;
  find("queue-section").hidden = session.role !== "owner";
  const options = Object.entries(session.strategies ?? {}).map(([name, scored]) => {
    const option = new Option(STRATEGIES[name] + (scored ? "" : " (no scores yet)"), name);
    option.disabled = !scored;
    return option;
  });
  find("strategy").replaceChildren(...options);
  find("start-from").replaceChildren(...(session.starts ?? []).map((name) => new Option(name)));
  find<HTMLSelectElement>("strategy").value = queue.strategy;
  find<HTMLSelectElement>("start-from").value = queue.start;
  find<HTMLInputElement>("random-share").value = String(queue.random_share);
  const handedOut = queue.n_open + queue.n_accepted + queue.n_skipped + queue.n_cannot_judge;
  find<HTMLInputElement>("random-share").disabled = handedOut > 0; // changed later it would bias the stratum
  find<HTMLInputElement>("repeat-share").value = String(queue.repeat_share);
}

async function saveQueue(session: SessionInfo): Promise<void> {
  const settings = {
    key: newKey(),
    strategy: find<HTMLSelectElement>("strategy").value,
    start: find<HTMLSelectElement>("start-from").value,
    random_share: Number(find<HTMLInputElement>("random-share").value),
    repeat_share: Number(find<HTMLInputElement>("repeat-share").value),
  };
  showQueue(await send<Queue>("/api/queue", json("PUT", settings)), session);
  tell("The queue is changed.");
}

function showTraining(session: SessionInfo, jobs: JobsPanel): void {
  const bundles = [...new Set([...TRAINED_HERE, ...(session.bundles ?? [])])];
  find("train-bundle").replaceChildren(...bundles.map((name) => new Option(name)));
  find("train-section").hidden = false;
  find("train").addEventListener("submit", (event) => {
    event.preventDefault();
    void jobs.start("/api/jobs/retrain", { bundle: find<HTMLSelectElement>("train-bundle").value });
  });
}

async function showMine(): Promise<void> {
  const { tasks } = await getJson<{ tasks: { task: string; number: number; state: string; name: string | null }[] }>("/api/tasks");
  const chips = tasks.slice(-SHOWN).map((task) => {
    const link = make("a", { href: `/correct?task=${task.task}` }, task.name ?? `Field ${task.number}`);
    return make("li", { data: { state: task.state } }, link, make("span", { className: "quiet" }, task.state.replace("_", " ")));
  });
  find("mine").replaceChildren(...chips);
  find("mine-section").hidden = tasks.length === 0;
  if (tasks.some((task) => task.state === "open")) find("start").textContent = "Go on correcting";
}

function showFields(fields: Listed[]): void {
  find("fields-section").hidden = false;
  find("n-fields").textContent = String(fields.length);
  const filter = find<HTMLInputElement>("filter");
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const hits = fields.filter((field) => field.name.toLowerCase().includes(wanted));
    find("fields").replaceChildren(...hits.slice(0, SHOWN).map(makeField));
    find("more").textContent = hits.length > SHOWN ? `and ${hits.length - SHOWN} more: type a part of the name` : "";
  };
  filter.addEventListener("input", show);
  show();
}

function makeField(field: Listed): HTMLElement {
  const button = make("button", { type: "button", title: `${field.rows} × ${field.columns} pixels` }, field.name);
  button.addEventListener("click", () =>
    void told(async () => {
      const { task } = await post<{ task: { task: string } }>("/api/tasks", { field: field.name });
      location.assign(`/correct?task=${task.task}`);
    }),
  );
  const state = make("span", { className: "quiet" }, (field.state ?? "").replace("_", " "));
  return make("li", { data: { state: field.state ?? "" } }, button, state);
}

async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  }
}

void told(start);

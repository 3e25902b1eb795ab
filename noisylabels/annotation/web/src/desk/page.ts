/** The desk: what a person may do here, how far the work is, how it is handed out. */

import "../theme.css";
import { getJson, json, newKey, post, send, type SessionInfo } from "../api";
import { find, make, tell, told } from "../elements";
import { JobsPanel } from "../jobs";
import { showPerson } from "../person";
import { ready } from "../probe";
import { FieldList, type Listed } from "./fields";
import { showNetworks } from "./networks";
import { showPeople } from "./people";

interface Queue {
  strategy: string;
  start: string;
  random_share: number;
  repeat_share: number;
  n_fields: number;
  n_open: number;
  n_accepted: number;
  n_returned: number;
  n_skipped: number;
  n_cannot_judge: number;
  /** What this person should do now. */
  next: string;
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
  showPerson(`${session.person}, ${session.role}`);
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
  if (session.role === "owner") {
    jobs.onLook = (all) => {
      if (!all.some((job) => job.kind !== "predict")) return;
      void told(showNetworks);
      void told(async () => showNext(await getJson<Queue>("/api/queue")));
    };
  }
  await jobs.refresh();
  showNextBy(session);
  if (session.role !== "owner") return;
  showTraining(session, jobs);
  find("queue").addEventListener("submit", (event) => {
    event.preventDefault();
    void told(() => saveQueue(session));
  });
  new FieldList((await getJson<{ fields: Listed[] }>("/api/fields")).fields);
  await showPeople(session.person);
}

function showQueue(queue: Queue, session: SessionInfo): void {
  find("correct-section").hidden = false;
  find("progress-text").textContent = `${queue.n_accepted} of ${queue.n_fields} fields accepted`;
  find<HTMLProgressElement>("progress").max = Math.max(1, queue.n_fields);
  find<HTMLProgressElement>("progress").value = queue.n_accepted;
  find("others").textContent = `${queue.n_open} open · ${queue.n_returned} returned · ${queue.n_skipped} skipped · ${queue.n_cannot_judge} cannot be judged`;
  showNext(queue);
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
  const handedOut = queue.n_open + queue.n_accepted + queue.n_returned + queue.n_skipped + queue.n_cannot_judge;
  find<HTMLInputElement>("random-share").disabled = handedOut > 0; // changed later it would bias the stratum
  find<HTMLInputElement>("repeat-share").value = String(queue.repeat_share);
}

function showNext({ next }: Queue): void {
  find("next-section").hidden = next === "";
  find("next-step").textContent = next;
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
  void told(showNetworks);
  const chosen = () => ({ bundle: find<HTMLSelectElement>("train-bundle").value });
  find("curve").addEventListener("click", () => void jobs.start("/api/jobs/curve", chosen()));
  find("train").addEventListener("submit", (event) => {
    event.preventDefault();
    void jobs.start("/api/jobs/retrain", chosen());
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
  if (tasks.some((task) => task.state === "open" || task.state === "returned")) find("start").textContent = "Go on correcting";
}

/** The next field by an order of the person's choice, beside that of the queue. */
function showNextBy(session: SessionInfo): void {
  const button = find("next-disagreement");
  button.hidden = session.strategies?.disagreement !== true;
  button.addEventListener("click", () =>
    void told(async () => {
      const { task } = await post<{ task: { task: string } | null }>("/api/tasks/next", { strategy: "disagreement" });
      if (task === null) tell("The queue is empty: every field is done. Thank you.");
      else location.assign(`/correct?task=${task.task}`);
    }),
  );
}

void told(start);

/** The owner's list of fields: pictures with their state, found by name, plate and well; whose maps there are, to review. */

import { getJson, post } from "../api";
import { find, make, told } from "../elements";

export interface Listed {
  id: number;
  name: string;
  plate: string | null;
  well: string | null;
  rows: number;
  columns: number;
  state: string | null;
  person: string | null;
  n_tasks: number;
  disagreement: number | null;
}

interface Reviewed {
  task: string;
  person: string;
  state: string;
  start: string;
  comment: string;
  current: boolean;
}

const SHOWN = 60;

export class FieldList {
  constructor(private readonly fields: Listed[]) {
    find("fields-section").hidden = false;
    find("n-fields").textContent = String(fields.length);
    this.offer("plate", fields.map((field) => field.plate));
    this.offer("field-state", fields.map((field) => field.state ?? "not yet"));
    for (const id of ["filter", "plate", "well", "field-state", "by-disagreement"]) {
      find(id).addEventListener("input", () => this.show());
    }
    find<HTMLInputElement>("by-disagreement").disabled = fields.every((field) => field.disagreement === null);
    this.show();
  }

  private offer(id: string, values: (string | null)[]): void {
    const different = [...new Set(values.filter((value) => value !== null))].sort();
    find(id).replaceChildren(new Option("all", ""), ...different.map((value) => new Option(value.replace("_", " "), value)));
    find(id).parentElement!.hidden = different.length < 2;
  }

  private show(): void {
    const wanted = (id: string) => find<HTMLInputElement>(id).value.trim().toLowerCase();
    const [name, plate, well, state] = ["filter", "plate", "well", "field-state"].map(wanted);
    const hits = this.fields.filter(
      (field) =>
        field.name.toLowerCase().includes(name) &&
        (plate === "" || field.plate?.toLowerCase() === plate) &&
        (well === "" || field.well?.toLowerCase() === well || field.well?.toLowerCase().startsWith(well)) &&
        (state === "" || (field.state ?? "not yet") === state),
    );
    if (find<HTMLInputElement>("by-disagreement").checked) hits.sort((a, b) => (b.disagreement ?? -1) - (a.disagreement ?? -1));
    find("fields").replaceChildren(...hits.slice(0, SHOWN).map((field) => this.makeField(field)));
    find("more").textContent = hits.length > SHOWN ? `and ${hits.length - SHOWN} more: choose a plate, or type a part of the name` : "";
  }

  private makeField(field: Listed): HTMLElement {
    const picture = make("img", { src: `/api/fields/${field.id}/thumbnail`, loading: "lazy", alt: "", width: 112 });
    picture.addEventListener("error", () => (picture.hidden = true));
    const button = make("button", { type: "button", title: `${field.rows} × ${field.columns} pixels` }, picture, make("span", {}, field.name));
    button.addEventListener("click", () => void told(() => openField(field.name)));
    const where = [field.plate, field.well].filter((part) => part !== null).join(" ");
    const state = [(field.state ?? "not yet").replace("_", " "), field.person ?? ""].filter(Boolean).join(" · ");
    const score = field.disagreement === null ? "" : `disagreement ${field.disagreement.toFixed(2)}`;
    const about = make("span", { className: "quiet" }, ...[where, state, score].filter(Boolean).flatMap((text) => [text, make("br")]));
    const item = make("li", { data: { state: field.state ?? "" } }, button, about);
    if (field.n_tasks > 0) item.append(this.makeReview(field));
    return item;
  }

  private makeReview(field: Listed): HTMLElement {
    const review = make("button", { type: "button", className: "small" }, `Review ${field.n_tasks}`);
    review.addEventListener("click", () => void told(() => showTasks(field)));
    return review;
  }
}

/** Open a field by its name: at its newest accepted map, else at its start. */
async function openField(name: string): Promise<void> {
  const { task } = await post<{ task: { task: string } }>("/api/tasks", { field: name });
  location.assign(`/correct?task=${task.task}`);
}

async function showTasks(field: Listed): Promise<void> {
  const { tasks } = await getJson<{ tasks: Reviewed[] }>(`/api/fields/${field.id}/tasks`);
  find("review-title").textContent = `Maps of ${field.name}`;
  find("review-tasks").replaceChildren(...tasks.map(makeTask));
  find<HTMLDialogElement>("review").showModal();
}

function makeTask(task: Reviewed): HTMLElement {
  const link = make("a", { href: `/correct?task=${task.task}` }, `${task.person}'s map`);
  const about = `${task.state.replace("_", " ")}, started from ${task.start}${task.current ? " · this one counts" : ""}`;
  return make("li", { data: { state: task.state } }, link, make("span", { className: "quiet" }, about), make("p", {}, task.comment));
}

/** The owner's list of people: links for them, and their end. */

import { getJson, post } from "../api";
import { find, make, tell, told } from "../elements";

interface Listed {
  name: string;
  role: string;
  n_cookies: number;
  n_links: number;
  n_accepted: number;
}

/** Show everybody, and make links. */
export async function showPeople(self: string): Promise<void> {
  find("people-section").hidden = false;
  find("invite").addEventListener("submit", (event) => {
    event.preventDefault();
    void told(() => invite(self));
  });
  list((await getJson<{ people: Listed[] }>("/api/people")).people, self);
}

async function invite(self: string): Promise<void> {
  const input = find<HTMLInputElement>("invite-name");
  const { name, link } = await post<{ name: string; link: string }>("/api/people/invite", { name: input.value });
  input.value = "";
  find("invite-link").hidden = false;
  find("invite-words").textContent = `Give this link to ${name}. It works once.`;
  find<HTMLInputElement>("invite-url").value = link;
  find<HTMLInputElement>("invite-url").select();
  list((await getJson<{ people: Listed[] }>("/api/people")).people, self);
}

function list(people: Listed[], self: string): void {
  find("people").replaceChildren(...people.map((person) => makePerson(person, self)));
}

function makePerson(person: Listed, self: string): HTMLElement {
  const about = `${person.role} · ${person.n_cookies} in, ${person.n_links} unopened ${person.n_links === 1 ? "link" : "links"}`;
  const row = make("li", {}, make("span", {}, person.name), make("span", { className: "quiet" }, about));
  if (person.name === self || person.n_cookies + person.n_links === 0) return row;
  const end = make("button", { type: "button", className: "small", title: `End all links and logins of ${person.name}` }, "Revoke");
  end.addEventListener("click", () => void told(async () => {
    list((await post<{ people: Listed[] }>("/api/people/revoke", { name: person.name })).people, self);
    tell(`${person.name} is out. What they did is kept.`);
  }));
  row.append(end);
  return row;
}

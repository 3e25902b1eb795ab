/** The networks of a project: every set of weights a bundle ever had here, and which is in use. */

import { getJson, post } from "../api";
import { find, make, told } from "../elements";
import { describeScore, type Score } from "../jobs";

interface Network {
  bundle: string;
  version: number;
  in_use: boolean;
  created: string;
  n_fields: number | null;
  score: Score | null;
  present: boolean;
}

type Networks = { networks: Network[] };

/** Show them, newest first. */
export async function showNetworks(): Promise<void> {
  list((await getJson<Networks>("/api/networks")).networks);
}

function list(networks: Network[]): void {
  find("networks").replaceChildren(...networks.map(makeNetwork));
  find("networks-title").hidden = networks.length === 0;
}

function makeNetwork(network: Network): HTMLElement {
  const name = `${network.bundle} ${network.version}`;
  const learned = network.n_fields ? `from ${network.n_fields} fields, ${network.created.slice(0, 10)}` : network.created.slice(0, 10);
  const row = make("li", { data: { inUse: String(network.in_use) } }, make("span", {}, name), make("span", { className: "quiet" }, learned));
  if (network.in_use) row.append(make("span", { className: "state done" }, "in use"));
  else if (network.present) row.append(makeUse(network));
  if (network.score !== null) row.append(make("p", { className: "why" }, describeScore(network.score)));
  return row;
}

function makeUse({ bundle, version }: Network): HTMLElement {
  const use = make("button", { type: "button", className: "small" }, "Use again");
  use.addEventListener("click", () =>
    void told(async () => list((await post<Networks>("/api/networks", { bundle, version })).networks)),
  );
  return use;
}

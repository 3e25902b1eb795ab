/** Keys of a page, and the help that lists them. */

import { find, make } from "./elements";

export interface Binding {
  /** As `KeyboardEvent.key` names it, lower case; "ctrl+", "shift+" in front. */
  keys: string[];
  does: string;
  run: (event: KeyboardEvent) => void;
}

const NAMES: Record<string, string> = {
  " ": "Space",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  escape: "Esc",
  enter: "Enter",
  delete: "Del",
  backspace: "Backspace",
  pageup: "Page up",
  pagedown: "Page down",
};

/** Listen for keys everywhere on the page but where somebody types; `?` shows all of them. */
export function bindKeys(bindings: readonly Binding[]): void {
  const help = find<HTMLDialogElement>("help");
  const all = [...bindings, { keys: ["?"], does: "Show or hide this help", run: () => toggle(help) }];
  listKeys(all);
  find("open-help").addEventListener("click", () => toggle(help));
  const known = new Map(all.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)));
  document.addEventListener("keydown", (event) => {
    const binding = known.get(nameOf(event));
    const dialog = document.querySelector<HTMLDialogElement>("dialog[open]");
    if (binding === undefined || keepsKey(event) || (dialog !== null && nameOf(event) !== "?")) return;
    event.preventDefault();
    binding.run(event);
  });
}

/** Name a key with what is held beside it. Shift counts only where it does not choose another character. */
export function nameOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const key = event.key.toLowerCase();
  const shifted = event.shiftKey && (key.length > 1 || /[a-z ]/.test(key));
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${shifted ? "shift+" : ""}${key}`;
}

function keepsKey(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (target.matches("input[type=text], input[type=search], input[type=number], textarea")) return event.key !== "Escape";
  if (target.matches("select, input[type=range]")) return /^(Arrow|Home|End|Page)/.test(event.key);
  if (target.matches("input[type=radio]")) return /^(Arrow)/.test(event.key);
  return target.matches("button, a, summary, input[type=checkbox]") && (event.key === "Enter" || event.key === " ");
}

function listKeys(bindings: readonly Binding[]): void {
  const rows = bindings.map(({ keys, does }) =>
    make("div", {}, make("dt", {}, ...keys.flatMap((key) => [make("kbd", {}, showKey(key)), " "])), make("dd", {}, does)),
  );
  find("help-keys").replaceChildren(...rows);
}

function showKey(key: string): string {
  const parts = key.split(/\+(?=.)/);
  return parts.map((part) => NAMES[part] ?? part[0].toUpperCase() + part.slice(1)).join(" + ");
}

function toggle(dialog: HTMLDialogElement): void {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

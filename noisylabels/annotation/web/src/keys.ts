/** Keys of a page, on any keyboard, and the help that lists them. */

import { matchKeyBindingPress, parseKeybinding } from "tinykeys";
import { find, make } from "./elements";

export interface Binding {
  /** As tinykeys writes them: "b", "Shift+z", "$mod+z" (Ctrl, on a Mac Command), "Enter", "Space". */
  keys: string[];
  does: string;
  run: (key: string) => void;
  /** Whether it runs again and again while the key is held. What decides something does not. */
  repeats?: boolean;
}

type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "getModifierState">;

const NAMES: Record<string, string> = {
  $mod: "Ctrl",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  Delete: "Del",
  PageUp: "Page up",
  PageDown: "Page down",
};

const CODES: Record<string, string> = { "[": "BracketLeft", "]": "BracketRight" };

/** Listen for keys everywhere on the page but where somebody types; `?` shows all of them. */
export function bindKeys(bindings: readonly Binding[]): void {
  const help = find<HTMLDialogElement>("help");
  const all = [...bindings, { keys: ["?"], does: "Show or hide this help", run: () => toggle(help) }];
  listKeys(all);
  find("open-help").addEventListener("click", () => toggle(help));
  const known = all.flatMap((binding) => binding.keys.map((key) => ({ key, binding })));
  document.addEventListener("keydown", (event) => {
    const key = findKey(known.map((each) => each.key), event);
    if (event.isComposing || keepsKey(event)) return;
    const dialog = document.querySelector<HTMLDialogElement>("dialog[open]");
    if (key === null || (dialog !== null && key !== "?")) return;
    event.preventDefault();
    const { binding } = known.find((each) => each.key === key)!;
    if (!event.repeat || binding.repeats) binding.run(key);
  });
  keepButtonsQuiet();
}

/**
 * Find which key of a page an event means; null: none.
 *
 * What the key writes counts first, whatever wrote it (AltGr, Option, Shift); where it writes no Latin letter (Cyrillic,
 * the digits of a French keyboard), the place of the key does.
 */
export function findKey(keys: readonly string[], event: Press): string | null {
  const places = (event: Press) => keys.find((key) => matches(event, placeOf(key))) ?? null;
  if (/^Digit\d$/.test(event.code) && !event.shiftKey && !writesByOption(event)) return places(event);
  const written = keys.find((key) => (isSign(key) ? event.key === key && !commands(event) : matches(event, key)));
  return written ?? (/^[a-z]$/i.test(event.key) ? null : places(event));
}

function matches(event: Press, key: string): boolean {
  return matchKeyBindingPress(event as KeyboardEvent, parseKeybinding(key)[0]);
}

/** Signs and digits are what they look like, with whatever modifiers a keyboard needs for them. */
function isSign(key: string): boolean {
  return key.length === 1 && !/[a-z]/.test(key);
}

function commands(event: Press): boolean {
  return (event.ctrlKey && !event.altKey && !event.getModifierState("AltGraph")) || event.metaKey;
}

function writesByOption(event: Press): boolean {
  return event.altKey || event.getModifierState("AltGraph");
}

function placeOf(key: string): string {
  const last = key.slice(-1);
  if (!/(^|\+)[a-z0-9[\]]$/.test(key)) return key;
  return key.slice(0, -1) + (CODES[last] ?? (/\d/.test(last) ? `Digit${last}` : `Key${last.toUpperCase()}`));
}

/** A button clicked is done with: held keys do not press it again, and Space is the page's again. */
function keepButtonsQuiet(): void {
  const press = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.repeat && (event.key === "Enter" || event.key === " ") && target.matches("button, a")) event.preventDefault();
  };
  document.addEventListener("keydown", press, { capture: true });
  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest("button");
    if (event.detail > 0 && button !== null && button.closest("dialog") === null) button.blur();
  });
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

/** What a person set, kept in this browser from field to field and day to day. A browser that keeps nothing is no fault. */

const PREFIX = "noisylabels-desk:";

/** Read what was kept under a name; null if nothing was, or it is not readable. */
export function recall<T>(name: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

/** Keep a value under a name; null forgets it. */
export function keep(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // full, or not allowed: it is asked for again next time
  }
}

/** Keep what an input holds, and put back what it held; its own listeners are told. */
export function keepInput(input: HTMLInputElement): void {
  const name = `input:${input.id}`;
  const kept = recall<string | boolean>(name);
  const checks = input.type === "checkbox";
  if (checks && typeof kept === "boolean") input.checked = kept;
  if (!checks && typeof kept === "string") input.value = kept;
  input.addEventListener("input", () => keep(name, checks ? input.checked : input.value));
  if (kept !== null) input.dispatchEvent(new Event("input"));
}

/** Finding and making parts of a page. */

import { Refused } from "./api";

/** Find the element of an id; that it is there is the page's promise. */
export function find<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`This page has no #${id}.`);
  return element as T;
}

type Properties<K extends keyof HTMLElementTagNameMap> = Partial<Omit<HTMLElementTagNameMap[K], "dataset">> & {
  data?: Record<string, string>;
};

/** Make an element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<K> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { data, ...rest } = properties;
  Object.assign(element, rest);
  Object.assign(element.dataset, data ?? {});
  element.append(...children);
  return element;
}

/** A square in a class's or channel's colour. */
export function makeSwatch(colour: string): HTMLElement {
  const swatch = make("span", { className: "swatch" });
  swatch.style.background = colour;
  return swatch;
}

/** Show a sentence to the person for a while, and to a screen reader. */
export function tell(sentence: string): void {
  const place = find("notice");
  place.textContent = sentence;
  place.hidden = sentence === "";
  clearTimeout(fading);
  fading = window.setTimeout(() => (place.hidden = true), 8000);
}

let fading = 0;

/** Do something; what the server refuses is told to the person. */
export async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    tell(error.message);
  }
}

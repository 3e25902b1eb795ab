/** Speaking with the desk's server: `noisylabels/annotation/API.md`. */

/** An answer that is no success, as a sentence for the person. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    sentence: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(sentence);
  }
}

export interface SessionInfo {
  person: string;
  role: "owner" | "annotator" | "expert" | "rater";
  pages: string[];
  classes: string[];
  channels: string[];
  pixel_size_um: number | null;
  idle_ms: number;
  /** The class index of "cannot tell here". */
  ignore: number;
  bundles?: string[];
  starts?: string[];
  strategies?: Record<string, boolean>;
}

/** What is told of a field wherever one is shown. */
export interface Picture {
  rows: number;
  columns: number;
  channels: string[];
  contrast: [number, number][];
  problem: string | null;
}

/** Make the name of one action; sent again under it, the action is done once. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ask, and take the answer's JSON. Throws Refused. */
export async function getJson<T>(path: string): Promise<T> {
  return ask(path, (response) => response.json() as Promise<T>);
}

/** Ask for bytes. Throws Refused. */
export async function getBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return ask(path, async (response) => new Uint8Array(await response.arrayBuffer()));
}

const UNANSWERED = "The server does not answer.";
const ASK_WAITS_MS = [300, 700, 1500, 3000];

/** Ask a few times: no network, an answer cut off, 429 and 5xx may pass. Then throws Refused. */
async function ask<T>(path: string, take: (response: Response) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const outcome = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) })
      .then(async (response) => ({ value: await take(await check(response)) }))
      .catch((error: unknown) => ({ refusal: error instanceof Refused ? error : new Refused(0, UNANSWERED) }));
    if ("value" in outcome) return outcome.value;
    const { refusal } = outcome;
    const passes = refusal.status === 0 || refusal.status === 429 || refusal.status >= 500;
    if (!passes || tries === ASK_WAITS_MS.length) throw refusal;
    await new Promise((resolve) => setTimeout(resolve, ASK_WAITS_MS[tries]));
  }
}

/** Make the options of a request that carries JSON. */
export function json(method: "POST" | "PUT", content: object): RequestInit {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}

/** Do something once: tried again under one key until it is answered. Throws Refused. */
export async function post<T>(path: string, content: object = {}, onTrouble?: Trouble): Promise<T> {
  return send<T>(path, json("POST", { key: newKey(), ...content }), onTrouble);
}

/** Send a prepared request until it is answered. Throws Refused. */
export async function send<T>(path: string, options: RequestInit, onTrouble?: Trouble): Promise<T> {
  return (await check(await untilAnswered(path, options, onTrouble))).json() as Promise<T>;
}

/** Is told why something is not saved yet; null: it is. */
export type Trouble = (sentence: string | null) => void;

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
const PATIENCE_MS = 30_000;

/** Send the same request again until the server says anything but "try again": no network, 401, 429 and 5xx are that. */
export async function untilAnswered(path: string, options: RequestInit, onTrouble?: Trouble): Promise<Response> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, 2 * wait)) {
    try {
      const response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (response.status < 500 && response.status !== 401 && response.status !== 429) {
        onTrouble?.(null);
        return response;
      }
      onTrouble?.((await refusalOf(response)).message);
    } catch {
      onTrouble?.(`${UNANSWERED} Your work is kept here and sent again.`);
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Pass a success on; throw anything else as Refused. */
export async function check(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await refusalOf(response);
}

async function refusalOf(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const sentence = typeof body.error === "string" ? body.error : `The server answered ${response.status}.`;
  return new Refused(response.status, sentence, body);
}

/** Compress as the server expects label maps (RFC 1950). */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/** Cut an image body into its planes. */
export function splitPlanes(body: Uint8Array<ArrayBuffer>, picture: Picture): Uint16Array<ArrayBuffer>[] {
  const n = picture.rows * picture.columns;
  return picture.channels.map((_, channel) => new Uint16Array(body.buffer, body.byteOffset + 2 * channel * n, n));
}

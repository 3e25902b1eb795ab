/** SHA-256 of a label map: the browser's own where it offers one (https, this machine), else that of @noble/hashes. */

import { sha256 as sha256Noble } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Hash bytes to lower-case hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (globalThis.crypto?.subtle) return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  return bytesToHex(sha256Noble(bytes));
}

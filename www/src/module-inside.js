// The core inside this script: no address is loaded for it.

import { XzReadableStream } from "xz-decompress";
import wasm from "just-data:wasm";

/** @returns {Promise<WebAssembly.Module>} compiled once, for all workers */
export async function module() {
  const unpacked = new XzReadableStream(new Blob([bytes(wasm)]).stream());
  return WebAssembly.compile(await new Response(unpacked).arrayBuffer());
}

/**
 * A million letters are decoded while the page waits: where the browser can do it itself, that takes a few milliseconds.
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytes(base64) {
  const own = /** @type {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} */ (/** @type {unknown} */ (Uint8Array)).fromBase64;
  if (own) return own.call(Uint8Array, base64);
  const letters = atob(base64);
  const decoded = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) decoded[at] = letters.charCodeAt(at);
  return decoded;
}

// The core inside this script: no address is loaded for it.

import { XzReadableStream } from "xz-decompress";
import wasm from "just-data:wasm";

/** So long the unpacker may keep the page from answering, in milliseconds. */
const STRETCH = 8;

/** @returns {Promise<WebAssembly.Module>} compiled once, for all workers */
export async function module() {
  const packed = bytes(wasm);
  // The unpacker goes on for as long as there is input: it gets small pieces, and the page its turn between them.
  let at = 0;
  let since = performance.now();
  const pieces = new ReadableStream({
    async pull(controller) {
      if (performance.now() - since > STRETCH) {
        await turn();
        since = performance.now();
      }
      if (at < packed.length) controller.enqueue(packed.subarray(at, (at += PIECE)));
      else controller.close();
    },
  }, { highWaterMark: 0 });
  return WebAssembly.compile(await new Response(new XzReadableStream(pieces)).arrayBuffer());
}

/** What is unpacked at once, in bytes. */
const PIECE = 8 << 10;

/** Lets the page answer whatever waits. */
function turn() {
  const { scheduler } = /** @type {{ scheduler?: { yield?: () => Promise<void> } }} */ (/** @type {unknown} */ (globalThis));
  return scheduler?.yield?.() ?? new Promise((done) => setTimeout(done));
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

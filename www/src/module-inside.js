// The core inside this script: no address is loaded for it.

import wasm from "just-data:wasm";

/** @returns {Promise<WebAssembly.Module>} compiled once, for all workers */
export async function module() {
  const packed = Uint8Array.from(atob(wasm), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(unpacked).arrayBuffer());
}

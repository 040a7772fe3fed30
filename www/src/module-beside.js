// The core as a file beside this script, for hosts that cache it by itself: the one request that is ever made.

/** @returns {Promise<WebAssembly.Module>} compiled once, for all workers */
export async function module() {
  const answer = await fetch(new URL("just-data.wasm", import.meta.url));
  if (!answer.ok) throw new Error(`just-data.wasm: ${answer.status} ${answer.statusText}`);
  // Not as a stream: that would need a server that knows the media type.
  return WebAssembly.compile(await answer.arrayBuffer());
}

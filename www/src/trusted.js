// Trusted Types: the one policy of this page. Nothing on it makes HTML or script from text; the only address that is
// given to the browser to run is that of the worker's own blob.

/** @type {any} */
const types = /** @type {any} */ (globalThis).trustedTypes;

/** @type {{ createScriptURL(address: string): string } | undefined} */
let policy;

/**
 * @param {string} address of a blob that this page has made
 * @returns {string} the same, as the browser wants to have it
 */
export function workerAddress(address) {
  if (!address.startsWith("blob:")) throw new TypeError("a worker is only ever started from a blob");
  policy ??= types ? types.createPolicy("just-data", { createScriptURL: (/** @type {string} */ text) => text }) : undefined;
  return policy ? policy.createScriptURL(address) : address;
}

// The page inside a frame of another page: `?embed=1` leaves the check alone of it.
//
// The page around may be of anyone. It is told how high the frame should be. With `&parent=https://docs.example.org` in
// the address, and only if it is of that origin, it is also told each file's name, size, verdict, and which rules were
// met where; the person reads so above the check. What a file says is never told: no bytes, no text that quotes them.
// Nothing that the page around says is listened to.

import { languages, say } from "./language.js";

/** @typedef {import("./contract").FileReport} FileReport */

const wishes = new URLSearchParams(location.search);
if (wishes.get("embed") === "1") inFrame(originOf(wishes.get("parent")));

/** @param {string | null} told the origin that is told of results */
function inFrame(told) {
  document.documentElement.classList.add("embedded");
  if (window.parent === window) return;
  new ResizeObserver(() => post({ type: "just-data:height", height: Math.ceil(document.body.getBoundingClientRect().height) }, "*")).observe(document.body);
  if (!told) return;
  const note = document.createElement("p");
  note.className = "told";
  const draw = () => (note.textContent = say("embed.told", { origin: told }));
  languages.addEventListener("change", draw);
  draw();
  document.body.prepend(note);
  addEventListener("just-data-result", (event) => {
    post({ type: "just-data:result", file: outline(/** @type {CustomEvent<FileReport>} */ (event).detail) }, told);
  });
  addEventListener("just-data-done", (event) => post({ type: "just-data:done", ...(/** @type {CustomEvent} */ (event).detail) }, told));
}

/**
 * @param {Record<string, unknown>} message
 * @param {string} origin the browser delivers it to no other
 */
function post(message, origin) {
  window.parent.postMessage(message, origin);
}

/**
 * What the page around may know of a file.
 * @param {FileReport} report
 */
function outline({ path, size, verdict, findings }) {
  return {
    name: path, size, verdict,
    findings: findings.map(({ rule, guideline, runs, severity, layer, offset, length }) => ({ rule, guideline, runs, severity, layer, offset, length })),
  };
}

/**
 * @param {string | null} address
 * @returns {string | null} the same, if it is an origin and nothing else
 */
function originOf(address) {
  if (!address || !URL.canParse(address)) return null;
  const { origin, protocol } = new URL(address);
  return origin === address && /^https?:$/.test(protocol) ? origin : null;
}

// The evidence of a finding: what stands there as a person would read it, and its bytes.

import { h, refill } from "./dom.js";
import { hexLines } from "./hex.js";
import { say } from "./language.js";
import { visible } from "./wording.js";

/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./layer-bytes.js").LayerBytes} LayerBytes */

/** The most bytes of a text that are shown. */
const TEXT = 4096;

/**
 * @param {Finding} finding
 * @param {() => LayerBytes | null} bytes of its layer
 * @returns {Element[]}
 */
export function evidenceOf(finding, bytes) {
  const excerpt = Uint8Array.from(atob(finding.excerpt), (letter) => letter.charCodeAt(0));
  if (!excerpt.length) return [];
  const across = matchMedia("(max-width: 34rem)").matches ? 8 : 16;
  const hex = h("div.excerpt", { tabindex: 0, role: "group", "aria-label": say("answer.excerpt") },
    hexLines(excerpt, finding.offset, { across, marks: [[finding.offset, finding.offset + finding.length]] }));
  if (finding.evidence) return [block(say("answer.disassembled"), finding.evidence), hex];
  const text = textOf(excerpt, finding.length > excerpt.length);
  if (text === null) return [hex];
  const shown = block(say("answer.as-text"), text);
  if (finding.length > excerpt.length) more(shown, finding, bytes);
  return [shown, hex];
}

/**
 * @param {string} title
 * @param {string} text from a file
 */
function block(title, text) {
  return h("figure.evidence", {}, h("figcaption.quiet", {}, title), h("pre", { tabindex: 0, dir: "auto", translate: "no" }, h("bdi", {}, lines(text))));
}

/**
 * The rest of a text that goes on behind the excerpt.
 * @param {HTMLElement} shown
 * @param {Finding} finding
 * @param {() => LayerBytes | null} bytes
 */
async function more(shown, finding, bytes) {
  try {
    const length = Math.min(finding.length, TEXT);
    const text = textOf(/** @type {Uint8Array} */ (await bytes()?.read(finding.offset, length)), finding.length > length);
    if (text !== null) refill(/** @type {Element} */ (shown.querySelector("bdi")), lines(text));
  } catch {
    // The file is gone: the excerpt is still there.
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {boolean} isCut whether more follows
 * @returns {string | null} the text that they are, if they are any
 */
function textOf(bytes, isCut) {
  // A character may be cut at the end.
  for (let less = 0; less <= (isCut ? 3 : 0); less += 1) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, bytes.length - less));
      if (text.trim().length < 4 || /[^\P{Cc}\t\r\n]/u.test(text)) return null;
      return isCut ? `${text}…` : text;
    } catch {
      // Not with these bytes.
    }
  }
  return null;
}

/** @param {string} text with its line ends; everything else that could deceive is shown */
function lines(text) {
  return text.split(/\r\n|\r|\n/).map((line) => visible(line).replaceAll("␉", "\t")).join("\n");
}

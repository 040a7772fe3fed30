// The little that a text of the page may hold beside words: **strong**, `code` and [words](https://address). Texts are
// data, of this project's catalogues and of the published policy; the build makes HTML from them and the page makes
// elements, both from what is read here.

/**
 * A stretch of a text.
 * @typedef {{ kind: "text" | "strong" | "code", text: string } | { kind: "link", text: string, to: string }} Stretch
 */

const MARKS = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)/g;

/**
 * @param {string} text
 * @returns {Stretch[]}
 */
export function stretches(text) {
  /** @type {Stretch[]} */
  const found = [];
  let at = 0;
  for (const { 0: whole, 1: strong, 2: code, 3: words, 4: to, index } of text.matchAll(MARKS)) {
    if (index > at) found.push({ kind: "text", text: text.slice(at, index) });
    if (strong) found.push({ kind: "strong", text: strong });
    else if (code) found.push({ kind: "code", text: code });
    else found.push({ kind: "link", text: words, to });
    at = index + whole.length;
  }
  if (at < text.length) found.push({ kind: "text", text: text.slice(at) });
  return found;
}

/**
 * @param {string} text
 * @returns {string} the words alone
 */
export function words(text) {
  return stretches(text).map((stretch) => stretch.text).join("");
}

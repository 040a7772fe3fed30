// The ids of what the page speaks of, in the order in which it does, and text from files made visible. The words
// themselves are in the catalogues: `verdict.code.name`, `map.owner.slack.says`, …

/** @typedef {import("./contract").Verdict} Verdict */

/** Verdicts, worst first. */
export const VERDICTS = /** @type {Verdict[]} */ (["code", "caution", "unfinished", "just-data"]);

/** The published guidelines. */
export const GUIDELINES = /** @type {import("./contract").Guideline[]} */ (["code", "reporting", "listening"]);

/** Severities of findings, worst first. */
export const SEVERITIES = /** @type {import("./contract").Severity[]} */ (["danger", "warning", "note"]);

/** Who owns a byte. */
export const OWNERS = /** @type {import("./contract").Owner[]} */ (["structure", "nested", "opaque", "slack", "unexplained"]);

/**
 * @param {number} offset
 * @returns {string} such as "0x1f400"
 */
export function place(offset) {
  return `0x${offset.toString(16)}`;
}

/**
 * Text from a file, made visible: control characters become their pictures, and characters that turn the direction of
 * writing, or have no width, are written out, so that a name cannot dress up as another.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu,
    (letter) => {
      const code = /** @type {number} */ (letter.codePointAt(0));
      if (code < 0x20) return String.fromCodePoint(0x2400 + code);
      if (code === 0x7f) return "\u2421";
      return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
    },
  );
}

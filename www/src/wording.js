// The words of the page: verdicts, owners, amounts. One place, so that they say the same everywhere.

/** @typedef {import("./contract").Verdict} Verdict */

/** Verdicts, worst first. */
export const VERDICTS = /** @type {const} */ ({
  code: {
    name: "Not just data",
    says: "Opening this file would run code, contact a server or open a port, or a program is hidden in it.",
  },
  caution: {
    name: "Look twice",
    says: "Nothing runs by itself, but there is something in this file that does not belong in plain data.",
  },
  unfinished: {
    name: "Not fully checked",
    says: "Nothing was found, but part of this file could not be read.",
  },
  "just-data": {
    name: "Just data",
    says: "Every part of this file was read, and nothing in it runs, connects or listens.",
  },
});

/** Verdict names in their order. */
export const WORST_FIRST = /** @type {Verdict[]} */ (Object.keys(VERDICTS));

/** The published guidelines, each with the question that it answers about a file. */
export const GUIDELINES = {
  code: { name: "No code in data files", breach: "It carries code." },
  reporting: { name: "No reporting", breach: "Opening it reaches for a server or for another file." },
  listening: { name: "No listening", breach: "Opening it makes the application open a network port." },
};

export const RUNS = {
  "on-open": "acts when the file is opened",
  "on-use": "acts when what it carries is used",
  never: "does nothing by itself",
};

export const SEVERITIES = { danger: "Danger", warning: "Warning", note: "Note" };

/** Who owns a byte. */
export const OWNERS = {
  structure: { name: "Structure", says: "read and understood" },
  nested: { name: "Nested", says: "handed on to a layer inside" },
  opaque: { name: "Carried", says: "data that is carried, not interpreted: pixels, weights, compressed or encrypted bytes" },
  slack: { name: "Slack", says: "room that the format leaves for anything: preambles, padding, comments" },
  unexplained: { name: "Unexplained", says: "no reader knows what these bytes are for" },
};

export const STOPS = {
  malformed: "Damaged",
  exhausted: "A limit was reached",
  unsupported: "Not supported",
  encrypted: "Encrypted",
  "unknown-format": "Format not known",
  source: "Could not be read",
  cancelled: "Cancelled",
};

/**
 * @param {number} bytes
 * @returns {string} such as "1.4 MiB"
 */
export function size(bytes) {
  if (bytes === 1) return "1 byte";
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = -1;
  let amount = bytes;
  do {
    amount /= 1024;
    unit += 1;
  } while (amount >= 1023.95 && unit < units.length - 1);
  return `${amount < 9.995 ? amount.toFixed(amount < 0.995 ? 2 : 1) : Math.round(amount)} ${units[unit]}`;
}

/**
 * @param {number} many
 * @returns {string} with separators of thousands
 */
export function count(many) {
  return many.toLocaleString("en");
}

/**
 * @param {number} many
 * @param {string} one
 * @param {string} [more]
 * @returns {string} such as "1 file", "1,204 files"
 */
export function plural(many, one, more = `${one}s`) {
  return `${count(many)} ${many === 1 ? one : more}`;
}

/**
 * @param {number} offset
 * @returns {string} such as "0x1f400"
 */
export function place(offset) {
  return `0x${offset.toString(16)}`;
}

/**
 * @param {number} part
 * @param {number} whole
 * @returns {string} a percentage that never rounds something to nothing, nor less than all to all
 */
export function share(part, whole) {
  if (!whole || !part) return "0%";
  if (part >= whole) return "100%";
  const percent = (100 * part) / whole;
  if (percent < 0.1) return "< 0.1%";
  if (percent > 99.9) return "> 99.9%";
  return `${percent < 10 || percent > 90 ? percent.toFixed(1) : Math.round(percent)}%`;
}

/**
 * @param {number} seconds
 * @returns {string} such as "3 min 20 s"
 */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
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

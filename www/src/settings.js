// What a person may choose. It is forgotten with the page, unless the person asks that this computer remember it.

import { speak, wished } from "./language.js";
import { GUIDELINES } from "./wording.js";

/** @typedef {import("./contract").Guideline} Guideline */
/** @typedef {import("./contract").Limits} Limits */

/**
 * @typedef {object} Choices
 * @property {string} language a tag, or "" for that of the page or the browser
 * @property {"system" | "light" | "dark"} theme
 * @property {boolean} keys whether single keys work on the whole page
 * @property {Guideline[]} weigh the guidelines that count
 * @property {Strictness[]} strict what also makes a file "not fully checked"
 * @property {Partial<Limits>} limits those that are not the usual ones
 */
/** @typedef {typeof STRICT[number]} Strictness */

/** What a stricter person does not take for checked. What could not be read, and bytes without an owner, never are. */
export const STRICT = /** @type {const} */ (["opaque", "slack", "notes"]);

export const THEMES = /** @type {const} */ (["system", "light", "dark"]);

const GIB = 2 ** 30;

/** Each limit: what it usually is, the unit in which it is asked for, and the most that makes sense. */
export const LIMITS = /** @type {Record<keyof Limits, { usual: number, unit: number, most: number }>} */ ({
  work: { usual: 64 * GIB, unit: GIB, most: 4096 },
  inflated: { usual: 4 * GIB, unit: GIB, most: 1024 },
  depth: { usual: 16, unit: 1, most: 64 },
  layers: { usual: 100_000, unit: 1, most: 1_000_000 },
  findings: { usual: 10_000, unit: 1, most: 100_000 },
});

/** The only name under which the page ever stores something. */
const STORED = "just-data";

/** @returns {Choices} */
function usual() {
  return { language: "", theme: "system", keys: true, weigh: [...GUIDELINES], strict: [], limits: {} };
}

/** Event: `change`. */
class Settings extends EventTarget {
  /** @type {Readonly<Choices>} */
  choices = usual();
  remembered = false;
  /** The language that the page around the element asks for. */
  #asked = "";

  constructor() {
    super();
    const kept = read();
    if (!kept) return;
    this.remembered = true;
    this.choices = kept;
    this.#speak();
  }

  /** @param {string} language of the page around the element; the person's own choice goes before it */
  ask(language) {
    this.#asked = language;
    this.#speak();
  }

  /** @param {Partial<Choices>} choices */
  choose(choices) {
    this.choices = { ...this.choices, ...choices };
    if (this.remembered) this.remember(true);
    this.#speak();
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {boolean} remember
   * @returns {boolean} whether the browser did it
   */
  remember(remember) {
    this.remembered = remember && write(JSON.stringify(this.choices));
    if (!remember) write(null);
    return this.remembered === remember;
  }

  /** Back to what is usual, and nothing is remembered. */
  forget() {
    this.remember(false);
    this.choose(usual());
  }

  #speak() {
    speak([this.choices.language, this.#asked, ...wished()]);
  }
}

/**
 * What is stored, as far as it makes sense: someone else's page at the same address may have written it.
 * @returns {Choices | null}
 */
function read() {
  let kept;
  try {
    kept = JSON.parse(localStorage.getItem(STORED) ?? "null");
  } catch {
    return null;
  }
  if (!kept || typeof kept !== "object") return null;
  const choices = usual();
  const some = (/** @type {unknown} */ list, /** @type {readonly any[]} */ known) => known.filter((one) => Array.isArray(list) && list.includes(one));
  if (typeof kept.language === "string") choices.language = kept.language;
  if (THEMES.includes(kept.theme)) choices.theme = kept.theme;
  if (typeof kept.keys === "boolean") choices.keys = kept.keys;
  if (some(kept.weigh, GUIDELINES).length) choices.weigh = some(kept.weigh, GUIDELINES);
  choices.strict = some(kept.strict, STRICT);
  for (const [name, { unit, most }] of Object.entries(LIMITS)) {
    const limit = kept.limits?.[name];
    if (Number.isSafeInteger(limit) && limit > 0 && limit <= most * unit) choices.limits[/** @type {keyof Limits} */ (name)] = limit;
  }
  return choices;
}

/**
 * @param {string | null} text
 * @returns {boolean} false when the browser refuses to store
 */
function write(text) {
  try {
    if (text === null) localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, text);
    return true;
  } catch {
    return false;
  }
}

export const settings = new Settings();

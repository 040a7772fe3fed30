// What the page says, in the language of the person who reads it.
//
// One catalogue per language. A key is `area.what`; `{name}` in its text is filled in. A text that depends on an amount has
// a key for each form of the language (`.one`, `.other`, …), chosen by `count`. Texts from the core (rules, reasons) are
// English and are marked as such where they are shown.

import { catalogues, load } from "./catalogues.js";

/** @typedef {import("./dom.js").Child} Child */

/** The languages, each by the name that it has for itself. */
export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", ja: "日本語", "zh-Hans": "简体中文" };

/** `change` when another language is spoken: what is shown is then said anew. */
export const languages = new EventTarget();

let current = "en";
/** What was last asked for: another that arrives later is not spoken any more. */
let wanted = current;
/** @type {Promise<void>} */
let arrival = Promise.resolve();
/** @type {ReturnType<typeof numbersOf>} */
let numbers = numbersOf(current);

/** @returns {string} the tag of the language that is spoken */
export function language() {
  return current;
}

/**
 * Speaks the first of these languages that there is a catalogue for; without any, English. Where its catalogue must be
 * loaded first, the language stays what it is until then, and for good when that fails.
 * @param {readonly (string | null | undefined)[]} wishes language tags, the dearest first
 */
export function speak(wishes) {
  const next = wishes.map(known).find(Boolean) ?? "en";
  if (next === wanted) return;
  wanted = next;
  if (next in catalogues) change(next);
  else arrival = load(next).then(() => change(next), () => {
    if (wanted === next) wanted = current;
  });
}

/** @returns {Promise<void>} when the language that was last asked for is spoken, or cannot be */
export function spoken() {
  return arrival;
}

/** @param {string} next */
function change(next) {
  if (next !== wanted || next === current) return;
  current = next;
  numbers = numbersOf(next);
  languages.dispatchEvent(new Event("change"));
}

/** @returns {readonly string[]} the languages that the browser asks for */
export function wished() {
  return globalThis.navigator?.languages ?? [];
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the places in the text; numbers are written as the language does
 * @returns {string}
 */
export function say(key, values = {}) {
  return parts(key, values).join("");
}

/**
 * The same for values that are elements.
 * @param {string} key
 * @param {Record<string, Child>} [values]
 * @returns {Child[]}
 */
export function parts(key, values = {}) {
  // Odd pieces are the names of places.
  return text(key, values.count).split(/\{([\w-]+)\}/).map((piece, at) => {
    if (at % 2 === 0) return piece;
    const value = values[piece];
    return typeof value === "number" ? count(value) : value;
  });
}

/**
 * @param {string} key
 * @returns {string | undefined} the text as it is written in the language that is spoken, where its catalogue has it
 */
export function written(key) {
  return catalogues[current][key];
}

/**
 * @param {import("./contract").Words[]} words kept to be said later, in the language that is then spoken
 * @returns {string}
 */
export function told(words) {
  return words.map(({ key, values }) => say(key, values)).join(" ");
}

/**
 * @param {import("./contract").Words[]} words
 * @returns {string} in English, as all of a report is
 */
export function reported(words) {
  return words.map(({ key, values }) => sayIn("en", key, values)).join(" ");
}

/**
 * Without a change of the language that is spoken; in English where that catalogue is not here.
 * @param {string} tag
 * @param {string} key
 * @param {Record<string, string | number>} [values] written as they are
 * @returns {string}
 */
export function sayIn(tag, key, values = {}) {
  return (catalogues[known(tag) ?? "en"] ?? catalogues.en)[key].replace(/\{([\w-]+)\}/g, (_, name) => String(values[name]));
}

/**
 * @param {string} key
 * @param {Child} many
 * @returns {string}
 */
function text(key, many) {
  const catalogue = catalogues[current];
  const form = typeof many === "number" ? catalogue[`${key}.${numbers.plural.select(many)}`] : undefined;
  const found = form ?? catalogue[key] ?? catalogue[`${key}.other`];
  if (found === undefined) throw new Error(`nothing to say for "${key}"`);
  return found;
}

/**
 * @param {string | null | undefined} tag such as "de-AT"
 * @returns {string | undefined} the one of ours for it
 */
function known(tag) {
  if (!tag) return undefined;
  let locale;
  try {
    locale = new Intl.Locale(tag).maximize();
  } catch {
    return undefined;
  }
  const { language: spoken, script } = locale;
  return [`${spoken}-${script}`, spoken].find((one) => one in LANGUAGES);
}

/** @param {string} tag */
function numbersOf(tag) {
  const amount = (/** @type {number} */ digits) => new Intl.NumberFormat(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const unit = (/** @type {string} */ name) => new Intl.NumberFormat(tag, { style: "unit", unit: name, unitDisplay: "short" });
  return {
    plural: new Intl.PluralRules(tag),
    whole: new Intl.NumberFormat(tag),
    amounts: [amount(0), amount(1), amount(2)],
    percent: new Intl.NumberFormat(tag, { style: "percent" }),
    tenths: new Intl.NumberFormat(tag, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    hours: unit("hour"),
    minutes: unit("minute"),
    seconds: unit("second"),
    list: new Intl.ListFormat(tag, { type: "unit" }),
    order: new Intl.Collator(tag, { numeric: true }),
  };
}

/**
 * @param {number} many
 * @returns {string} with the separators of the language
 */
export function count(many) {
  return numbers.whole.format(many);
}

/**
 * @param {number} bytes
 * @returns {string} such as "1.4 MiB"
 */
export function size(bytes) {
  if (bytes < 1024) return say("amount.bytes", { count: bytes });
  const units = ["amount.kib", "amount.mib", "amount.gib", "amount.tib", "amount.pib"];
  let unit = -1;
  let amount = bytes;
  do {
    amount /= 1024;
    unit += 1;
  } while (amount >= 1023.95 && unit < units.length - 1);
  const digits = amount < 0.995 ? 2 : amount < 9.995 ? 1 : 0;
  return say(units[unit], { count: numbers.amounts[digits].format(amount) });
}

/**
 * @param {number} part
 * @param {number} whole
 * @returns {string} a percentage that never rounds something to nothing, nor less than all to all
 */
export function share(part, whole) {
  const { percent, tenths } = numbers;
  if (!whole || !part) return percent.format(0);
  if (part >= whole) return percent.format(1);
  const fraction = part / whole;
  if (fraction < 0.001) return say("amount.less", { share: tenths.format(0.001) });
  if (fraction > 0.999) return say("amount.more", { share: tenths.format(0.999) });
  return (fraction < 0.1 || fraction > 0.9 ? tenths : percent).format(fraction);
}

/**
 * @param {number} seconds
 * @returns {string} such as "3 min 20 sec"
 */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  const { hours, minutes, seconds: rest } = numbers;
  if (whole < 60) return rest.format(whole);
  const [large, small] =
    whole < 3600
      ? [minutes.format(Math.floor(whole / 60)), rest.format(whole % 60)]
      : [hours.format(Math.floor(whole / 3600)), minutes.format(Math.floor((whole % 3600) / 60))];
  return `${large} ${small}`;
}

/**
 * @param {string[]} items
 * @returns {string} "a, b, c"
 */
export function list(items) {
  return numbers.list.format(items);
}

/**
 * Orders names as people do: "file 9" before "file 10".
 * @param {string} a
 * @param {string} b
 */
export function inOrder(a, b) {
  return numbers.order.compare(a, b);
}

speak(wished());

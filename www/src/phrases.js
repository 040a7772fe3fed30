// The texts of the pages around the check: those of the catalogues, and those of the published policy, by one kind of
// key. The build writes them into the HTML; in the page they are said anew when another language is chosen.

import { language, say, written } from "./language.js";

/** @typedef {import("./contract").Policy} Policy */
/** @typedef {import("./contract").Texts} Texts */

/**
 * @param {Policy} policy
 * @param {string} key of a catalogue, or `policy.` and the place of a text in the policy
 * @param {Record<string, string | number | string[]>} [values] a list is one of language tags, and is said by their names
 * @returns {{ text: string, tongue: string }} the text and its language: the policy may not have all
 */
export function phrase(policy, key, values = {}) {
  if (key.startsWith("policy.")) return published(policy, key);
  const said = Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? named(value) : value]);
  return { text: say(key, Object.fromEntries(said)), tongue: language() };
}

/**
 * A language that is loaded brings its texts of the policy with it.
 * @param {Policy} policy
 * @param {string} key
 */
function published(policy, key) {
  const loaded = written(key);
  if (loaded !== undefined) return { text: loaded, tongue: language() };
  const texts = at(policy, key.split(".").slice(1));
  const tongue = language() in texts ? language() : policy.languages[0];
  return { text: texts[tongue], tongue };
}

/**
 * @param {any} policy
 * @param {string[]} place
 * @returns {Texts}
 */
function at(policy, place) {
  return place.reduce((value, name) => value[name], policy);
}

/** @param {string[]} tags */
function named(tags) {
  const names = new Intl.DisplayNames([language()], { type: "language" });
  return new Intl.ListFormat(language(), { type: "disjunction" }).format(tags.map((tag) => names.of(tag) ?? tag));
}

/** The address of a page: of its file on the site, of its section where all is in one file. `chosen` is a language that the person asked for.
 *
 * @param {string} page
 * @param {{ whole: boolean, chosen?: string | null, translated?: boolean }} where
 * @returns {string}
 */
export function addressOf(page, { whole, chosen = null }) {
  if (whole) return `#${page}`;
  if (!chosen) return `${page}.html`;
  return chosen === "en" || UNTRANSLATED.has(page) ? `${page}.html?lang=${chosen}` : `${page}.${chosen}.html`;
}

/** Pages whose content is English in every language: there is one file of each. */
export const UNTRANSLATED = new Set(["rules", "formats"]);

// The page in the language that is spoken: its texts are in the HTML, and are said anew when that is another one.

import { addressOf, phrase } from "./phrases.js";
import { stretches } from "./prose.js";
import { h, refill } from "./dom.js";
import { asked } from "./first-language.js";
import { LANGUAGES, language, languages } from "./language.js";
import { settings } from "./settings.js";

/** @typedef {import("./contract").Policy} Policy */

const ATTRIBUTES = ["aria-label", "content"];

/** The page whose file this is, and whether it is the one that holds all. */
const root = document.documentElement;
const here = /** @type {string} */ (root.dataset.page);
const whole = root.hasAttribute("data-whole");
/** The language that the person asked for, by the address or the menu; without it that of the browser is spoken. */
let chosen = asked();

/**
 * Speaks the language of this page, and offers the others.
 * @param {Policy} policy
 */
export function translate(policy) {
  if (language() !== root.lang) sayAll(policy);
  else link();
  languages.addEventListener("change", () => sayAll(policy));
  for (const anchor of document.querySelectorAll("a[data-language]")) {
    anchor.addEventListener("click", (event) => {
      event.preventDefault();
      choose(/** @type {HTMLElement} */ (anchor).dataset.language ?? "en");
    });
  }
}

/** @param {string} tag */
function choose(tag) {
  chosen = tag;
  settings.choose({ language: tag });
  // On the site each language has its address; the one file has none to keep.
  if (!whole) history.replaceState(null, "", addressOf(here, { whole, chosen }));
  link();
  const menu = document.querySelector("details.tongues");
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus();
}

/** @param {Policy} policy */
function sayAll(policy) {
  root.lang = language();
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-say]"))) {
    const { text, tongue } = phrase(policy, /** @type {string} */ (element.dataset.say), JSON.parse(element.dataset.values ?? "{}"));
    refill(element, prose(text), element.dataset.after);
    if (tongue === language()) element.removeAttribute("lang");
    else element.lang = tongue;
  }
  for (const name of ATTRIBUTES) {
    for (const element of document.querySelectorAll(`[data-say-${name}]`)) {
      element.setAttribute(name, phrase(policy, /** @type {string} */ (element.getAttribute(`data-say-${name}`))).text);
    }
  }
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-abroad]"))) {
    element.hidden = language() === element.dataset.abroad;
  }
  for (const anchor of document.querySelectorAll("a[data-language]")) {
    if (/** @type {HTMLElement} */ (anchor).dataset.language === language()) anchor.setAttribute("aria-current", "true");
    else anchor.removeAttribute("aria-current");
  }
  const now = document.querySelector(".tongues .now");
  if (now) now.textContent = LANGUAGES[/** @type {keyof typeof LANGUAGES} */ (language())];
  link();
}

/** Links to other pages keep a language that was chosen. */
function link() {
  for (const anchor of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-page]"))) {
    const { page = "index", at } = anchor.dataset;
    const to = whole && page === "index" ? "#content" : addressOf(page, { whole, chosen });
    anchor.setAttribute("href", at ? (whole ? `#${at}` : `${to}#${at}`) : to);
  }
  if (!whole) document.querySelector("just-data")?.setAttribute("rules", addressOf("rules", { whole, chosen }));
}

/**
 * @param {string} text
 * @returns {import("./dom.js").Child[]}
 */
export function prose(text) {
  return stretches(text).map((stretch) => {
    if (stretch.kind === "text") return stretch.text;
    if (stretch.kind !== "link") return h(stretch.kind, {}, stretch.text);
    const outside = stretch.to.startsWith("https:") ? { rel: "noopener noreferrer", target: "_blank" } : {};
    return h("a", { href: stretch.to, ...outside }, stretch.text);
  });
}

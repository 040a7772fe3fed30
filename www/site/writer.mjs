// What a page is written with: its language, its policy, and how the page around it speaks.

import { language } from "../src/language.js";
import { addressOf, phrase } from "../src/phrases.js";
import { stretches } from "../src/prose.js";
import { h } from "./html.mjs";

export class Writer {
  /**
   * @param {object} context
   * @param {any} context.policy
   * @param {{ version: string, rules: any[], formats: any[] }} context.reference what the core says about itself
   * @param {Record<string, string>} context.sums the SHA-256 of what the pages load, by its name on the site
   * @param {boolean} context.whole whether all pages are in one file
   * @param {string | null} context.chosen the language in the address of this page
   */
  constructor({ policy, reference, sums, whole, chosen }) {
    Object.assign(this, { policy, reference, sums, whole, chosen });
    this.language = language();
  }

  /**
   * An element with a text. The key stays on it, so that the page can say it in another language.
   * @param {string} tag
   * @param {string} key
   * @param {Record<string, any>} [attributes] `values` are those of the text
   */
  say(tag, key, { values, ...attributes } = {}) {
    const { text, tongue } = phrase(this.policy, key, values);
    const lang = tongue === this.language ? null : tongue;
    return h(tag, { lang, "data-say": key, "data-values": values ? JSON.stringify(values) : null, ...attributes }, prose(text));
  }

  /** The same for an attribute. */
  attribute(name, key) {
    return { [name]: this.text(key), [`data-say-${name}`]: key };
  }

  /** For what is only of use on a page in another language than this. */
  abroad(tag) {
    return { "data-abroad": tag, hidden: this.language === tag };
  }

  text(key, values) {
    return phrase(this.policy, key, values).text;
  }

  /**
   * A heading: the first of a page of its own, one deeper where all pages are in one.
   * @param {number} depth from 1
   */
  heading(depth, key, attributes) {
    return this.say(`h${this.whole ? depth + 1 : depth}`, key, attributes);
  }

  address(page) {
    return addressOf(page, { whole: this.whole, chosen: this.chosen });
  }

  /** A place on a page. */
  place(page, at) {
    return this.whole ? `#${at}` : `${this.address(page)}#${at}`;
  }

  /** A link to a page, by its name. */
  link(page, tag = "a", attributes = {}) {
    return this.say(tag, `site.page.${page}`, { href: this.address(page), "data-page": page, ...attributes });
  }
}

/** Words with their marks, as HTML. */
export function prose(text) {
  return stretches(text).map((stretch) => {
    if (stretch.kind === "text") return stretch.text;
    if (stretch.kind === "link") return outside(stretch.to, stretch.text);
    return h(stretch.kind, {}, stretch.text);
  });
}

/** A link to elsewhere. */
export function outside(address, ...children) {
  return h("a", { href: address, ...(address.startsWith("https:") ? { rel: "noopener noreferrer", target: "_blank" } : {}) }, ...children);
}

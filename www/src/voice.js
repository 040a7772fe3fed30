// What is said to screen readers. News of progress are said at most every few seconds.

import { h } from "./dom.js";
import { say } from "./language.js";

/** Least time between two words on progress, in milliseconds. */
const BETWEEN_WORDS = 5000;

/** Time after the last key until it is said what it brought, in milliseconds. */
const UNTIL_SETTLED = 700;

export class Voice {
  element = h("p.voice", { role: "status", "aria-live": "polite" });
  #spoken = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settling;

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  say(key, values) {
    this.#spoken = performance.now();
    this.element.textContent = say(key, values);
  }

  /**
   * The same when nothing else was to be said this way for a moment: for what changes with every key.
   * @param {string} key
   * @param {Record<string, string | number>} values
   */
  settle(key, values) {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.say(key, values), UNTIL_SETTLED);
  }

  /**
   * The same for progress: nothing, if something was said a moment ago.
   * @param {string} key
   * @param {Record<string, string | number>} values
   */
  mention(key, values) {
    if (performance.now() - this.#spoken >= BETWEEN_WORDS) this.say(key, values);
  }
}

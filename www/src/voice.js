// What is said to screen readers. News of progress are said at most every few seconds.

import { h } from "./dom.js";
import { say } from "./language.js";

/** Least time between two words on progress, in milliseconds. */
const BETWEEN_WORDS = 5000;

export class Voice {
  element = h("p.voice", { role: "status", "aria-live": "polite" });
  #spoken = 0;

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  say(key, values) {
    this.#spoken = performance.now();
    this.element.textContent = say(key, values);
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

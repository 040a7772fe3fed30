// Where files are given: dropped anywhere on the page, pasted, or chosen with a button.

import { h, refill } from "./dom.js";
import { fromFiles, fromTransfer } from "./intake.js";
import { say } from "./language.js";

/** @typedef {import("./intake.js").Item} Item */

/** Those that are on the page, in the order in which they came. @type {Set<DropZone>} */
const zones = new Set();

export class DropZone {
  element = h("section.drop", { part: "drop" });
  #files = this.#input({ multiple: true });
  #folder = this.#input({ webkitdirectory: true });
  #desk;
  /** @type {HTMLElement | undefined} */
  #choose;

  /** @param {{ host: HTMLElement, take: (items: AsyncGenerator<Item>) => void, complain: (words: string) => void }} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  /** @param {boolean} small whether the list needs the room */
  set small(small) {
    this.element.classList.toggle("small", small);
  }

  focus() {
    this.#choose?.focus();
  }

  /** @param {{ accept: string, multiple: boolean, directory: boolean, policyHref: string }} wishes of the page around the element */
  draw({ accept, multiple, directory, policyHref }) {
    this.#files.accept = accept;
    this.#files.multiple = multiple;
    const button = (/** @type {string} */ tag, /** @type {string} */ part, /** @type {string} */ key, /** @type {HTMLElement} */ input) =>
      h(tag, { type: "button", part, "aria-describedby": "hint", click: () => input.click() }, say(key));
    this.#choose = button("button.primary", "choose", "list.drop.files", this.#files);
    this.element.setAttribute("aria-label", say("list.drop.name"));
    refill(this.element,
      h("p.lead", {}, say("list.drop.lead")),
      h("div.buttons", {}, this.#choose, directory && button("button", "choose-folder", "list.drop.folder", this.#folder)),
      h("p.hint", { id: "hint" }, say("list.drop.hint")),
      policyHref && /^(https?:|mailto:|(?![\w+.-]*:))/i.test(policyHref) && h("p.policy", {}, h("a", { part: "policy", href: policyHref }, say("list.drop.policy"))),
      this.#files, this.#folder);
  }

  /** @param {AbortSignal} signal ends it */
  listen(signal) {
    const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
    const { take } = this.#desk;
    zones.add(this);
    signal.addEventListener("abort", () => zones.delete(this));
    // A file that misses the drop zone would otherwise be opened by the browser in place of this page.
    addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      if (!this.#meant(event)) return this.element.classList.remove("over");
      /** @type {DataTransfer} */ (event.dataTransfer).dropEffect = "copy";
      this.element.classList.add("over");
    }, { signal });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.element.classList.remove("over");
    }, { signal });
    addEventListener("drop", (event) => {
      this.element.classList.remove("over");
      if (!carriesFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      if (this.#meant(event)) take(fromTransfer(event.dataTransfer));
    }, { signal });
    addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length && this.#meant(event)) take(fromTransfer(event.clipboardData));
    }, { signal });
  }

  /**
   * Whether files are meant for this one: they are over its element, or over none and it is the first of the page.
   * @param {Event} event
   */
  #meant(event) {
    const path = event.composedPath();
    const under = [...zones].find((zone) => path.includes(zone.#desk.host));
    return (under ?? [...zones][0]) === this;
  }

  /** @param {Record<string, boolean>} what the browser is asked for */
  #input(what) {
    const input = h("input.hidden-input", { type: "file", tabindex: -1, "aria-hidden": "true", ...what });
    input.addEventListener("change", () => {
      const chosen = [...input.files];
      input.value = "";
      if (chosen.length) this.#desk.take(fromFiles(chosen));
      else if (what.webkitdirectory) this.#desk.complain(say("list.problem.empty-folder"));
    });
    return input;
  }
}

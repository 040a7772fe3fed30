// <just-data>: drop files on it, and it says whether they are just data.
//
// This is its public face: attributes, properties, methods and events. What it shows is made of drop.js (where files are
// given) and list.js (the files and their results). It needs nothing from the page around it, makes no request, and
// leaves no trace: what it learns is in its own memory until the page is closed.
//
// Attributes: lang.  Methods: check(files), cancel(), clear().  Properties: reports, reference.
// Events (they bubble and cross shadow roots): just-data-ready (detail: what the core knows), just-data-result (detail:
// one FILE of the JSON contract), just-data-done, just-data-request and just-data-blocked (detail: an address; neither
// must ever come).

import { DropZone } from "./drop.js";
import { h } from "./dom.js";
import { fromFiles } from "./intake.js";
import { languages, say, speak, wished } from "./language.js";
import { FileList } from "./list.js";
import { Queue } from "./queue.js";
import { SAVED_AS, copy, formatName, save } from "./save.js";
import { Voice } from "./voice.js";
import styles from "./element.css";

// A page that is made for the element speaks with it, in one language.
export { LANGUAGES, count, duration, inOrder, language, languages, parts, say, size, speak, wished } from "./language.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./intake.js").Item} Item */

export class JustData extends HTMLElement {
  static observedAttributes = ["lang"];

  #queue = new Queue();
  #voice = new Voice();
  #problem = h("p.problem", { role: "alert", hidden: true });
  #drop;
  #list;
  /** Grows when the list is cleared: a walk through a folder that began before then ends. */
  #walking = 0;
  /** @type {AbortController | undefined} */
  #connected;
  /** @type {Promise<void>} */
  #ready = Promise.resolve();

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this.#drop = new DropZone({ take: (items) => this.#take(items), complain: (words) => this.#complain(words) });
    this.#list = new FileList(this.#queue, this.#voice, {
      rules: new Map(),
      formats: new Map(),
      cancel: (job) => this.#queue.cancel(job),
      cancelAll: () => this.cancel(),
      again: (jobs) => this.#again(jobs),
      clear: () => this.clear(),
      save: (jobs, format) => this.#save(jobs, format),
      copy: (jobs, button) => this.#copy(jobs, button),
    });
    this.#queue.addEventListener("change", (event) => {
      const { state, report } = /** @type {CustomEvent<Job>} */ (event).detail;
      if (state === "done" && report) this.#tell("just-data-result", report);
    });
    this.#queue.addEventListener("quiet", () => this.#tell("just-data-done", null));
    for (const name of ["request", "blocked"]) {
      this.#queue.addEventListener(name, (event) => this.#tell(`just-data-${name}`, /** @type {CustomEvent} */ (event).detail));
    }
  }

  connectedCallback() {
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    this.#drop.listen(signal);
    languages.addEventListener("change", () => this.#draw(), { signal });
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    if (root.childElementCount) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    this.#draw();
    root.append(this.#drop.element, this.#problem, this.#list.element, this.#voice.element);
    this.#ready = this.#learn();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#queue.rest();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "lang") speak([this.lang, ...wished()]);
  }

  /** @returns {FileReport[]} the results so far, in the order in which the files were given */
  get reports() {
    return this.#queue.jobs.flatMap(({ state, report }) => (state === "done" && report ? [report] : []));
  }

  /** @type {import("./contract").Reference | null} rules and formats of the core, once it is up */
  reference = null;

  /**
   * Checks these files. They are read in place, never copied.
   * @param {globalThis.FileList | File[]} files
   */
  check(files) {
    return this.#take(fromFiles(files));
  }

  /** Cancels every check that is not done. */
  cancel() {
    this.#queue.cancelAll();
  }

  /** Forgets all files and results. */
  clear() {
    this.#queue.clear();
    this.#walking += 1;
    this.#problem.hidden = true;
    this.#list.clear();
    this.#drop.small = false;
    this.#voice.say("list.cleared");
    this.#drop.focus();
  }

  /** Says everything in the language that is spoken. */
  #draw() {
    this.#drop.draw();
    this.#list.build();
  }

  async #learn() {
    try {
      const reference = await this.#queue.reference();
      this.reference = reference;
      this.#list.learn(reference);
      this.#tell("just-data-ready", reference);
    } catch (error) {
      this.#complain(say("list.problem.start", { reason: reasonOf(error) }));
    }
  }

  /** @param {AsyncGenerator<Item>} items */
  async #take(items) {
    this.#problem.hidden = true;
    const walk = this.#walking;
    let taken = 0;
    this.#voice.say("list.walking");
    await this.#ready;
    this.#list.start();
    try {
      for await (const item of items) {
        if (walk !== this.#walking) return;
        this.#queue.add(item);
        this.#drop.small = true;
        taken += 1;
      }
    } catch (error) {
      this.#complain(say("list.problem.walk", { reason: reasonOf(error) }));
    }
    if (!taken) this.#complain(say("list.problem.nothing"));
  }

  /** @param {Job[]} jobs */
  #again(jobs) {
    this.#list.start();
    for (const job of jobs) this.#queue.again(job);
  }

  /**
   * @param {Job[]} jobs
   * @param {ReportFormat} format
   */
  async #save(jobs, format) {
    const kind = SAVED_AS.find((one) => one.format === format);
    const files = jobs.flatMap(({ report }) => (report ? [report] : []));
    if (!kind || !files.length) return;
    try {
      const name = jobs.length === 1 && jobs[0].name ? /** @type {string} */ (jobs[0].name.split("/").pop()) : "just-data-report";
      save(await this.#queue.write(files, format), `${name}.${jobs.length === 1 ? "just-data." : ""}${kind.extension}`, kind.type);
      this.#voice.say("list.saved", { format: formatName(kind) });
    } catch (error) {
      this.#complain(say("list.problem.write", { reason: reasonOf(error) }));
    }
  }

  /**
   * @param {Job[]} jobs
   * @param {HTMLElement} button says for a moment that it is done
   */
  async #copy(jobs, button) {
    const files = jobs.flatMap(({ report }) => (report ? [report] : []));
    try {
      await copy(this.#queue.write(files, "text"));
      this.#voice.say("list.copied");
      button.textContent = say("answer.copied");
      setTimeout(() => (button.textContent = say("answer.copy")), 2000);
    } catch (error) {
      this.#complain(say("list.problem.copy", { reason: reasonOf(error) }));
    }
  }

  /** @param {string} words */
  #complain(words) {
    this.#problem.textContent = words;
    this.#problem.hidden = false;
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("just-data")) customElements.define("just-data", JustData);

/** @param {unknown} error */
function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}

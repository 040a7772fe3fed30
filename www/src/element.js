// <just-data>: drop files on it, and it says whether they are just data.
//
// This is its public face: attributes, properties, methods and events. What it shows is made of drop.js (where files are
// given) and list.js (the files and their results). It needs nothing from the page around it, makes no request, and
// leaves no trace: what it learns is in its own memory until the page is closed.
//
// Attributes: lang; page-keys (single keys work on the whole page, as on one that is made for the element).
// Methods: check(files), cancel(), pause(), resume(), clear(), forget().  Properties: reports, reference.
// Events (they bubble and cross shadow roots): just-data-ready (detail: what the core knows), just-data-result (detail:
// one FILE of the JSON contract), just-data-done, just-data-forget, just-data-request and just-data-blocked (detail: an
// address; neither must ever come).

import { KeysDialog, SettingsDialog } from "./dialogs.js";
import { h, refill } from "./dom.js";
import { DropZone } from "./drop.js";
import { fromFiles } from "./intake.js";
import { languages, say } from "./language.js";
import { FileList } from "./list.js";
import { Queue } from "./queue.js";
import { SAVED_AS, copy, formatName, save } from "./save.js";
import { settings } from "./settings.js";
import { Voice } from "./voice.js";
import styles from "./element.css";

// A page that is made for the element speaks with it, in one language, and may give its workers tasks of its own.
export * from "./language.js";
export * from "./crew.js";
export { settings } from "./settings.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./intake.js").Item} Item */

/** Time that reading a list of files may take before others have their turn, in milliseconds. */
const TURN = 24;

export class JustData extends HTMLElement {
  static observedAttributes = ["lang"];

  #queue = new Queue();
  #voice = new Voice();
  #problem = h("p.problem", { role: "alert", hidden: true });
  #drop;
  #tools = h("div.buttons.own");
  #list;
  #keys = new KeysDialog();
  #settings = new SettingsDialog(() => this.forget());
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
      pause: (pause) => (pause ? this.pause() : this.resume()),
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
    this.#list.listen(signal);
    settings.addEventListener("change", () => this.#draw(), { signal });
    languages.addEventListener("change", () => {
      this.#draw();
      this.#keys.retell();
      this.#settings.retell();
    }, { signal });
    addEventListener("keydown", (event) => this.#key(event), { signal });
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    if (root.childElementCount) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    this.#draw();
    root.append(this.#drop.element, this.#tools, this.#problem, this.#list.element, this.#voice.element,
      this.#keys.element, this.#settings.element);
    this.#ready = this.#learn();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#queue.rest();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "lang") settings.ask(this.lang);
  }

  /** @returns {FileReport[]} the results so far, in the order in which the files were given */
  get reports() {
    return this.#queue.jobs.flatMap(({ state, report }) => (state === "done" && report ? [report] : []));
  }

  /** @type {import("./contract").Reference | null} rules and formats of the core, once it is up */
  reference = null;

  /**
   * Checks these files. They are read in place, never copied.
   * @param {Iterable<File | FileSystemHandle>} files also folders, as the browser hands them to an installed page
   */
  check(files) {
    return this.#take(fromFiles(files));
  }

  /** Cancels every check that is not done. */
  cancel() {
    this.#queue.cancelAll();
  }

  /** Holds all checks. What is at work begins anew afterwards. */
  pause() {
    this.#queue.paused = true;
    this.#voice.say("list.paused-explained");
    this.#list.draw();
  }

  /** Goes on with the checks. */
  resume() {
    this.#queue.paused = false;
    this.#voice.say("list.resumed");
    this.#list.draw();
  }

  /** Forgets all files, results and settings, on this page and on this computer. */
  forget() {
    this.clear();
    settings.forget();
    this.#tell("just-data-forget", null);
    this.#voice.say("list.forgotten");
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

  /** Shows everything anew, in the language that is spoken and by the settings that are made. */
  #draw() {
    const { theme } = settings.choices;
    this.style.colorScheme = theme === "system" ? "" : theme;
    this.#drop.draw();
    const button = (/** @type {string} */ key, /** @type {() => void} */ click) => h("button", { type: "button", click }, say(key));
    refill(this.#tools,
      button("list.settings", () => this.#settings.show()),
      button("list.keys", () => this.#keys.show()),
      button("list.forget", () => this.forget()));
    this.#list.build();
  }

  /**
   * Single keys work where the focus is in the element; on a page that is made for it, anywhere, unless the person
   * turned that off.
   * @param {KeyboardEvent} event
   */
  #key(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const path = event.composedPath();
    if (!path.includes(this) && !(settings.choices.keys && this.hasAttribute("page-keys"))) return;
    const [target] = path;
    if (target instanceof HTMLElement && (target.isContentEditable || target.closest("input, select, textarea, dialog"))) return;
    if (event.key === "?") this.#keys.show();
    else if (event.key !== "/" || !this.#list.search()) return;
    event.preventDefault();
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
    let turn = performance.now();
    this.#voice.say("list.walking");
    await this.#ready;
    this.#list.start();
    try {
      for await (const item of items) {
        if (walk !== this.#walking) return;
        this.#queue.add(item);
        this.#drop.small = true;
        taken += 1;
        if (performance.now() - turn < TURN) continue;
        await new Promise((resolve) => setTimeout(resolve));
        turn = performance.now();
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

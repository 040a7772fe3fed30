// <just-data>: drop files on it, and it says whether they are just data.
//
// This is its public face: attributes, properties, methods and events. What it shows is made of drop.js (where files are
// given) and list.js (the files and their results). It needs nothing from the page around it, makes no request, and
// leaves no trace: what it learns is in its own memory until the page is closed.
//
// The comment before the class is what the types and the manifest of the package are made from.

import { KeysDialog, SettingsDialog } from "./dialogs.js";
import { h, refill } from "./dom.js";
import { DropZone } from "./drop.js";
import { fromFiles } from "./intake.js";
import { languages, say, size } from "./language.js";
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
/** @typedef {import("./contract").Problem} Problem */
/** @typedef {import("./contract").Reference} Reference */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./contract").Verdict} Verdict */
/** @typedef {import("./intake.js").Item} Item */

/** Least time between two events on progress, in milliseconds. */
const BETWEEN_PROGRESS = 250;
/** Time that reading a list of files may take before others have their turn, in milliseconds. */
const TURN = 24;

/** What a page may set as a property before the element is defined. */
const PROPERTIES = /** @type {const} */ (["lang", "theme", "accept", "multiple", "directory", "maxBytes", "compact", "policyHref"]);

/**
 * Checks files on the reader's own machine, and sends nothing.
 *
 * @tagname just-data
 * @slot - What is shown where there is no JavaScript.
 *
 * @attr {string} lang - The language of everything that is said: en, de, fr, es, ja or zh-Hans. Without it, that of the browser.
 * @attr {"auto" | "light" | "dark"} theme - Without it or with "auto", the colours follow the `color-scheme` of the page.
 * @attr {string} accept - What the file chooser offers, as of an input element. What is dropped is checked in any case.
 * @attr {"true" | "false"} multiple - With "false", one file at a time; the next takes the place of the last.
 * @attr {"true" | "false"} directory - With "false", there is no button for folders.
 * @attr {number} max-bytes - Larger files are not read; their verdict is "not fully checked".
 * @attr {boolean} compact - Takes little room.
 * @attr {string} policy-href - Where the policy of this site is: a link to it stands below the buttons.
 * @attr {boolean} page-keys - Single keys work on the whole page, as on one that is made for the element.
 * @attr {string} rules - The address of a page with an anchor for each rule's id, empty for this page: findings lead there.
 * @attr {boolean} problems - The page takes just-data-problem: findings have buttons for it.
 *
 * @fires {CustomEvent<{ name: string, size: number }>} just-data-before-check - Before a file is checked; prevented, the file is left out.
 * @fires {CustomEvent<{ done: number, total: number, files: number, open: number }>} just-data-progress - A few times a second: bytes of work, files, and files that are not done.
 * @fires {CustomEvent<FileReport>} just-data-result - A file is done; the detail is one FILE of the JSON format.
 * @fires {CustomEvent<{ files: number, verdicts: Record<Verdict, number> }>} just-data-done - Everything is done.
 * @fires {CustomEvent<{ message: string }>} just-data-error - The checker could not start, or files could not be had.
 * @fires {CustomEvent<Reference>} just-data-ready - The checker has started; the detail is what it knows.
 * @fires {CustomEvent<Problem>} just-data-problem - A reader wants to report a problem; the detail never has the file.
 * @fires {CustomEvent<null>} just-data-forget - Everything was forgotten, on the reader's wish.
 * @fires {CustomEvent<string>} just-data-request - A worker reached the network. This must never come.
 * @fires {CustomEvent<string>} just-data-blocked - A worker tried to reach the network. This must never come.
 *
 * @csspart drop - Where files are dropped.
 * @csspart choose - The button that chooses files.
 * @csspart choose-folder - The button that chooses a folder.
 * @csspart policy - The link to the policy.
 * @csspart tools - The buttons for settings, keys and forgetting.
 * @csspart problem - What went wrong.
 * @csspart list - All files and what was found in them.
 *
 * @cssprop --just-data-font - The font of everything.
 * @cssprop --just-data-size - The size of the font, and with it of everything. Without it, what the reader has set in the browser.
 * @cssprop --just-data-accent - Buttons, links and the focus.
 * @cssprop --just-data-on-accent - Words on the accent.
 * @cssprop --just-data-ink - Words.
 * @cssprop --just-data-quiet - Words of less weight.
 * @cssprop --just-data-paper - The ground of what is written on.
 * @cssprop --just-data-sunk - The ground of what lies deeper.
 * @cssprop --just-data-edge - Lines.
 * @cssprop --just-data-radius - How round corners are.
 */
export class JustData extends HTMLElement {
  static observedAttributes = ["lang", "theme", "accept", "multiple", "directory", "compact", "policy-href"];

  #queue = new Queue();
  #voice = new Voice();
  #problem = h("p.problem", { role: "alert", hidden: true });
  #drop;
  #tools = h("div.buttons.own");
  #list;
  #keys = new KeysDialog();
  #settings = new SettingsDialog(() => this.forget());
  #progress = new Pace(BETWEEN_PROGRESS);
  /** Grows when the list is cleared: a walk through a folder that began before then ends. */
  #walking = 0;
  /** @type {AbortController | undefined} */
  #connected;
  /** @type {Promise<void>} */
  #ready = Promise.resolve();

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this.#drop = new DropZone({ host: this, take: (items) => this.#take(items), complain: (words) => this.#complain(words) });
    for (const [element, part] of /** @type {[Element, string][]} */ ([[this.#problem, "problem"], [this.#tools, "tools"]])) element.part.add(part);
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
      look: (job, task) => this.#queue.look(job, task),
      hash: (job, signal, pulse) => this.#queue.hash(job, signal, pulse),
      version: () => this.reference?.version ?? "",
      page: () => ({ rules: this.getAttribute("rules"), problems: this.hasAttribute("problems") }),
    });
    this.#queue.addEventListener("change", (event) => {
      const { state, report } = /** @type {CustomEvent<Job>} */ (event).detail;
      if (state === "done" && report) this.#tell("just-data-result", report);
      if (this.#progress.due()) this.#tell("just-data-progress", this.#queue.progress);
    });
    this.#queue.addEventListener("quiet", () => {
      const verdicts = { code: 0, caution: 0, unfinished: 0, "just-data": 0 };
      for (const { verdict } of this.results) verdicts[verdict] += 1;
      this.#tell("just-data-done", { files: this.results.length, verdicts });
    });
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
    for (const name of PROPERTIES) this.#upgrade(name);
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    this.#draw();
    if (root.childElementCount) return;
    root.adoptedStyleSheets = [(sheet ??= made())];
    root.append(this.#drop.element, this.#tools, this.#problem, this.#list.element, this.#voice.element,
      this.#keys.element, this.#settings.element);
    this.#ready = this.#learn();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    // One that is only moved goes on with its work.
    queueMicrotask(() => this.isConnected || this.#queue.rest());
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "lang") settings.ask(this.lang);
    else if (this.isConnected) this.#draw();
  }

  /** The results so far, in the order in which the files were given. @returns {FileReport[]} */
  get results() {
    return this.#queue.jobs.flatMap(({ state, report }) => (state === "done" && report ? [report] : []));
  }

  /** @type {"auto" | "light" | "dark"} */
  get theme() {
    const theme = this.getAttribute("theme");
    return theme === "light" || theme === "dark" ? theme : "auto";
  }

  set theme(theme) {
    this.setAttribute("theme", theme);
  }

  /** @type {string} */
  get accept() {
    return this.getAttribute("accept") ?? "";
  }

  set accept(accept) {
    this.setAttribute("accept", accept);
  }

  /** Whether several files may be given. @type {boolean} */
  get multiple() {
    return this.getAttribute("multiple") !== "false";
  }

  set multiple(multiple) {
    this.setAttribute("multiple", String(multiple));
  }

  /** Whether there is a button for folders. @type {boolean} */
  get directory() {
    return this.getAttribute("directory") !== "false";
  }

  set directory(directory) {
    this.setAttribute("directory", String(directory));
  }

  /** The size up to which files are read, in bytes. @type {number} */
  get maxBytes() {
    const most = Number.parseInt(this.getAttribute("max-bytes") ?? "", 10);
    return most >= 0 ? most : Infinity;
  }

  set maxBytes(most) {
    if (Number.isFinite(most)) this.setAttribute("max-bytes", String(most));
    else this.removeAttribute("max-bytes");
  }

  /** @type {boolean} */
  get compact() {
    return this.hasAttribute("compact");
  }

  set compact(compact) {
    this.toggleAttribute("compact", compact);
  }

  /** @type {string} */
  get policyHref() {
    return this.getAttribute("policy-href") ?? "";
  }

  set policyHref(address) {
    this.setAttribute("policy-href", address);
  }

  /** What the checker knows, once it has started. @type {Reference | null} */
  reference = null;

  /**
   * Checks these files. They are read in place, never copied.
   * @param {Iterable<File | FileSystemHandle>} files also folders, as the browser hands them to an installed page
   */
  check(files) {
    return this.#take(fromFiles(files));
  }

  /**
   * All results, as the command and the page write them: `JSON.stringify(element)` is a report.
   * @returns {{ tool: { name: "just-data", version: string }, files: FileReport[] }}
   */
  toJSON() {
    return { tool: { name: "just-data", version: this.reference?.version ?? "" }, files: this.results };
  }

  /**
   * All results in SARIF 2.1.0, for other programs.
   * @returns {Promise<Record<string, unknown>>}
   */
  async toSARIF() {
    return JSON.parse(await this.#queue.write(this.results, "sarif"));
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
    this.#empty();
    this.#voice.say("list.cleared");
    this.#drop.focus();
  }

  #empty() {
    this.#queue.clear();
    this.#walking += 1;
    this.#problem.hidden = true;
    this.#list.clear();
    this.#drop.small = this.compact;
  }

  /** Shows everything anew, in the language that is spoken and by the settings that are made. */
  #draw() {
    const { theme } = settings.choices;
    const wanted = theme === "system" ? this.theme : theme;
    this.style.colorScheme = wanted === "auto" ? "" : wanted;
    this.#drop.draw(this);
    this.#drop.small = this.compact || this.#queue.jobs.length > 0;
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
    if (!this.multiple) this.#empty();
    this.#problem.hidden = true;
    const walk = this.#walking;
    let seen = 0;
    let turn = performance.now();
    this.#voice.say("list.walking");
    await this.#ready;
    this.#list.start();
    try {
      for await (const item of items) {
        if (walk !== this.#walking) return;
        seen += 1;
        if (seen > 1 && !this.multiple) {
          this.#complain(say("list.problem.one"));
          break;
        }
        item.size = item.file?.size ?? 0;
        if (!this.#tell("just-data-before-check", { name: item.name, size: item.size }, true)) continue;
        if (item.size > this.maxBytes) item.refused = { key: "list.failure.large", values: { limit: size(this.maxBytes) } };
        this.#queue.add(item);
        this.#drop.small = true;
        if (performance.now() - turn < TURN) continue;
        await new Promise((resolve) => setTimeout(resolve));
        turn = performance.now();
      }
    } catch (error) {
      this.#complain(say("list.problem.walk", { reason: reasonOf(error) }));
    }
    if (!seen) this.#complain(say("list.problem.nothing"));
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
    this.#tell("just-data-error", { message: words });
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   * @param {boolean} [cancelable]
   * @returns {boolean} whether nobody objected
   */
  #tell(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable }));
  }

  /**
   * A property that was set before the element was defined hides the one of the class.
   * @param {typeof PROPERTIES[number]} name
   */
  #upgrade(name) {
    const own = Object.getOwnPropertyDescriptor(this, name);
    if (!own) return;
    Reflect.deleteProperty(this, name);
    Object.assign(this, { [name]: own.value });
  }
}

/** One style sheet for all elements of the page. @type {CSSStyleSheet | undefined} */
let sheet;

function made() {
  // As a length it is inherited as what it is at the element, not as a word that each of its descendants reads anew.
  const unit = { name: "--just-data-unit", syntax: "<length>", inherits: true, initialValue: "16px" };
  try {
    CSS.registerProperty(unit);
  } catch {
    // Another copy of this script did it.
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  return sheet;
}

/** @param {unknown} error */
function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** Says whether it is time again. */
class Pace {
  #between;
  #last = -Infinity;

  /** @param {number} between the least time from one to the next, in milliseconds */
  constructor(between) {
    this.#between = between;
  }

  due() {
    const now = performance.now();
    if (now - this.#last < this.#between) return false;
    this.#last = now;
    return true;
  }
}

if (!customElements.get("just-data")) customElements.define("just-data", JustData);

// <just-data>: drop files on it, and it says whether they are just data.
//
// The one place that holds the queue, the workers and the results. It needs nothing from the page around it, makes no
// request, and leaves no trace: what it learns is in its own memory until the page is closed.
//
// Methods: check(files), cancel(), clear().  Property: reports.
// Events (they bubble and cross shadow roots): just-data-result (detail: one FILE of the JSON contract),
// just-data-done, just-data-request and just-data-blocked (detail: an address; neither must ever come).

import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { fromFiles, fromTransfer } from "./intake.js";
import { Queue } from "./queue.js";
import { Row } from "./row.js";
import { SAVED_AS, copy, save } from "./save.js";
import styles from "./element.css";
import { VERDICTS, WORST_FIRST, count, duration, plural, size } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./contract").Verdict} Verdict */
/** @typedef {import("./intake.js").Item} Item */

/** Rows that are shown before the user asks for more. */
const PAGE = 100;
/** Least time between two drawings of the list, in milliseconds. */
const BETWEEN_DRAWINGS = 120;
/** Least time between two announcements to screen readers, in milliseconds. */
const BETWEEN_WORDS = 5000;

export class JustData extends HTMLElement {
  #queue = new Queue();
  /** @type {Map<Job, Row>} */
  #rows = new Map();
  /** @type {Verdict | "open" | "all"} */
  #filter = "all";
  #limit = PAGE;
  /** Grows when the list is cleared: a walk through a folder that began before then ends. */
  #walking = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #drawing;
  #spoken = 0;
  #started = 0;
  /** @type {{ at: number, done: number }[]} */
  #pace = [];
  /** @type {import("./row.js").Desk} */
  #desk;
  #parts;
  /** @type {AbortController | undefined} */
  #connected;
  /** @type {Promise<void>} */
  #ready = Promise.resolve();

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this.#desk = {
      rules: new Map(),
      formats: new Map(),
      cancel: (job) => this.#queue.cancel(job),
      again: (job) => this.#again([job]),
      save: (jobs, format) => this.#save(jobs, format),
      copy: (jobs, button) => this.#copy(jobs, button),
    };
    this.#parts = this.#build();
    this.#queue.addEventListener("change", (event) => this.#changed(/** @type {CustomEvent} */ (event).detail));
    this.#queue.addEventListener("quiet", () => this.#quiet());
    for (const name of ["request", "blocked"]) {
      this.#queue.addEventListener(name, (event) => this.#tell(`just-data-${name}`, /** @type {CustomEvent} */ (event).detail));
    }
  }

  connectedCallback() {
    this.#connected = new AbortController();
    this.#listen(this.#connected.signal);
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    if (root.childElementCount) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    const { drop, problem, summary, list, more, voice } = this.#parts;
    root.append(drop, problem, summary.element, list, more, voice);
    this.#ready = this.#learn();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#queue.rest();
  }

  /** @returns {FileReport[]} the results so far, in the order in which the files were given */
  get reports() {
    return this.#queue.jobs.flatMap(({ state, report }) => (state === "done" && report ? [report] : []));
  }

  /** @type {import("./contract").Reference | null} rules and formats of the core, once it is up */
  reference = null;

  /**
   * Checks these files. They are read in place, never copied.
   * @param {FileList | File[]} files
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
    this.#rows.clear();
    this.#filter = "all";
    this.#limit = PAGE;
    this.#pace = [];
    this.#walking += 1;
    this.#parts.problem.hidden = true;
    this.#draw();
    this.#say("The list is empty.", true);
    this.#parts.choose.focus();
  }

  async #learn() {
    try {
      const reference = await this.#queue.reference();
      this.reference = reference;
      for (const rule of reference.rules) this.#desk.rules.set(rule.id, rule);
      for (const format of reference.formats) this.#desk.formats.set(format.id, format.name);
      this.#tell("just-data-ready", reference);
    } catch (error) {
      this.#complain(
        `The checker could not start in this browser (${error instanceof Error ? error.message : error}). ` +
          "It needs WebAssembly and workers; a recent Firefox, Chromium or Safari has both.");
    }
  }

  #build() {
    const files = h("input.hidden-input", { type: "file", multiple: true, tabindex: -1, "aria-hidden": "true" });
    const folder = h("input.hidden-input", { type: "file", webkitdirectory: true, tabindex: -1, "aria-hidden": "true" });
    for (const input of [files, folder]) {
      input.addEventListener("change", () => {
        const chosen = [...input.files];
        input.value = "";
        if (chosen.length) this.#take(fromFiles(chosen));
        else if (input === folder) this.#complain("There is no file in this folder.");
      });
    }
    const choose = h("button.primary", { type: "button", "aria-describedby": "hint", click: () => files.click() }, "Choose files…");
    const chooseFolder = h("button", { type: "button", "aria-describedby": "hint", click: () => folder.click() }, "Choose a folder…");
    const drop = h("section.drop", { "aria-label": "Files to check" },
      h("p.lead", {}, "Drop files or folders here"),
      h("div.buttons", {}, choose, chooseFolder),
      h("p.hint", { id: "hint" }, "Any kind, any number, any size. They are read on this machine and go nowhere."),
      files, folder);

    const title = h("h2");
    const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of all files" });
    const pace = h("p.pace");
    const cancelAll = h("button", { type: "button", click: () => this.cancel() }, "Cancel all");
    const again = h("button", { type: "button", click: () => this.#again(this.#queue.jobs) }, "Check again");
    const clear = h("button", { type: "button", click: () => this.clear() }, "Clear");
    const copyAll = h("button", { type: "button", click: () => this.#copy(this.#queue.jobs, copyAll) }, "Copy");
    const saves = SAVED_AS.map(({ format, name }) =>
      h("button", { type: "button", "data-format": format, click: () => this.#save(this.#queue.jobs, format) }, `Save ${name}`));
    const filters = h("div.filters", { role: "group", "aria-label": "Show" });
    const element = h("section.summary", { hidden: true, "aria-label": "All files" },
      h("div.over", {}, title, h("div.buttons", {}, cancelAll, again, clear)),
      h("div.whole", {}, bar, pace),
      filters,
      h("div.buttons.saving", {}, h("span.quiet", {}, "All results:"), copyAll, saves));
    return {
      drop, files, folder, choose,
      problem: h("p.problem", { role: "alert", hidden: true }),
      summary: { element, title, bar, pace, cancelAll, again, clear, filters, saving: /** @type {HTMLElement} */ (element.lastElementChild) },
      list: h("ol.files", { hidden: true }),
      more: h("button.more", { type: "button", hidden: true, click: () => this.#showMore() }),
      voice: h("p.voice", { role: "status", "aria-live": "polite" }),
    };
  }

  /** @param {AbortSignal} signal ends it */
  #listen(signal) {
    const { drop } = this.#parts;
    const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
    // A file that misses the drop zone would otherwise be opened by the browser in place of this page.
    addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      /** @type {DataTransfer} */ (event.dataTransfer).dropEffect = "copy";
      drop.classList.add("over");
    }, { signal });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) drop.classList.remove("over");
    }, { signal });
    addEventListener("drop", (event) => {
      drop.classList.remove("over");
      if (!carriesFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      this.#take(fromTransfer(event.dataTransfer));
    }, { signal });
    addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) this.#take(fromTransfer(event.clipboardData));
    }, { signal });
  }

  /** @param {AsyncGenerator<Item>} items */
  async #take(items) {
    this.#parts.problem.hidden = true;
    const walk = this.#walking;
    let taken = 0;
    this.#say("Reading the list of files.", true);
    await this.#ready;
    if (!this.#queue.open) {
      this.#started = performance.now();
      this.#pace = [];
    }
    try {
      for await (const item of items) {
        if (walk !== this.#walking) return;
        this.#queue.add(item);
        taken += 1;
      }
    } catch (error) {
      this.#complain(`The list of files could not be read to its end: ${error instanceof Error ? error.message : error}`);
    }
    if (!taken) this.#complain("There was no file in it.");
  }

  /** @param {Job[]} jobs */
  #again(jobs) {
    if (!this.#queue.open) {
      this.#started = performance.now();
      this.#pace = [];
    }
    for (const job of jobs) this.#queue.again(job);
  }

  /** @param {Job} job */
  #changed(job) {
    if (job.state === "done" && job.report) this.#tell("just-data-result", job.report);
    if (this.#drawing) return;
    this.#drawing = setTimeout(() => {
      this.#drawing = undefined;
      this.#draw();
    }, BETWEEN_DRAWINGS);
  }

  #quiet() {
    this.#draw();
    const jobs = this.#queue.jobs;
    if (jobs.length === 1) this.#rows.get(jobs[0])?.open(true);
    this.#say(this.#sum(), true);
    this.#tell("just-data-done", null);
  }

  #draw() {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    const { drop, summary, list, more } = this.#parts;
    const jobs = this.#queue.jobs;
    const some = jobs.length > 0;
    drop.classList.toggle("small", some);
    summary.element.hidden = !some;
    list.hidden = !some;
    this.#drawSummary();

    const shown = jobs.filter((job) => this.#filter === "all" || standing(job) === this.#filter);
    shown.sort((a, b) => rank(a) - rank(b) || a.id - b.id);
    const page = shown.slice(0, this.#limit);
    more.hidden = shown.length <= page.length;
    more.textContent = `Show more files (${count(shown.length - page.length)} left)`;

    const focused = /** @type {ShadowRoot} */ (this.shadowRoot).activeElement;
    const rows = page.map((job) => {
      let row = this.#rows.get(job);
      if (!row) this.#rows.set(job, (row = new Row(job, this.#desk)));
      row.draw();
      return row.element;
    });
    rows.forEach((element, index) => {
      if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    });
    while (list.children.length > rows.length) list.lastElementChild.remove();
    if (focused instanceof HTMLElement && focused.isConnected && list.contains(focused)) focused.focus({ preventScroll: true });
    if (this.#queue.open) {
      this.#say(this.#sum());
      // Keeps the rate, the time left and a long silence up to date when nothing is heard.
      setTimeout(() => this.#queue.open && !this.#drawing && this.#draw(), 1000);
    }
  }

  #drawSummary() {
    const { title, bar, pace, cancelAll, again, filters, saving } = this.#parts.summary;
    const jobs = this.#queue.jobs;
    const open = this.#queue.open;
    refill(title, open ? `${count(jobs.length - open)} of ${plural(jobs.length, "file")} checked` : `${plural(jobs.length, "file")} checked`);
    cancelAll.hidden = !open;
    again.hidden = open > 0;
    saving.hidden = open > 0;

    let whole = 0;
    let done = 0;
    let bytes = 0;
    for (const job of jobs) {
      whole += job.weight;
      done += job.weight * job.progress;
      bytes += job.size;
    }
    bar.value = whole ? done / whole : 0;
    bar.hidden = !open;
    refill(pace, open ? this.#speed(done, whole) : `${size(bytes)} in ${duration((performance.now() - this.#started) / 1000)}`);

    /** @type {Record<string, number>} */
    const counts = { all: jobs.length };
    for (const job of jobs) counts[standing(job)] = (counts[standing(job)] ?? 0) + 1;
    const names = /** @type {[string, string][]} */ ([
      ["all", "All"], ...WORST_FIRST.map((verdict) => [verdict, VERDICTS[verdict].name]), ["open", "Not done"],
    ]);
    const wanted = names.filter(([id]) => id === "all" || counts[id]);
    if (!counts[this.#filter]) this.#filter = "all";
    // The buttons are kept while they are the same, so that the focus stays.
    const key = wanted.map(([id]) => id).join(" ");
    if (filters.dataset.key !== key) {
      filters.dataset.key = key;
      refill(filters, wanted.map(([id, name]) =>
        h("button.filter", { type: "button", "data-filter": id, click: () => this.#show(/** @type {any} */ (id)) },
          id in VERDICTS ? icon(/** @type {any} */ (id)) : null, h("span", {}, name), " ", h("span.count"))));
    }
    for (const button of filters.children) {
      const id = button.dataset.filter;
      button.setAttribute("aria-pressed", String(id === this.#filter));
      button.lastElementChild.textContent = count(counts[id]);
    }
  }

  /**
   * @param {number} done
   * @param {number} whole
   */
  #speed(done, whole) {
    const now = performance.now();
    this.#pace.push({ at: now, done });
    while (this.#pace.length > 2 && now - this.#pace[0].at > 8000) this.#pace.shift();
    const [first] = this.#pace;
    const seconds = (now - first.at) / 1000;
    const rate = seconds > 0.8 ? Math.max(0, done - first.done) / seconds : 0;
    if (rate < 1) return "Starting…";
    return `${size(rate)} per second · about ${duration((whole - done) / rate)} left`;
  }

  /** @param {Verdict | "open" | "all"} filter */
  #show(filter) {
    this.#filter = filter;
    this.#limit = PAGE;
    this.#draw();
  }

  #showMore() {
    const { list } = this.#parts;
    const next = list.children.length;
    this.#limit += PAGE;
    this.#draw();
    list.children[next]?.querySelector("button")?.focus();
  }

  /** @returns {string} the state of things in one line */
  #sum() {
    const jobs = this.#queue.jobs;
    /** @type {Record<string, number>} */
    const counts = {};
    for (const job of jobs) counts[standing(job)] = (counts[standing(job)] ?? 0) + 1;
    const found = WORST_FIRST.filter((verdict) => counts[verdict]).map((verdict) => `${count(counts[verdict])} ${VERDICTS[verdict].name.toLowerCase()}`);
    return `${count(jobs.length - this.#queue.open)} of ${plural(jobs.length, "file")} checked${found.length ? `: ${found.join(", ")}` : ""}.`;
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
      this.#say(`Saved as ${kind.name}.`, true);
    } catch (error) {
      this.#complain(`The report could not be written: ${error instanceof Error ? error.message : error}`);
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
      this.#say("Copied.", true);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    } catch (error) {
      this.#complain(`The browser did not let the report be copied: ${error instanceof Error ? error.message : error}`);
    }
  }

  /**
   * To screen readers; progress at most every few seconds.
   * @param {string} words
   * @param {boolean} [now]
   */
  #say(words, now = false) {
    const time = performance.now();
    if (!now && time - this.#spoken < BETWEEN_WORDS) return;
    this.#spoken = time;
    this.#parts.voice.textContent = words;
  }

  /** @param {string} words */
  #complain(words) {
    this.#parts.problem.textContent = words;
    this.#parts.problem.hidden = false;
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

/**
 * Where a job belongs in the list.
 * @param {Job} job
 * @returns {Verdict | "open"}
 */
function standing(job) {
  return job.state === "done" && job.report ? job.report.verdict : "open";
}

/**
 * Worst first; files at work before those that are well, the waiting ones last.
 * @param {Job} job
 */
function rank(job) {
  if (job.state === "waiting") return 6;
  if (job.report?.verdict === "code") return 0;
  if (job.state !== "done") return 2;
  return { caution: 1, unfinished: 3, "just-data": 4 }[/** @type {Exclude<Verdict, "code">} */ (job.report?.verdict)] ?? 5;
}

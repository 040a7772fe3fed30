// The files: how far they are, what was found in all of them, and a row for each.

import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { count, duration, list, say, size } from "./language.js";
import { Row } from "./row.js";
import { SAVED_AS, formatName } from "./save.js";
import { VERDICTS } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./queue.js").Queue} Queue */
/** @typedef {import("./voice.js").Voice} Voice */
/** @typedef {import("./contract").Reference} Reference */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./contract").Rule} Rule */
/** @typedef {import("./contract").Verdict} Verdict */

/**
 * What the list needs from the element that it is in.
 * @typedef {object} Desk
 * @property {Map<string, Rule>} rules
 * @property {Map<string, string>} formats id to name
 * @property {(job: Job) => void} cancel
 * @property {() => void} cancelAll
 * @property {(jobs: Job[]) => void} again
 * @property {() => void} clear
 * @property {(jobs: Job[], format: ReportFormat) => void} save
 * @property {(jobs: Job[], button: HTMLElement) => void} copy
 */

/** Rows that are shown before the user asks for more. */
const PAGE = 100;
/** Least time between two drawings of the list, in milliseconds. */
const BETWEEN_DRAWINGS = 120;

export class FileList {
  element = h("div.all");
  #queue;
  #voice;
  #desk;
  /** @type {Map<Job, Row>} */
  #rows = new Map();
  /** @type {Verdict | "open" | "all"} */
  #filter = "all";
  #limit = PAGE;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #drawing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ticking;
  #started = 0;
  /** @type {{ at: number, done: number }[]} */
  #pace = [];
  #parts = this.#made();

  /**
   * @param {Queue} queue
   * @param {Voice} voice
   * @param {Desk} desk
   */
  constructor(queue, voice, desk) {
    this.#queue = queue;
    this.#voice = voice;
    this.#desk = desk;
    queue.addEventListener("change", () => {
      this.#drawing ??= setTimeout(() => this.draw(), BETWEEN_DRAWINGS);
    });
    queue.addEventListener("quiet", () => this.#quiet());
  }

  /** @param {Reference} reference */
  learn({ rules, formats }) {
    for (const rule of rules) this.#desk.rules.set(rule.id, rule);
    for (const format of formats) this.#desk.formats.set(format.id, format.name);
  }

  /** Files are about to come: if there is nothing to do yet, the clock starts. */
  start() {
    if (this.#queue.open) return;
    this.#started = performance.now();
    this.#pace = [];
  }

  clear() {
    this.#rows.clear();
    this.#filter = "all";
    this.#limit = PAGE;
    this.#pace = [];
    this.draw();
  }

  /** Makes everything anew, in the language that is spoken. */
  build() {
    const opened = [...this.#rows].filter(([, row]) => row.opened).map(([job]) => job);
    this.#rows.clear();
    this.#parts = this.#made();
    refill(this.element, this.#parts.summary, this.#parts.list, this.#parts.more);
    this.draw();
    for (const job of opened) this.#rows.get(job)?.open(true);
  }

  #made() {
    const title = h("h2");
    const bar = h("progress", { max: 1, value: 0, "aria-label": say("list.progress") });
    const pace = h("p.pace");
    const cancelAll = h("button", { type: "button", click: () => this.#desk.cancelAll() }, say("list.cancel-all"));
    const again = h("button", { type: "button", click: () => this.#desk.again(this.#queue.jobs) }, say("list.again"));
    const clear = h("button", { type: "button", click: () => this.#desk.clear() }, say("list.clear"));
    const copyAll = h("button", { type: "button", click: () => this.#desk.copy(this.#queue.jobs, copyAll) }, say("answer.copy"));
    const saves = SAVED_AS.map((kind) =>
      h("button", { type: "button", "data-format": kind.format, click: () => this.#desk.save(this.#queue.jobs, kind.format) },
        say("answer.save", { format: formatName(kind) })));
    const filters = h("div.filters", { role: "group", "aria-label": say("list.show") });
    const saving = h("div.buttons.saving", {}, h("span.quiet", {}, say("list.all-results")), copyAll, saves);
    return {
      title, bar, pace, cancelAll, again, filters, saving,
      summary: h("section.summary", { hidden: true, "aria-label": say("list.name") },
        h("div.over", {}, title, h("div.buttons", {}, cancelAll, again, clear)),
        h("div.whole", {}, bar, pace),
        filters,
        saving),
      list: h("ol.files", { hidden: true }),
      more: h("button.more", { type: "button", hidden: true, click: () => this.#showMore() }),
    };
  }

  #quiet() {
    this.draw();
    const jobs = this.#queue.jobs;
    if (jobs.length === 1) this.#rows.get(jobs[0])?.open(true);
    this.#voice.say("list.sum", this.#sum());
  }

  draw() {
    clearTimeout(this.#drawing);
    clearTimeout(this.#ticking);
    this.#drawing = undefined;
    const { summary, list, more } = this.#parts;
    const jobs = this.#queue.jobs;
    summary.hidden = list.hidden = !jobs.length;
    this.#drawSummary();

    const shown = jobs.filter((job) => this.#filter === "all" || standing(job) === this.#filter);
    shown.sort((a, b) => rank(a) - rank(b) || a.id - b.id);
    const page = shown.slice(0, this.#limit);
    more.hidden = shown.length <= page.length;
    more.textContent = say("list.more", { count: shown.length - page.length });

    const focused = /** @type {Document | ShadowRoot} */ (this.element.getRootNode()).activeElement;
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
      this.#voice.mention("list.sum", this.#sum());
      // Keeps the rate, the time left and a long silence up to date when nothing is heard.
      this.#ticking = setTimeout(() => this.draw(), 1000);
    }
  }

  #drawSummary() {
    const { title, bar, pace, cancelAll, again, filters, saving } = this.#parts;
    const jobs = this.#queue.jobs;
    const open = this.#queue.open;
    refill(title, open
      ? say("list.checking", { done: jobs.length - open, count: jobs.length })
      : say("list.checked", { count: jobs.length }));
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
    refill(pace, open
      ? this.#speed(done, whole)
      : say("list.took", { size: size(bytes), time: duration((performance.now() - this.#started) / 1000) }));

    const counts = this.#counts();
    const wanted = ["all", ...VERDICTS, "open"].filter((id) => id === "all" || counts[id]);
    if (!counts[this.#filter]) this.#filter = "all";
    // The buttons are kept while they are the same, so that the focus stays.
    const key = wanted.join(" ");
    if (filters.dataset.key !== key) {
      filters.dataset.key = key;
      refill(filters, wanted.map((id) => {
        const verdict = VERDICTS.find((one) => one === id);
        return h("button.filter", { type: "button", "data-filter": id, click: () => this.#show(/** @type {any} */ (id)) },
          verdict ? icon(verdict) : null, h("span", {}, verdict ? say(`verdict.${verdict}.name`) : say(`list.show.${id}`)), " ", h("span.count"));
      }));
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
    if (rate < 1) return say("list.starting");
    return say("list.pace", { rate: size(rate), left: duration((whole - done) / rate) });
  }

  /** @param {Verdict | "open" | "all"} filter */
  #show(filter) {
    this.#filter = filter;
    this.#limit = PAGE;
    this.draw();
  }

  #showMore() {
    const { list } = this.#parts;
    const next = list.children.length;
    this.#limit += PAGE;
    this.draw();
    list.children[next]?.querySelector("button")?.focus();
  }

  /** @returns {Record<string, number>} how many files there are of each standing */
  #counts() {
    /** @type {Record<string, number>} */
    const counts = { all: this.#queue.jobs.length };
    for (const job of this.#queue.jobs) counts[standing(job)] = (counts[standing(job)] ?? 0) + 1;
    return counts;
  }

  /** The state of things, for a screen reader. */
  #sum() {
    const counts = this.#counts();
    const found = VERDICTS.filter((verdict) => counts[verdict]).map((verdict) => say(`verdict.${verdict}.counted`, { count: counts[verdict] }));
    return { done: counts.all - this.#queue.open, count: counts.all, found: list(found.length ? found : [say("list.nothing-yet")]) };
  }
}

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

// Which files the list shows, and in which order: by verdict, guideline, format and words; worst first or otherwise;
// alone or in groups.

import { h, refill } from "./dom.js";
import { factsOf, standing, verdictOf } from "./facts.js";
import { GROUPED, folderOf, inGroups } from "./groups.js";
import { icon } from "./icons.js";
import { count, inOrder, say } from "./language.js";
import { GUIDELINES, VERDICTS } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./contract").Verdict} Verdict */
/** @typedef {import("./dom.js").Child} Child */
/** @typedef {Verdict | "open" | "all"} Standing */

/** What can be shown, in the order of the buttons. */
const STANDINGS = /** @type {Standing[]} */ (["all", ...VERDICTS, "open"]);

/** What comes first has the least number. Names do not change: their order is found once for all files. */
const ORDERS = /** @type {Record<string, { number: (job: Job) => number } | { compare: (a: Job, b: Job) => number }>} */ ({
  worst: { number: rank },
  name: { compare: (a, b) => inOrder(a.name, b.name) },
  size: { number: (job) => -job.size },
  folder: { compare: (a, b) => inOrder(folderOf(a), folderOf(b)) || inOrder(a.name, b.name) },
});

/** Event: `change`, when the person asks for other files or another order. */
export class Sieve extends EventTarget {
  #desk;
  /** @type {Standing} */
  #standing = "all";
  #guideline = "";
  #format = "";
  #words = "";
  #order = "worst";
  /** @type {typeof GROUPED[number]} */
  #grouped = "items";
  /** Groups that were shown, so that a folded one stays so. @type {Map<string, import("./groups.js").Group>} */
  #groups = new Map();
  /** @type {{ compare?: unknown, jobs?: Job[], places: Map<Job, number> }} */
  #placed = { places: new Map() };
  /** Reports whose formats are known here. @type {WeakSet<object>} */
  #seen = new WeakSet();
  #present = new Set();
  #parts = this.#made();

  /** @param {import("./list.js").Desk} desk */
  constructor(desk) {
    super();
    this.#desk = desk;
  }

  get elements() {
    return [this.#parts.standings, this.#parts.tools];
  }

  /** Makes its elements anew, in the language that is spoken. */
  build() {
    this.#parts = this.#made();
  }

  /** Shows all again. */
  clear() {
    this.#standing = "all";
    this.#guideline = this.#format = this.#words = "";
    const { search, guideline, format } = this.#parts;
    search.value = guideline.value = format.value = "";
  }

  /** @returns {boolean} whether there is a search to go to */
  focus() {
    const { search, tools } = this.#parts;
    if (tools.hidden) return false;
    search.focus();
    search.select();
    return true;
  }

  /**
   * @param {Job[]} jobs all of them
   * @returns {{ shown: Job[], items: (Job | import("./groups.js").Group)[] }} those that are asked for, and these in their order and groups
   */
  through(jobs) {
    this.#drawStandings(jobs);
    this.#drawTools(jobs);
    const words = this.#words.toLowerCase().split(/\s+/).filter(Boolean);
    const { rules, formats } = this.#desk;
    const shown = jobs.filter((job) => {
      if (this.#standing !== "all" && standing(job) !== this.#standing) return false;
      if (!this.#guideline && !this.#format && !words.length) return true;
      const facts = job.report && factsOf(job.report, rules, formats);
      if (this.#guideline && !facts?.guidelines.has(/** @type {any} */ (this.#guideline))) return false;
      if (this.#format && !facts?.formats.has(this.#format)) return false;
      const text = facts?.words ?? job.name.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const order = ORDERS[this.#order];
    const number = "number" in order ? order.number : this.#placing(jobs, order.compare);
    const numbers = new Map(shown.map((job) => [job, number(job)]));
    shown.sort((a, b) => /** @type {number} */ (numbers.get(a)) - /** @type {number} */ (numbers.get(b)) || a.id - b.id);
    return { shown, items: this.#grouped === "none" ? shown : inGroups(shown, this.#grouped, this.#groups) };
  }

  /**
   * @param {Job[]} jobs all of them
   * @param {(a: Job, b: Job) => number} compare
   * @returns {(job: Job) => number} its place in that order
   */
  #placing(jobs, compare) {
    if (this.#placed.compare !== compare || this.#placed.jobs !== jobs || this.#placed.places.size !== jobs.length) {
      this.#placed = { compare, jobs, places: new Map(jobs.toSorted(compare).map((job, place) => [job, place])) };
    }
    const { places } = this.#placed;
    return (job) => places.get(job) ?? 0;
  }

  /** @param {Job[]} jobs */
  #drawStandings(jobs) {
    /** @type {Record<string, number>} */
    const counts = { all: jobs.length };
    for (const job of jobs) {
      const where = standing(job);
      counts[where] = (counts[where] ?? 0) + 1;
    }
    if (!counts[this.#standing]) this.#standing = "all";
    const wanted = STANDINGS.filter((id) => id === "all" || counts[id]);
    const { standings } = this.#parts;
    // The buttons are kept while they are the same, so that the focus stays.
    const key = wanted.join(" ");
    if (standings.dataset.key !== key) {
      standings.dataset.key = key;
      refill(standings, wanted.map((id) => {
        const verdict = VERDICTS.find((one) => one === id);
        return h("button.filter", { type: "button", "data-filter": id, click: () => this.#ask(() => { this.#standing = id; }) },
          verdict ? icon(verdict) : null, h("span", {}, verdict ? say(`verdict.${verdict}.name`) : say(`list.show.${id}`)), " ", h("span.count"));
      }));
    }
    for (const button of standings.children) {
      const id = button.dataset.filter;
      button.setAttribute("aria-pressed", String(id === this.#standing));
      button.lastElementChild.textContent = count(counts[id]);
    }
  }

  /** @param {Job[]} jobs */
  #drawTools(jobs) {
    const { tools, format } = this.#parts;
    // One file alone needs no search.
    tools.hidden = jobs.length < 2;
    const { rules, formats } = this.#desk;
    const present = this.#present;
    if (!jobs.length) present.clear();
    for (const { report } of jobs) {
      if (!report || this.#seen.has(report)) continue;
      this.#seen.add(report);
      for (const id of factsOf(report, rules, formats).formats) present.add(id);
    }
    if (format.dataset.formats !== String(present.size)) {
      format.dataset.formats = String(present.size);
      const named = [...present].map((id) => ({ id, name: formats.get(id) ?? id })).sort((a, b) => inOrder(a.name, b.name));
      refill(format, h("option", { value: "" }, say("list.format.all")), named.map(({ id, name }) => h("option", { value: id }, name)));
      if (!present.has(this.#format)) this.#format = "";
      format.value = this.#format;
    }
  }

  #made() {
    const select = (/** @type {string} */ label, /** @type {Child[]} */ options, /** @type {string} */ value, /** @type {(value: any) => void} */ chosen) => {
      const element = h("select", { change: () => this.#ask(() => chosen(element.value)) }, options);
      element.value = value;
      return { element, field: h("label.field", {}, h("span", {}, label), element) };
    };
    const search = h("input", {
      type: "search", autocomplete: "off", spellcheck: "false", placeholder: say("list.search.hint"), "aria-keyshortcuts": "/",
      input: () => this.#ask(() => { this.#words = search.value; }),
      keydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape" || !search.value) return;
        event.preventDefault();
        search.value = "";
        this.#ask(() => { this.#words = ""; });
      },
    });
    search.value = this.#words ?? "";
    const guideline = select(say("list.guideline"),
      [h("option", { value: "" }, say("list.guideline.all")), GUIDELINES.map((id) => h("option", { value: id }, say(`verdict.guideline.${id}.name`)))],
      this.#guideline, (value) => { this.#guideline = value; });
    const format = select(say("list.format"), [h("option", { value: "" }, say("list.format.all"))], "", (value) => { this.#format = value; });
    const order = select(say("list.order"), Object.keys(ORDERS).map((id) => h("option", { value: id }, say(`list.order.${id}`))),
      this.#order, (value) => { this.#order = value; });
    const grouped = select(say("list.group"), GROUPED.map((id) => h("option", { value: id }, say(`list.group.${id}`))),
      this.#grouped, (value) => { this.#grouped = value; });
    return {
      search, guideline: guideline.element, format: format.element, grouped: grouped.element,
      standings: h("div.filters", { role: "group", "aria-label": say("list.show") }),
      tools: h("div.tools", { hidden: true, role: "search", "aria-label": say("list.search.name") },
        h("label.field.search", {}, h("span", {}, say("list.search")), search),
        guideline.field, format.field, order.field, grouped.field),
    };
  }

  /** @param {() => void} change */
  #ask(change) {
    change();
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Worst first; files at work before those that are well, the waiting ones last.
 * @param {Job} job
 */
function rank(job) {
  if (job.state === "waiting") return 6;
  if (job.report && verdictOf(job.report) === "code") return 0;
  if (job.state !== "done") return 2;
  return ["code", "caution", "", "unfinished", "just-data"].indexOf(standing(job));
}

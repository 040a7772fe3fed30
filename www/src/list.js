// The files: how far they are, what was found in all of them, and a row for each.

import { h, refill } from "./dom.js";
import { standing } from "./facts.js";
import { Group, GroupRow, foldersAbove } from "./groups.js";
import { duration, list, say, size } from "./language.js";
import { Row } from "./row.js";
import { Rows } from "./rows.js";
import { SAVED_AS, formatName } from "./save.js";
import { settings } from "./settings.js";
import { Sieve } from "./sieve.js";
import { GUIDELINES, VERDICTS } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./queue.js").Queue} Queue */
/** @typedef {import("./voice.js").Voice} Voice */
/** @typedef {import("./contract").Reference} Reference */
/** @typedef {import("./contract").ReportFormat} ReportFormat */
/** @typedef {import("./contract").Rule} Rule */

/**
 * What the list needs from the element that it is in.
 * @typedef {object} Desk
 * @property {Map<string, Rule>} rules
 * @property {Map<string, string>} formats id to name
 * @property {(job: Job) => void} cancel
 * @property {() => void} cancelAll
 * @property {(pause: boolean) => void} pause
 * @property {(jobs: Job[]) => void} again
 * @property {() => void} clear
 * @property {(jobs: Job[], format: ReportFormat) => void} save
 * @property {(jobs: Job[], button: HTMLElement) => void} copy
 * @property {(job: Job, task: import("./contract").Look) => Promise<any>} look has a closer look at a layer
 * @property {(job: Job, signal: AbortSignal, pulse: (done: number, total: number) => void) => Promise<string>} hash
 * @property {() => string} version of the core
 * @property {() => { rules: string | null, problems: boolean }} page what the page around has: an address of the rules, and whether it takes problems
 */

/** Least time between two drawings of the list, in milliseconds. */
const BETWEEN_DRAWINGS = 120;
/** At most this part of the time goes into drawing, so that there is always room for the person's own doings. */
const PART_FOR_DRAWING = 1 / 8;

export class FileList {
  element = h("div.all", { part: "list" });
  #queue;
  #voice;
  #desk;
  #sieve;
  /** @type {Rows<Job | Group>} */
  #rows;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #drawing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ticking;
  /** How long the last drawing took, in milliseconds. */
  #cost = 0;
  #clock = new Clock();
  /** How many files are shown, of how many. */
  #amounts = { shown: 0, count: 0 };
  /** The folders that the headings above the rows name. @type {Map<Job, string>} */
  #above = new Map();
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
    this.#sieve = new Sieve(desk);
    this.#sieve.addEventListener("change", () => {
      this.draw();
      this.#voice.settle("list.part", this.#amounts);
    });
    this.#rows = new Rows((item) => (item instanceof Group ? new GroupRow(item, () => this.draw()) : new Row(item, desk, (job) => this.#above.get(job) ?? "")));
    queue.addEventListener("change", () => this.#soon());
    queue.addEventListener("quiet", () => this.#quiet());
  }

  /** @param {AbortSignal} signal ends it */
  listen(signal) {
    this.#rows.listen(signal);
  }

  /** @param {Reference} reference */
  learn({ rules, formats }) {
    for (const rule of rules) this.#desk.rules.set(rule.id, rule);
    for (const format of formats) this.#desk.formats.set(format.id, format.name);
  }

  /** Files are about to come: if there is nothing to do yet, the clock starts. */
  start() {
    if (!this.#queue.open) this.#clock.start();
  }

  /** Shows all files again. */
  clear() {
    this.#sieve.clear();
    this.draw();
  }

  /** @returns {boolean} whether there is a search to go to */
  search() {
    return this.#sieve.focus();
  }

  /** Makes everything anew, in the language that is spoken and by the settings that are made. */
  build() {
    const opened = this.#rows.opened;
    this.#rows.clear();
    this.#sieve.build();
    this.#parts = this.#made();
    const { summary, none } = this.#parts;
    refill(this.element, summary, none, this.#rows.element);
    this.draw();
    for (const job of opened) this.#rows.open(job);
  }

  #made() {
    const button = (/** @type {string} */ key, /** @type {() => void} */ click) => h("button", { type: "button", click }, say(key));
    const title = h("h2");
    const bar = h("progress", { max: 1, value: 0, "aria-label": say("list.progress") });
    const pace = h("p.pace");
    const pause = button("list.pause", () => this.#desk.pause(!this.#queue.paused));
    const cancelAll = button("list.cancel-all", () => this.#desk.cancelAll());
    const again = button("list.again", () => this.#desk.again(this.#queue.jobs));
    const clear = button("list.clear", () => this.#desk.clear());
    const copyAll = button("answer.copy", () => this.#desk.copy(this.#queue.jobs, copyAll));
    const saves = SAVED_AS.map((kind) =>
      h("button", { type: "button", "data-format": kind.format, click: () => this.#desk.save(this.#queue.jobs, kind.format) },
        say("answer.save", { format: formatName(kind) })));
    const saving = h("div.buttons.saving", {}, h("span.quiet", {}, say("list.all-results")), copyAll, saves);
    const all = h("button.link", { type: "button", click: () => this.clear() }, say("list.show-all"));
    const some = h("span");
    const part = h("p.part", { hidden: true }, some, " ", all);
    const weighed = h("p.weighed", { hidden: true });
    return {
      title, bar, pace, pause, cancelAll, again, saving, part, some, weighed,
      none: h("p.none", { hidden: true }, say("list.none")),
      summary: h("section.summary", { hidden: true, "aria-label": say("list.name") },
        h("div.titled", {}, title, h("div.buttons", {}, pause, cancelAll, again, clear)),
        h("div.whole", {}, bar, pace),
        weighed,
        saving,
        this.#sieve?.elements,
        part),
    };
  }

  #quiet() {
    this.#clock.stop();
    this.draw();
    const jobs = this.#queue.jobs;
    if (jobs.length === 1) this.#rows.open(jobs[0]);
    this.#voice.say("list.sum", this.#sum());
  }

  #soon() {
    this.#drawing ??= setTimeout(() => this.draw(), Math.max(BETWEEN_DRAWINGS, this.#cost / PART_FOR_DRAWING));
  }

  draw() {
    clearTimeout(this.#drawing);
    clearTimeout(this.#ticking);
    this.#drawing = undefined;
    const start = performance.now();
    this.#rows.look();
    const { summary, none, part, some } = this.#parts;
    const jobs = this.#queue.jobs;
    summary.hidden = this.#rows.element.hidden = !jobs.length;
    this.#drawSummary();
    const { shown, items } = this.#sieve.through(jobs);
    none.hidden = shown.length > 0 || !jobs.length;
    part.hidden = shown.length === jobs.length;
    this.#amounts = { shown: shown.length, count: jobs.length };
    refill(some, say("list.part", this.#amounts));
    this.#above = foldersAbove(items);
    this.#rows.show(items);
    if (this.#queue.open) {
      this.#voice.mention("list.sum", this.#sum());
      // Keeps the rate, the time left and a long silence up to date when nothing is heard.
      this.#ticking = setTimeout(() => this.draw(), 1000);
    }
    this.#cost = performance.now() - start;
  }

  #drawSummary() {
    const { title, bar, pace, pause, cancelAll, again, saving, weighed } = this.#parts;
    const { jobs, open, paused } = this.#queue;
    const amounts = { done: jobs.length - open, count: jobs.length };
    refill(title, say(!open ? "list.checked" : paused ? "list.paused" : "list.checking", amounts));
    pause.textContent = say(paused ? "list.resume" : "list.pause");
    pause.hidden = cancelAll.hidden = !open;
    again.hidden = saving.hidden = open > 0;

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
    this.#clock.running = open > 0 && !paused;
    refill(pace, open ? this.#pace(done, whole) : say("list.took", { size: size(bytes), time: duration(this.#clock.seconds) }));

    const { weigh, strict } = settings.choices;
    const left = GUIDELINES.filter((guideline) => !weigh.includes(guideline));
    weighed.hidden = !left.length && !strict.length;
    refill(weighed, left.length
      ? say("list.weighed-without", { guidelines: list(left.map((guideline) => say(`verdict.guideline.${guideline}.name`))) })
      : say("list.weighed-stricter"));
  }

  /**
   * @param {number} done
   * @param {number} whole
   */
  #pace(done, whole) {
    if (this.#queue.paused) return say("list.paused-explained");
    const rate = this.#clock.rate(done);
    if (rate < 1) return say("list.starting");
    return say("list.pace", { rate: size(rate), left: duration((whole - done) / rate) });
  }

  /** The state of things, for a screen reader. */
  #sum() {
    const { jobs, open } = this.#queue;
    /** @type {Record<string, number>} */
    const counts = {};
    for (const job of jobs) counts[standing(job)] = (counts[standing(job)] ?? 0) + 1;
    const found = VERDICTS.filter((verdict) => counts[verdict]).map((verdict) => say(`verdict.${verdict}.counted`, { count: counts[verdict] }));
    return { done: jobs.length - open, count: jobs.length, found: list(found.length ? found : [say("list.nothing-yet")]) };
  }
}

/** Time that was spent, without pauses, and the rate of the last few seconds. */
class Clock {
  #spent = 0;
  /** When it was last set going; 0 while it stands. */
  #since = 0;
  /** @type {{ at: number, done: number }[]} */
  #pace = [];

  start() {
    this.#spent = 0;
    this.#since = performance.now();
    this.#pace = [];
  }

  stop() {
    this.running = false;
  }

  /** @param {boolean} running */
  set running(running) {
    if (running === this.#since > 0) return;
    const now = performance.now();
    if (!running) this.#spent += now - this.#since;
    this.#since = running ? now : 0;
    this.#pace = [];
  }

  get seconds() {
    return (this.#spent + (this.#since && performance.now() - this.#since)) / 1000;
  }

  /**
   * @param {number} done bytes until now
   * @returns {number} bytes per second; 0 while that is not known
   */
  rate(done) {
    const now = performance.now();
    this.#pace.push({ at: now, done });
    while (this.#pace.length > 2 && now - this.#pace[0].at > 8000) this.#pace.shift();
    const [first] = this.#pace;
    const seconds = (now - first.at) / 1000;
    return seconds > 0.8 ? Math.max(0, done - first.done) / seconds : 0;
  }
}

// One file in the list: its sign, its verdict, its name, and its result when it is opened.

import { h, refill } from "./dom.js";
import { otherwise, verdictOf } from "./facts.js";
import { icon } from "./icons.js";
import { duration, parts, say, share, size, told } from "./language.js";
import { headline, resultView } from "./result.js";
import { SAVED_AS, formatName } from "./save.js";
import { visible } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./list.js").Desk} Desk */

/** Silence of this many milliseconds is told to the user. */
const SILENCE = 20_000;

/** What is said of a file that has no verdict yet. */
const STANDS = /** @type {const} */ ({ waiting: "waiting", reading: "checking", searching: "so-far", done: "waiting" });

export class Row {
  #job;
  #desk;
  #sign = h("span.sign");
  #verdict = h("span.verdict");
  #said = h("span.said");
  #amount = h("span.amount");
  #file;
  #progress = h("progress", { max: 1, value: 0 });
  #running;
  #doing = h("p.doing");
  #detail;
  #name = h("bdi.name");
  #above;
  /** What is drawn, so that nothing is drawn twice. */
  #drawn = "";
  #shown = /** @type {unknown} */ (null);

  /**
   * @param {Job} job
   * @param {Desk} desk
   * @param {(job: Job) => string} above the folder that a heading above the row names
   */
  constructor(job, desk, above) {
    this.#job = job;
    this.#desk = desk;
    this.#above = above;
    const name = visible(job.name);
    this.#detail = h("div.detail", { id: `file-${job.id}`, hidden: true, role: "region", "aria-label": say("list.row.result", { name }) });
    this.toggle = h("button.toggle", {
      type: "button", "aria-expanded": "false", "aria-controls": `file-${job.id}`, click: () => this.open(!this.opened),
    },
      this.#sign,
      h("span.words", {}, this.#verdict, this.#name, this.#said),
      this.#amount,
      icon("chevron"));
    this.#name.title = name;
    this.#progress.setAttribute("aria-label", say("list.row.progress", { name }));
    this.#running = h("div.running", { hidden: true }, this.#progress, this.#doing,
      h("button.cancel", { type: "button", "aria-label": say("list.row.cancel-this", { name }), click: () => desk.cancel(job) }, say("list.row.cancel")));
    this.#file = h("div.file", {}, h("h3.row", {}, this.toggle), this.#running, this.#detail);
    this.element = h("li.slot", {}, this.#file);
    this.draw();
  }

  get opened() {
    return !this.#detail.hidden;
  }

  /** @param {boolean} open */
  open(open) {
    if (open === this.opened || (open && !this.#job.report)) return;
    this.#detail.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
    this.#fill();
  }

  draw() {
    const job = this.#job;
    const { report, state } = job;
    const above = this.#above(job);
    const name = visible(above && job.name.startsWith(`${above}/`) ? job.name.slice(above.length + 1) : job.name);
    if (this.#name.textContent !== name) refill(this.#name, name);
    const running = state === "reading" || state === "searching";
    const worst = report && verdictOf(report);
    const verdict = worst && (state === "done" || worst === "code" || worst === "caution") ? worst : null;
    const sign = verdict ?? (running ? "busy" : "waiting");
    const key = `${sign} ${state} ${job.round}`;
    if (key !== this.#drawn || report !== this.#shown) {
      this.#drawn = key;
      this.#shown = report;
      this.#file.dataset.verdict = verdict ?? "";
      this.#file.dataset.state = state;
      refill(this.#sign, icon(sign));
      refill(this.#verdict, say(verdict ? `verdict.${verdict}.name` : `list.row.${STANDS[state]}`));
      const other = report && otherwise(report);
      refill(this.#said, other ? told([other]) : report ? headline(report, this.#desk.rules, this.#desk.formats) : "");
      refill(this.#amount, size(report?.size ?? job.size));
      // Not `disabled`: the arrow keys come past it, and the focus stays when it is checked again.
      this.toggle.setAttribute("aria-disabled", String(!report));
      this.#running.hidden = state === "done";
      if (state === "waiting") {
        this.#progress.value = 0;
        refill(this.#doing, say("list.row.turn"));
      }
      if (!report) this.open(false);
      this.#fill();
    }
    if (running) this.#drawProgress();
  }

  #drawProgress() {
    const job = this.#job;
    this.#progress.value = job.progress;
    const silent = performance.now() - job.heard;
    const what = job.state === "searching" ? searching(job) : [say("list.row.reading")];
    const much = job.total > 0 ? ` · ${share(job.done, job.total)}` : "";
    const quiet = silent > SILENCE ? ` · ${say("list.row.silent", { time: duration(silent / 1000) })}` : "";
    refill(this.#doing, what, much, quiet);
  }

  #fill() {
    if (!this.opened || !this.#job.report) {
      this.#detail.replaceChildren();
      return;
    }
    refill(this.#detail, resultView(this.#job, this.#desk, this.#actions()));
  }

  #actions() {
    const desk = this.#desk;
    const jobs = [this.#job];
    if (this.#job.state !== "done") return [];
    const copy = h("button", { type: "button", click: () => desk.copy(jobs, copy) }, say("answer.copy"));
    return [
      copy,
      ...SAVED_AS.map((kind) =>
        h("button", { type: "button", click: () => desk.save(jobs, kind.format) }, say("answer.save", { format: formatName(kind) }))),
      h("button", { type: "button", click: () => desk.again(jobs) }, say("answer.again")),
    ];
  }
}

/**
 * What is still looked through, and what the core calls it: "Still looking through 4.9 GiB: pixels".
 * @param {Job} job
 */
function searching({ report, total, done }) {
  const first = report?.pending?.[0];
  const row = first && report?.layers[first.layer]?.map?.find(([start, end]) => start <= first.offset && first.offset < end);
  const left = size(Math.max(0, total - done));
  return row?.[3]
    ? parts("list.row.searching", { left, what: h("span", { lang: "en" }, visible(row[3])) })
    : [say("list.row.searching-all", { left })];
}

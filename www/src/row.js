// One file in the list: its sign, its verdict, its name, and its result when it is opened.

import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { headline, resultView } from "./result.js";
import { duration, say, share, size } from "./language.js";
import { SAVED_AS, formatName } from "./save.js";
import { visible } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./list.js").Desk} Desk */

/** Silence of this many milliseconds is told to the user. */
const SILENCE = 20_000;

export class Row {
  #job;
  #desk;
  #sign = h("span.sign");
  #verdict = h("span.verdict");
  #said = h("span.said");
  #amount = h("span.amount");
  #toggle;
  #progress = h("progress", { max: 1, value: 0 });
  #cancel;
  #doing = h("p.doing");
  #detail;
  /** What is drawn, so that nothing is drawn twice. */
  #drawn = "";
  #shown = /** @type {unknown} */ (null);

  /**
   * @param {Job} job
   * @param {Desk} desk
   */
  constructor(job, desk) {
    this.#job = job;
    this.#desk = desk;
    const name = visible(job.name);
    this.#detail = h("div.detail", { id: `file-${job.id}`, hidden: true, role: "region", "aria-label": say("list.row.result", { name }) });
    this.#toggle = h("button.toggle", {
      type: "button", "aria-expanded": "false", "aria-controls": `file-${job.id}`, click: () => this.open(!this.opened),
    },
      this.#sign,
      h("span.words", {}, this.#verdict, h("bdi.name", { title: name }, name), this.#said),
      this.#amount,
      icon("chevron"));
    this.#progress.setAttribute("aria-label", say("list.row.progress", { name }));
    this.#cancel = h("button.cancel", { type: "button", "aria-label": say("list.row.cancel-this", { name }), click: () => desk.cancel(job) }, say("list.row.cancel"));
    this.element = h("li.file", {},
      h("h3.row", {}, this.#toggle),
      h("div.running", { hidden: true }, this.#progress, this.#doing, this.#cancel),
      this.#detail);
    this.draw();
  }

  get opened() {
    return !this.#detail.hidden;
  }

  /** @param {boolean} open */
  open(open) {
    if (open && !this.#job.report) return;
    this.#detail.hidden = !open;
    this.#toggle.setAttribute("aria-expanded", String(open));
    this.#fill();
  }

  focus() {
    this.#toggle.focus();
  }

  draw() {
    const job = this.#job;
    const { report, state } = job;
    const running = state === "reading" || state === "searching";
    const verdict = report && (state === "done" || report.verdict === "code") ? report.verdict : null;
    const sign = verdict ?? (running ? "busy" : "waiting");
    const key = `${sign} ${state} ${job.round}`;
    if (key !== this.#drawn || report !== this.#shown) {
      this.#drawn = key;
      this.#shown = report;
      this.element.dataset.verdict = verdict ?? "";
      this.element.dataset.state = state;
      refill(this.#sign, icon(sign));
      refill(this.#verdict, verdict ? say(`verdict.${verdict}.name`) : say(running ? "list.row.checking" : "list.row.waiting"));
      refill(this.#said, report ? headline(report, this.#desk.rules, this.#desk.formats) : "");
      refill(this.#amount, size(report?.size ?? job.size));
      this.#toggle.toggleAttribute("disabled", !report);
      this.element.querySelector(".running").hidden = state === "done";
      if (!report) this.open(false);
      else this.#fill();
    }
    if (running) this.#drawProgress();
    else if (state === "waiting") {
      this.#progress.value = 0;
      refill(this.#doing, say("list.row.turn"));
    }
  }

  #drawProgress() {
    const job = this.#job;
    this.#progress.value = job.progress;
    const silent = performance.now() - job.heard;
    const what = say(job.state === "searching" ? "list.row.searching" : "list.row.reading");
    const much = job.total > 0 ? ` · ${share(job.done, job.total)}` : "";
    const quiet = silent > SILENCE ? ` · ${say("list.row.silent", { time: duration(silent / 1000) })}` : "";
    const text = `${what}${much}${quiet}`;
    if (this.#doing.textContent !== text) refill(this.#doing, text);
  }

  #fill() {
    if (!this.opened || !this.#job.report) {
      this.#detail.replaceChildren();
      return;
    }
    refill(this.#detail, resultView(this.#job, { rules: this.#desk.rules, formats: this.#desk.formats, actions: this.#actions() }));
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

// What belongs together in the list: the files of a folder, or those that the core says are of one series.

import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { standing } from "./facts.js";
import { say, size } from "./language.js";
import { VERDICTS, visible } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */

/** How files may be put together. */
export const GROUPED = /** @type {const} */ (["none", "folder", "series"]);

/** Files that belong together. */
export class Group {
  folded = false;
  /** @type {Job[]} */
  jobs = [];

  /** @param {string} name of the folder, or of the series */
  constructor(name) {
    this.name = name;
  }
}

/**
 * @param {Job} job
 * @returns {string} the folders of its name; empty where it has none
 */
export function folderOf(job) {
  return job.name.slice(0, Math.max(0, job.name.lastIndexOf("/")));
}

/**
 * @param {Job} job
 * @param {typeof GROUPED[number]} grouped
 * @returns {{ id: string, name: string }}
 */
export function groupOf(job, grouped) {
  const folder = folderOf(job);
  if (grouped === "series" && job.report?.series) return { id: likenessOf(job.report, folder), name: folder };
  return { id: `folder ${folder}`, name: folder };
}

/**
 * What the files of a series share that are one line in the list: slices that differ stand apart.
 * @param {import("./contract").FileReport} report
 * @param {string} folder
 */
function likenessOf({ series, verdict, findings, layers }, folder) {
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort();
  const stops = [...new Set(layers.flatMap((layer) => layer.stops.map(({ kind }) => kind)))].sort();
  return JSON.stringify([series, folder, verdict, rules, stops]);
}

/** The row of a group. */
export class GroupRow {
  #group;
  #name = h("bdi.name");
  #sum = h("span.said");

  /**
   * @param {Group} group
   * @param {() => void} changed when it is folded or unfolded
   */
  constructor(group, changed) {
    this.#group = group;
    this.toggle = h("button.toggle", { type: "button", click: () => this.open(this.#group.folded) },
      icon("chevron"), h("span.words", {}, this.#name, this.#sum));
    this.element = h("li.slot.group", {}, h("h3.row", {}, this.toggle));
    this.changed = changed;
    this.draw();
  }

  /** It is cheap to make anew: the list need not keep it. */
  get opened() {
    return false;
  }

  /** @param {boolean} open */
  open(open) {
    if (this.#group.folded !== open) return;
    this.#group.folded = !open;
    this.draw();
    this.changed();
  }

  draw() {
    const { name, jobs, folded } = this.#group;
    this.toggle.setAttribute("aria-expanded", String(!folded));
    refill(this.#name, visible(name) || say("list.group.unnamed"));
    const found = VERDICTS.map((verdict) => [verdict, jobs.filter((job) => standing(job) === verdict).length])
      .flatMap(([verdict, count]) => (count ? [say(`verdict.${verdict}.counted`, { count: Number(count) })] : []));
    const bytes = jobs.reduce((sum, job) => sum + job.size, 0);
    const sum = [say("list.files", { count: jobs.length }), size(bytes), ...found].join(" · ");
    if (this.#sum.textContent !== sum) refill(this.#sum, sum);
  }
}

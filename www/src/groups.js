// What belongs together in the list: the slices of a series that say the same, a header and its values, or the files of
// a folder.

import { h, refill } from "./dom.js";
import { icon } from "./icons.js";
import { standing } from "./facts.js";
import { say, size } from "./language.js";
import { VERDICTS, visible } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */

/** How files may be put together. */
export const GROUPED = /** @type {const} */ (["items", "folder", "none"]);

/** Files that belong together. */
export class Group {
  /** @type {Job[]} */
  jobs = [];

  /**
   * @param {string} name of the folder, of the header, or of the folder of a series
   * @param {string} folder in which all its files are
   * @param {boolean} folded
   */
  constructor(name, folder, folded) {
    this.name = name;
    this.folder = folder;
    this.folded = folded;
  }
}

/**
 * @param {{ name: string }} job
 * @returns {string} the folders of its name; empty where it has none
 */
export function folderOf(job) {
  return job.name.slice(0, Math.max(0, job.name.lastIndexOf("/")));
}

/**
 * The files in the order in which they are given, those that belong together as one group where the first of them stands.
 * @param {Job[]} jobs
 * @param {typeof GROUPED[number]} grouped
 * @param {Map<string, Group>} known groups that were shown, so that a folded one stays so
 * @returns {(Job | Group)[]}
 */
export function inGroups(jobs, grouped, known) {
  const headers = new Set(jobs.map(({ report }) => report?.part_of).filter(Boolean));
  /** @type {Map<string, Group>} */
  const groups = new Map();
  /** @type {(Job | Group)[]} */
  const items = [];
  for (const job of jobs) {
    const of = grouped === "folder" ? { id: `folder ${folderOf(job)}`, name: folderOf(job) } : itemOf(job, headers);
    if (!of) {
      items.push(job);
      continue;
    }
    let group = groups.get(of.id);
    if (!group) {
      group = known.get(of.id) ?? new Group(of.name, folderOf(job), grouped === "items");
      group.jobs = [];
      groups.set(of.id, group);
      known.set(of.id, group);
      items.push(group);
    }
    group.jobs.push(job);
  }
  return items.flatMap((item) => {
    if (!(item instanceof Group)) return [item];
    // A slice whose like is not shown is a file like any other.
    if (grouped === "items" && item.jobs.length === 1) return item.jobs;
    return [item, ...(item.folded ? [] : item.jobs)];
  });
}

/**
 * @param {(Job | Group)[]} items in their order
 * @returns {Map<Job, string>} the folders that need not be said again: those of the headings above the files
 */
export function foldersAbove(items) {
  const above = new Map();
  let folder = "";
  let left = 0;
  for (const item of items) {
    if (item instanceof Group) [folder, left] = [item.folder, item.folded ? 0 : item.jobs.length];
    else if (left > 0) {
      above.set(item, folder);
      left -= 1;
    }
  }
  return above;
}

/**
 * @param {Job} job
 * @param {Set<string | undefined>} headers of files that hold nothing but values
 * @returns {{ id: string, name: string } | null} what it is a part of, if anything
 */
function itemOf({ name, report }, headers) {
  const header = report?.part_of ?? (headers.has(name) ? name : undefined);
  if (header) return { id: `pair ${header}`, name: header };
  const folder = folderOf({ name });
  return report?.series ? { id: likenessOf(report, folder), name: folder } : null;
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

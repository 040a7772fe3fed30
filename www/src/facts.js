// What the list asks of a report: its verdict as the person weighs it, and by what it is found.

import { settings } from "./settings.js";
import { GUIDELINES } from "./wording.js";

/** @typedef {import("./queue.js").Job} Job */
/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./contract").Guideline} Guideline */
/** @typedef {import("./contract").Rule} Rule */
/** @typedef {import("./contract").Verdict} Verdict */

/** @type {WeakMap<FileReport, { by: unknown, verdict: Verdict }>} */
const verdicts = new WeakMap();

/**
 * The verdict by the guidelines that the person weighs and by what they take for checked. It may be milder than that of
 * the core where a guideline does not count, but what the core did not call "just data" is never called so here.
 * @param {FileReport} report
 * @returns {Verdict}
 */
export function verdictOf(report) {
  const by = settings.choices;
  const known = verdicts.get(report);
  if (known?.by === by) return known.verdict;
  const verdict = weighed(report);
  verdicts.set(report, { by, verdict });
  return verdict;
}

/** @param {FileReport} report */
function weighed({ verdict, findings, layers }) {
  const { weigh, strict } = settings.choices;
  if (weigh.length === GUIDELINES.length && !strict.length) return verdict;
  const counted = findings.filter(({ guideline }) => weigh.includes(guideline));
  if (counted.some(({ severity }) => severity === "danger")) return "code";
  if (counted.some(({ severity }) => severity === "warning")) return "caution";
  if (verdict !== "just-data") return "unfinished";
  const doubted =
    (strict.includes("notes") && findings.length > 0) ||
    layers.some(({ coverage }) => (strict.includes("opaque") && coverage.opaque > 0) || (strict.includes("slack") && coverage.slack > 0));
  return doubted ? "unfinished" : verdict;
}

/**
 * Why the verdict is not that of the core.
 * @param {FileReport} report
 * @returns {import("./contract").Words | null}
 */
export function otherwise(report) {
  const verdict = verdictOf(report);
  if (verdict === report.verdict) return null;
  const { weigh } = settings.choices;
  const left = report.findings.filter(({ guideline, severity }) => severity !== "note" && !weigh.includes(guideline));
  return left.length ? { key: "verdict.not-weighed", values: { count: left.length } } : { key: "verdict.stricter" };
}

/**
 * By what a file is found.
 * @typedef {object} Facts
 * @property {Set<Guideline>} guidelines that a finding concerns
 * @property {Set<string>} formats of all its layers
 * @property {string} words in lower case: names, rules, formats
 */

/** @type {WeakMap<FileReport, Facts>} */
const facts = new WeakMap();

/**
 * @param {FileReport} report
 * @param {Map<string, Rule>} rules
 * @param {Map<string, string>} names of the formats
 * @returns {Facts}
 */
export function factsOf(report, rules, names) {
  let known = facts.get(report);
  if (!known) {
    const serious = report.findings.filter(({ severity }) => severity !== "note");
    const formats = new Set(report.layers.flatMap((layer) => layer.formats));
    const found = new Set(report.findings.map(({ rule }) => rule));
    const words = [
      report.path,
      ...[...formats].flatMap((id) => [id, names.get(id) ?? ""]),
      ...[...found].flatMap((id) => [id, rules.get(id)?.title ?? ""]),
    ];
    known = { guidelines: new Set(serious.map(({ guideline }) => guideline)), formats, words: words.join("\n").toLowerCase() };
    facts.set(report, known);
  }
  return known;
}

/**
 * @param {Job} job
 * @returns {Verdict | "open"} where it belongs in the list
 */
export function standing(job) {
  return job.state === "done" && job.report ? verdictOf(job.report) : "open";
}

// The answer for one file: a sentence, then what, where, why, and what to do, for the person and for whoever sent it.

import { h } from "./dom.js";
import { parts, say } from "./language.js";
import { english, kindOfFile, ordered, path, ruleAddress, sentence, stopped } from "./telling.js";
import { place, visible } from "./wording.js";

/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").Rule} Rule */
/** @typedef {import("./queue.js").Job} Job */

/**
 * In one sentence what is the matter with the file; of one that is just data, what it is.
 * @param {FileReport} report
 * @param {Map<string, Rule>} rules
 * @param {Map<string, string>} formats
 * @returns {import("./dom.js").Child}
 */
export function headline(report, rules, formats) {
  const worst = worstOf(report);
  if (worst) return english(sentence(rules.get(worst.rule)?.title ?? worst.message));
  if (report.pending?.length) return say("answer.searching.said");
  const unread = report.layers.find(({ stops }) => stops.length);
  if (report.verdict === "unfinished" && unread) {
    return [unread.parent === null ? "" : `${visible(unread.name)}: `, stopped(unread.stops[0])];
  }
  if (report.verdict === "just-data") {
    return report.size ? kindOfFile(report, formats) || say("verdict.just-data.says") : say("answer.empty");
  }
  return say(`verdict.${report.verdict}.says`);
}

/**
 * @param {Job} job
 * @param {object} context
 * @param {Map<string, Rule>} context.rules
 * @param {Map<string, string>} context.formats
 * @param {string | null} context.rulesAt the address of the rules, where the page has them
 * @param {((finding: Finding) => void) | null} context.show shows a finding among the bytes
 * @returns {HTMLElement}
 */
export function answerOf(job, { rules, formats, rulesAt, show }) {
  const report = /** @type {FileReport} */ (job.report);
  const worst = worstOf(report);
  const searching = job.state === "searching";
  return h(`section.answer.${report.verdict}`, {},
    searching ? h("p.provisional", {}, say("answer.searching.explained")) : null,
    searching && report.verdict === "unfinished" ? null : h("p.sentence", {}, sentenceOf(report, worst)),
    worst ? ofFinding(report, worst, { rules, rulesAt, show }) : searching ? null : ofFile(report, formats));
}

/**
 * @param {FileReport} report
 * @param {Finding} worst
 * @param {{ rules: Map<string, Rule>, rulesAt: string | null, show: ((finding: Finding) => void) | null }} context
 */
function ofFinding(report, worst, { rules, rulesAt, show }) {
  const rule = rules.get(worst.rule);
  const others = report.findings.filter(({ severity }) => severity !== "note").length - 1;
  const broken = [...new Set(ordered(report.findings).filter(({ severity }) => severity !== "note").map(({ guideline }) => guideline))];
  const kind = kindOf(worst);
  return h("dl.four", {},
    h("dt", {}, say("answer.what")),
    h("dd", {},
      h("p", {}, h("strong", {}, english(sentence(rule?.title ?? worst.rule)))),
      h("p.message", {}, h("bdi", { lang: "en" }, visible(worst.message))),
      broken.map((guideline) => h("p.breach", {}, parts("answer.concerned", {
        guideline: h("strong", {}, say(`verdict.guideline.${guideline}.name`)), breach: say(`verdict.guideline.${guideline}.breach`),
      }))),
      others > 0 ? h("p.quiet", {}, say("answer.others", { count: others })) : null),
    h("dt", {}, say("answer.where")),
    h("dd", {}, h("bdi", {}, visible(worst.place)), ` · ${say("answer.at", { place: place(worst.offset) })} · ${say("amount.bytes", { count: worst.length })} `,
      show ? h("button.link", { type: "button", click: () => show(worst) }, say("answer.show-bytes")) : null),
    rule ? [
      h("dt", {}, say("answer.why")),
      h("dd", { lang: "en" }, rule.why, rulesAt === null ? null : [" ", h("a", { href: ruleAddress(rulesAt, rule.id), lang: "", class: "rule-link" }, say("answer.rule"))]),
    ] : null,
    h("dt", {}, say("answer.advice")),
    h("dd", {},
      h("p", {}, h("span.for", {}, say("answer.for-you")), " ", say(`answer.you.${kind}`), " ", rule ? english(rule.advice) : null),
      h("p", {}, h("span.for", {}, say("answer.for-sender")), " ", say(`answer.sender.${kind}`))));
}

/**
 * @param {FileReport} report
 * @param {Map<string, string>} formats
 */
function ofFile(report, formats) {
  const byId = new Map(report.layers.map((layer) => [layer.id, layer]));
  const unread = report.layers.find(({ stops }) => stops.length);
  const unfinished = report.verdict === "unfinished";
  return h("dl.four", {},
    h("dt", {}, say("answer.what")),
    h("dd", {}, unfinished && unread ? stopped(unread.stops[0]) : report.size ? kindOfFile(report, formats) || say("answer.fact.unknown") : say("answer.empty")),
    unfinished && unread ? [
      h("dt", {}, say("answer.where")),
      h("dd", {}, h("bdi", {}, visible(path(unread, byId))), typeof unread.stops[0].at === "number" ? ` · ${say("answer.at", { place: place(unread.stops[0].at) })}` : ""),
    ] : null,
    h("dt", {}, say("answer.why")),
    h("dd", {}, say(unfinished ? "answer.because.unfinished" : "answer.because.just-data")),
    h("dt", {}, say("answer.advice")),
    h("dd", {},
      h("p", {}, unfinished ? [h("span.for", {}, say("answer.for-you")), " "] : null, say(unfinished ? "answer.you.unfinished" : "answer.you.just-data")),
      unfinished ? h("p", {}, h("span.for", {}, say("answer.for-sender")), " ", say("answer.sender.unfinished")) : null));
}

/**
 * @param {FileReport} report
 * @param {Finding | undefined} worst
 * @returns {string} what opening the file means, for a person who knows nothing of its format
 */
function sentenceOf(report, worst) {
  if (!worst) return say(`verdict.${report.verdict}.says`);
  const kind = kindOf(worst);
  if (kind === "caution") return say(`verdict.${report.verdict}.says`);
  if (kind !== "code") return say(`answer.sentence.${kind}`);
  return say(worst.runs === "on-open" ? "answer.sentence.runs" : "answer.sentence.carries");
}

/**
 * @param {Finding} finding
 * @returns {"caution" | import("./contract").Guideline} what opening the file would break, or that it would break nothing by itself
 */
function kindOf({ severity, guideline, runs }) {
  return severity === "danger" || (guideline !== "code" && runs === "on-open") ? guideline : "caution";
}

/**
 * @param {FileReport} report
 * @returns {Finding | undefined} the worst finding that is more than a note
 */
function worstOf(report) {
  return ordered(report.findings).find(({ severity }) => severity !== "note");
}

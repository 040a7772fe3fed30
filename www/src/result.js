// The result for one file: what was found and what to do about it, what could not be read, what is inside, who owns
// which bytes.

import { coverageOf } from "./coverage.js";
import { h, refill } from "./dom.js";
import { hexLines } from "./hex.js";
import { layerTree, nameOf } from "./layers.js";
import { duration, parts, say, share, size, told } from "./language.js";
import { SEVERITIES, place, visible } from "./wording.js";

/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").Rule} Rule */
/** @typedef {import("./queue.js").Job} Job */

/** Places of one rule that are shown before the user asks for more. */
const SPOTS = 5;
/** Stops that are shown before the user asks for more. */
const STOPPED = 8;

/**
 * In one sentence what is the matter with the file; of one that is just data, what it is.
 * @param {FileReport} report
 * @param {Map<string, Rule>} rules
 * @param {Map<string, string>} formats
 * @returns {import("./dom.js").Child}
 */
export function headline(report, rules, formats) {
  const worst = ordered(report.findings).find(({ severity }) => severity !== "note");
  if (worst) return english(sentence(rules.get(worst.rule)?.title ?? worst.message));
  if (report.pending?.length) return say("answer.searching.said");
  const unread = report.layers.find(({ stops }) => stops.length);
  if (report.verdict === "unfinished" && unread) {
    return [unread.parent === null ? "" : `${visible(unread.name)}: `, stopped(unread.stops[0])];
  }
  if (report.verdict === "just-data") {
    return report.size ? formatNames(report.layers[0], formats) || say("verdict.just-data.says") : say("answer.empty");
  }
  return say(`verdict.${report.verdict}.says`);
}

/**
 * @param {Job} job
 * @param {{ rules: Map<string, Rule>, formats: Map<string, string>, actions: Node[] }} context
 * @returns {HTMLElement}
 */
export function resultView(job, { rules, formats, actions }) {
  const report = /** @type {FileReport} */ (job.report);
  const byId = new Map(report.layers.map((layer) => [layer.id, layer]));
  const holder = h("div.chosen-layer");
  const tree = layerTree(report, (layer) => choose(layer));
  /** @type {ReturnType<typeof coverageOf> | null} */
  let coverage = null;
  /** @type {Layer | null} */
  let current = null;

  const choose = (/** @type {Layer} */ layer) => {
    if (layer === current) return;
    current = layer;
    tree.mark(layer);
    coverage = coverageOf(layer, report.findings.filter((finding) => finding.layer === layer.id), reader(job, layer, byId));
    refill(holder,
      h("h5", {}, parts("answer.bytes-of", { name: h("bdi", {}, visible(nameOf(layer))) }), h("span.quiet", {}, ` · ${say("amount.bytes", { count: layer.len })}`)),
      layer.formats.length ? h("p.quiet", {}, formatNames(layer, formats)) : null,
      coverage.element);
  };
  const show = (/** @type {Finding} */ finding) => {
    const layer = byId.get(finding.layer);
    if (!layer) return;
    choose(layer);
    coverage?.select(finding.offset, finding.offset);
    holder.scrollIntoView({ block: "nearest" });
  };

  const element = h("div.result", {},
    verdictLine(job, report),
    h("div.actions", {}, actions),
    findingsSection(report, rules, show),
    stopsSection(report, byId),
    h("section", {},
      h("h4", {}, say("answer.inside")),
      h("p.quiet", {}, accounted(report)),
      h("div.inside-and-bytes", {}, report.layers.length > 1 ? h("div.tree", {}, tree.element) : null, holder)),
    facts(job, report, formats));
  // The layer with the worst finding first; else the file itself.
  const first = ordered(report.findings)[0];
  choose(byId.get(first && first.severity !== "note" ? first.layer : 0) ?? report.layers[0]);
  return element;
}

/**
 * @param {Job} job
 * @param {FileReport} report
 */
function verdictLine(job, report) {
  const broken = [...new Set(ordered(report.findings).filter(({ severity }) => severity !== "note").map(({ guideline }) => guideline))];
  return h("div.verdict-line", {},
    job.state === "searching"
      ? h("p.provisional", {}, say("answer.searching.explained"))
      : null,
    job.state === "searching" && report.verdict === "unfinished" ? null : h("p", {}, say(`verdict.${report.verdict}.says`)),
    broken.map((guideline) =>
      h("p.breach", {}, parts("answer.concerned", {
        guideline: h("strong", {}, say(`verdict.guideline.${guideline}.name`)), breach: say(`verdict.guideline.${guideline}.breach`),
      }))));
}

/**
 * @param {FileReport} report
 * @param {Map<string, Rule>} rules
 * @param {(finding: Finding) => void} show
 */
function findingsSection(report, rules, show) {
  /** @type {Map<string, Finding[]>} */
  const byRule = new Map();
  for (const finding of ordered(report.findings)) {
    const same = byRule.get(finding.rule);
    if (same) same.push(finding);
    else byRule.set(finding.rule, [finding]);
  }
  if (!byRule.size) return null;
  const groups = [...byRule].map(([id, findings]) => ({ element: ruleGroup(id, findings, rules.get(id), show), note: findings[0].severity === "note" }));
  const serious = groups.filter(({ note }) => !note).map(({ element }) => element);
  const notes = groups.filter(({ note }) => note).map(({ element }) => element);
  return h("section.findings", {},
    h("h4", {}, say("answer.found")),
    serious,
    notes.length
      ? h("details.notes", { open: !serious.length },
          h("summary", {}, say("answer.notes", { count: notes.length })), notes)
      : null);
}

/**
 * @param {string} id
 * @param {Finding[]} findings
 * @param {Rule | undefined} rule
 * @param {(finding: Finding) => void} show
 */
function ruleGroup(id, findings, rule, show) {
  const { severity, guideline, runs } = findings[0];
  const spots = h("ol.spots");
  let shown = 0;
  const more = h("button.link", { type: "button", click: () => grow() });
  const grow = () => {
    const next = findings.slice(shown, shown + (shown ? 50 : SPOTS));
    shown += next.length;
    spots.append(...next.map((finding) => spot(finding, show)));
    more.hidden = shown >= findings.length;
    more.textContent = say("answer.more-places", { count: findings.length - shown });
  };
  grow();
  return h(`article.finding.${severity}`, {},
    h("h5", {}, h(`span.tag.${severity}`, {}, say(`verdict.severity.${severity}`)), " ", english(sentence(rule?.title ?? id))),
    h("p.quiet", {}, `${say(`verdict.guideline.${guideline}.name`)} · ${say(`verdict.runs.${runs}`)} · `, h("code", {}, id), findings.length > 1 ? ` · ${say("answer.places", { count: findings.length })}` : null),
    spots,
    more,
    rule
      ? h("dl.explained", {},
          h("dt", {}, say("answer.why")), h("dd", { lang: "en" }, rule.why),
          h("dt", {}, say("answer.advice")), h("dd", { lang: "en" }, rule.advice),
          rule.see.length ? [h("dt", {}, say("answer.see")), h("dd", {}, rule.see.map((address) => h("div", {}, link(address))))] : null)
      : null);
}

/**
 * @param {Finding} finding
 * @param {(finding: Finding) => void} show
 */
function spot(finding, show) {
  const bytes = fromBase64(finding.excerpt);
  const across = matchMedia("(max-width: 34rem)").matches ? 8 : 16;
  return h("li", {},
    h("p.message", {}, h("bdi", { lang: "en" }, visible(finding.message))),
    h("p.quiet", {}, h("bdi", {}, visible(finding.place)), ` · ${say("answer.at", { place: place(finding.offset) })} · ${say("amount.bytes", { count: finding.length })} `,
      h("button.link", { type: "button", click: () => show(finding) }, say("answer.show-bytes"))),
    bytes.length
      ? h("div.excerpt", { tabindex: 0, role: "group", "aria-label": say("answer.excerpt") },
          hexLines(bytes, finding.offset, { across, marks: [[finding.offset, finding.offset + finding.length]] }))
      : null);
}

/**
 * @param {FileReport} report
 * @param {Map<number, Layer>} byId
 */
function stopsSection(report, byId) {
  const stops = report.layers.flatMap((layer) => layer.stops.map((stop) => ({ layer, stop })));
  if (!stops.length) return null;
  const list = h("ul.stops");
  let shown = 0;
  const more = h("button.link", { type: "button", click: () => grow() });
  const grow = () => {
    const next = stops.slice(shown, shown + (shown ? 100 : STOPPED));
    shown += next.length;
    list.append(...next.map(({ layer, stop }) =>
      h("li", {},
        h("bdi", {}, stopped(stop)),
        h("span.quiet", {}, " · ", h("bdi", {}, visible(path(layer, byId))), typeof stop.at === "number" ? ` · ${say("answer.at", { place: place(stop.at) })}` : ""))));
    more.hidden = shown >= stops.length;
    more.textContent = say("answer.more", { count: stops.length - shown });
  };
  grow();
  return h("section", {}, h("h4", {}, say("answer.unread")), list, more);
}

/**
 * @param {import("./contract").Stop} stop
 * @returns {import("./dom.js").Child} its kind and its reason
 */
function stopped({ kind, message, words }) {
  const name = say(`verdict.stop.${kind}`);
  // Some reasons say no more than their kind, or begin with it.
  if (kind === "unknown-format" || kind === "cancelled") return sentence(name);
  const reason = visible(message).replace(/^(could not be read|encrypted|not decoded): /i, "");
  return parts("verdict.stop.because", { stop: name, reason: words ? told(words) : english(sentence(reason)) });
}

/** @param {FileReport} report */
function accounted(report) {
  const unexplained = report.layers.reduce((sum, { coverage }) => sum + coverage.unexplained, 0);
  const inside = report.layers.length - 1;
  return [
    inside > 0 ? `${say("answer.layers-inside", { count: inside })} ` : "",
    unexplained ? say("answer.unexplained", { count: unexplained }) : say("answer.all-owned"),
  ].join("");
}

/**
 * @param {Job} job
 * @param {FileReport} report
 * @param {Map<string, string>} formats
 */
function facts(job, report, formats) {
  const file = report.layers[0];
  const read = file && file.len ? share(file.len - file.coverage.unexplained, file.len) : null;
  return h("details.facts", {},
    h("summary", {}, say("answer.about")),
    h("dl", {},
      fact(say("answer.fact.size"), say("amount.bytes", { count: report.size })),
      fact(say("answer.fact.format"), (file && formatNames(file, formats)) || say("answer.fact.unknown")),
      read && fact(say("answer.fact.accounted"), read),
      job.started ? fact(say("answer.fact.time"), duration((job.ended - job.started) / 1000)) : null,
      job.memory ? fact(say("answer.fact.memory"), h("span.memory", { "data-bytes": job.memory }, size(job.memory))) : null));
}

/**
 * @param {string} name
 * @param {any} value
 */
function fact(name, value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}

/**
 * @param {Layer} layer
 * @param {Map<string, string>} formats
 */
function formatNames(layer, formats) {
  return layer.formats.map((id) => formats.get(id) ?? id).join(" and ");
}

/**
 * Reads the bytes of a layer from the file, if they lie there as they are.
 * @param {Job} job
 * @param {Layer} layer
 * @param {Map<number, Layer>} byId
 * @returns {((offset: number, length: number) => Promise<Uint8Array>) | null}
 */
function reader(job, layer, byId) {
  const { file } = job;
  let start = 0;
  for (let at = layer; at.parent !== null; ) {
    const parent = byId.get(at.parent);
    if (at.offset === null || !at.in_place || !parent) return null;
    start += at.offset;
    at = parent;
  }
  if (!file) return null;
  return async (offset, length) => new Uint8Array(await file.slice(start + offset, start + offset + length).arrayBuffer());
}

/**
 * @param {Layer} layer
 * @param {Map<number, Layer>} byId
 * @returns {string} the names from the file to this layer
 */
function path(layer, byId) {
  const names = [];
  for (let at = /** @type {Layer | undefined} */ (layer); at; at = at.parent === null ? undefined : byId.get(at.parent)) names.unshift(at.name);
  return names.join(" › ");
}

/**
 * @param {Finding[]} findings
 * @returns {Finding[]} worst first
 */
function ordered(findings) {
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/**
 * @param {string} address from the core, never from a file
 * @returns {Node}
 */
function link(address) {
  if (!/^https:\/\//.test(address)) return document.createTextNode(address);
  return h("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, address.replace(/^https:\/\//, ""));
}

/**
 * @param {string} text of the core
 * @returns {HTMLElement}
 */
function english(text) {
  return h("span", { lang: "en" }, text);
}

/** @param {string} text */
function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

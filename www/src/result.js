// The result for one file: the answer, what was found, what could not be read, what is inside and who owns which bytes,
// and the file itself.

import { answerOf } from "./answer.js";
import { coverageOf } from "./coverage.js";
import { h, refill } from "./dom.js";
import { evidenceOf } from "./evidence.js";
import { LayerBytes } from "./layer-bytes.js";
import { layerTree, nameOf } from "./layers.js";
import { duration, say, share, size } from "./language.js";
import { insideOf } from "./map.js";
import { copy } from "./save.js";
import { english, formatNames, kindOfFile, lineage, link, ordered, path, ruleAddress, sentence, stopped } from "./telling.js";
import { place, visible } from "./wording.js";

export { headline } from "./answer.js";

/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./list.js").Desk} Desk */
/** @typedef {import("./queue.js").Job} Job */

/** Places of one rule that are shown before the user asks for more. */
const SPOTS = 5;
/** Stops that are shown before the user asks for more. */
const STOPPED = 8;
/** Companions that are shown before the user asks for more. */
const COMPANIONS = 10;
/** Files up to this size are hashed as soon as their result is looked at. */
const SMALL = 32 * 2 ** 20;

/**
 * @param {Job} job
 * @param {Desk} desk
 * @param {Node[]} actions
 * @returns {HTMLElement}
 */
export function resultView(job, desk, actions) {
  return new Result(job, desk).view(actions);
}

class Result {
  #job;
  #desk;
  #report;
  #byId;
  /** @type {Map<number, LayerBytes>} */
  #bytes = new Map();
  #holder = h("div.chosen-layer");
  #tree;
  /** @type {ReturnType<typeof coverageOf> | null} */
  #coverage = null;
  /** @type {Layer | null} */
  #current = null;

  /**
   * @param {Job} job
   * @param {Desk} desk
   */
  constructor(job, desk) {
    this.#job = job;
    this.#desk = desk;
    this.#report = /** @type {FileReport} */ (job.report);
    this.#byId = new Map(this.#report.layers.map((layer) => [layer.id, layer]));
    this.#tree = layerTree(this.#report, (layer) => this.#enter(layer));
  }

  /** @param {Node[]} actions */
  view(actions) {
    const report = this.#report;
    const { rules, formats } = this.#desk;
    const element = h("div.result", {},
      answerOf(this.#job, { rules, formats, rulesAt: this.#desk.page().rules, show: (finding) => this.#show(finding) }),
      h("div.actions", {}, actions),
      this.#findings(),
      this.#stops(),
      this.#companions(),
      h("section", {},
        h("h4", {}, say("answer.inside")),
        h("p.quiet", {}, accounted(report)),
        h("div.inside-and-bytes", {}, report.layers.length > 1 ? h("div.tree", {}, this.#tree.element) : null, this.#holder)),
      this.#about());
    this.#enter(report.layers[0]);
    return element;
  }

  /** The other files that are opened along with this one, where they were looked for, and whose half this one is. */
  #companions() {
    const { companions = [], part_of: header } = this.#report;
    const told = companions.flatMap(({ name, found, missing }) =>
      found ? [say("answer.companion.found", { name: visible(name) })] : missing ? [say("answer.companion.missing", { name: visible(name) })] : []);
    if (!told.length && !header) return null;
    const rows = told.map((words) => h("li", {}, h("bdi", {}, words)));
    const more = rows.splice(COMPANIONS);
    return h("section.companions", {},
      h("h4", {}, say("answer.companions")),
      header ? h("p", {}, h("bdi", {}, say("answer.companion.part", { name: visible(header) }))) : null,
      rows.length ? h("ul", {}, rows) : null,
      more.length ? h("details", {}, h("summary", {}, say("answer.more", { count: more.length })), h("ul", {}, more)) : null);
  }

  /** @param {Layer} layer */
  #enter(layer) {
    if (layer === this.#current) return;
    const inside = this.#holder.contains(/** @type {Document | ShadowRoot} */ (this.#holder.getRootNode()).activeElement);
    this.#current = layer;
    this.#tree.mark(layer);
    const { formats } = this.#desk;
    this.#coverage = coverageOf({
      layer,
      findings: this.#report.findings.filter((finding) => finding.layer === layer.id),
      inside: insideOf(this.#report, layer),
      bytes: this.#bytesOf(layer),
      enter: (next) => this.#enter(next),
      caption: () => this.#caption(layer),
    });
    const line = lineage(layer, this.#byId);
    refill(this.#holder,
      h("div.crumbs", { role: "group", "aria-label": say("map.way") },
        h("ol", {}, line.map((one, index) => h("li", {}, index < line.length - 1
          ? h("button.link", { type: "button", click: () => this.#enter(one) }, h("bdi", {}, visible(nameOf(one))))
          : h("span", { "aria-current": "true" }, h("bdi", {}, visible(nameOf(one)))))))),
      h("p.quiet", {}, [formatNames(layer, formats), say("amount.bytes", { count: layer.len })].filter(Boolean).join(" · ")),
      this.#coverage.element);
    // Whoever went in from here goes on here.
    if (inside) this.#holder.querySelector(".stage")?.focus();
  }

  /** @param {Finding} finding */
  #show(finding) {
    const layer = this.#byId.get(finding.layer);
    if (!layer) return;
    this.#enter(layer);
    // The picture is drawn with the next frame, and chooses something then.
    requestAnimationFrame(() => {
      this.#coverage?.select(finding.offset, finding.offset + Math.max(finding.length, 1));
      this.#holder.scrollIntoView({ block: "nearest" });
    });
  }

  /**
   * @param {Layer} layer
   * @returns {LayerBytes | null}
   */
  #bytesOf(layer) {
    if (!this.#job.file) return null;
    let bytes = this.#bytes.get(layer.id);
    if (!bytes) this.#bytes.set(layer.id, (bytes = new LayerBytes(this.#job, this.#report, layer, this.#desk.look)));
    return bytes;
  }

  /**
   * @param {Layer} layer
   * @returns {import("./poster.js").Caption}
   */
  #caption(layer) {
    const { rules, formats, version } = this.#desk;
    const worst = ordered(this.#report.findings).find(({ severity }) => severity !== "note");
    const { verdict } = this.#report;
    return {
      verdict, format: formatNames(layer, formats), version: version(), styled: this.#holder,
      answer: worst ? sentence(rules.get(worst.rule)?.title ?? worst.rule) : say(`verdict.${verdict}.says`),
    };
  }

  #findings() {
    /** @type {Map<string, Finding[]>} */
    const byRule = new Map();
    for (const finding of ordered(this.#report.findings)) {
      const same = byRule.get(finding.rule);
      if (same) same.push(finding);
      else byRule.set(finding.rule, [finding]);
    }
    if (!byRule.size) return null;
    const groups = [...byRule].map(([id, findings], index) => ({ element: this.#group(id, findings, index), note: findings[0].severity === "note" }));
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
   * All places of one rule.
   * @param {string} id
   * @param {Finding[]} findings
   * @param {number} index
   */
  #group(id, findings, index) {
    const { severity, guideline, runs } = findings[0];
    const rule = this.#desk.rules.get(id);
    const { rules } = this.#desk.page();
    const spots = h("ol.spots");
    let shown = 0;
    const more = h("button.link", { type: "button", click: () => grow() });
    const grow = () => {
      const next = findings.slice(shown, shown + (shown ? 50 : SPOTS));
      shown += next.length;
      spots.append(...next.map((finding) => this.#spot(finding)));
      more.hidden = shown >= findings.length;
      more.textContent = say("answer.more-places", { count: findings.length - shown });
    };
    grow();
    return h(`article.finding.${severity}`, {},
      h("h5", {}, h(`span.tag.${severity}`, {}, say(`verdict.severity.${severity}`)), " ", english(sentence(rule?.title ?? id))),
      h("p.quiet", {}, `${say(`verdict.guideline.${guideline}.name`)} · ${say(`verdict.runs.${runs}`)} · `,
        rules === null ? h("code", {}, id) : h("a", { href: ruleAddress(rules, id) }, h("code", {}, id)),
        findings.length > 1 ? ` · ${say("answer.places", { count: findings.length })}` : null),
      spots,
      more,
      rule
        // Of the worst, the answer has said it.
        ? h("details.about-rule", { open: index > 0 && severity !== "note" },
            h("summary", {}, say("answer.about-rule")),
            h("dl.explained", {},
              h("dt", {}, say("answer.why")), h("dd", { lang: "en" }, rule.why),
              h("dt", {}, say("answer.advice")), h("dd", { lang: "en" }, rule.advice),
              rule.see.length ? [h("dt", {}, say("answer.see")), h("dd", {}, rule.see.map((address) => h("div", {}, link(address))))] : null))
        : null);
  }

  /** @param {Finding} finding */
  #spot(finding) {
    const layer = this.#byId.get(finding.layer);
    return h("li", {},
      h("p.message", {}, h("bdi", { lang: "en" }, visible(finding.message))),
      h("p.quiet", {}, h("bdi", {}, visible(finding.place)), ` · ${say("answer.at", { place: place(finding.offset) })} · ${say("amount.bytes", { count: finding.length })}`),
      evidenceOf(finding, () => (layer ? this.#bytesOf(layer) : null)),
      h("div.buttons", {},
        h("button.link", { type: "button", click: () => this.#show(finding) }, say("answer.show-bytes")),
        this.#reports("breach", finding), this.#reports("wolf", finding)));
  }

  /**
   * A button that hands the page what a person wants to report, where the page takes it.
   * @param {"breach" | "missed" | "wolf"} kind
   * @param {Finding} [finding]
   */
  #reports(kind, finding) {
    if (!this.#desk.page().problems || finding?.severity === "note") return null;
    const tell = (/** @type {Event} */ event) => {
      const { sha256 } = this.#report;
      const { guideline, rule, place: where, offset } = finding ?? { place: this.#report.path };
      const detail = { kind, guideline, rule, place: where, offset, sha256, version: this.#desk.version() };
      /** @type {HTMLElement} */ (event.currentTarget).dispatchEvent(new CustomEvent("just-data-problem", { detail, bubbles: true, composed: true }));
    };
    return h("button.link.report", { type: "button", click: tell }, say(`answer.report.${kind}`));
  }

  #stops() {
    const stops = this.#report.layers.flatMap((layer) => layer.stops.map((stop) => ({ layer, stop })));
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
          h("span.quiet", {}, " · ", h("bdi", {}, visible(path(layer, this.#byId))), typeof stop.at === "number" ? ` · ${say("answer.at", { place: place(stop.at) })}` : ""))));
      more.hidden = shown >= stops.length;
      more.textContent = say("answer.more", { count: stops.length - shown });
    };
    grow();
    return h("section", {}, h("h4", {}, say("answer.unread")), list, more);
  }

  #about() {
    const report = this.#report;
    const job = this.#job;
    const file = report.layers[0];
    const read = file && file.len ? share(file.len - file.coverage.unexplained, file.len) : null;
    return h("section.facts", {},
      h("h4", {}, say("answer.about")),
      h("dl", {},
        fact(say("answer.fact.size"), say("amount.bytes", { count: report.size })),
        fact(say("answer.fact.format"), kindOfFile(report, this.#desk.formats) || say("answer.fact.unknown")),
        read && fact(say("answer.fact.accounted"), read),
        job.file ? fact("SHA-256", this.#hash()) : null,
        job.started ? fact(say("answer.fact.time"), duration((job.ended - job.started) / 1000)) : null,
        job.memory ? fact(say("answer.fact.memory"), h("span.memory", { "data-bytes": job.memory }, size(job.memory))) : null),
      this.#reports("missed"));
  }

  /** The SHA-256: at once for small files, when asked for those that take a while; it can be stopped. */
  #hash() {
    const holder = h("div.hash");
    const job = this.#job;
    const known = (/** @type {string} */ sha256) => {
      const button = h("button.link", { type: "button", click: async () => {
        await copy(Promise.resolve(sha256));
        refill(button, say("answer.copied"));
      } }, say("answer.copy"));
      refill(holder, h("code.sha256", { translate: "no" }, sha256), " ", button);
    };
    const offer = () => refill(holder, h("button", { type: "button", click: run }, say("answer.hash.start")));
    const run = async () => {
      const stop = new AbortController();
      const bar = h("progress", { max: 1, value: 0, "aria-label": say("answer.hash.progress") });
      refill(holder, bar, " ", h("button", { type: "button", click: () => stop.abort() }, say("answer.hash.stop")));
      try {
        known(await this.#desk.hash(job, stop.signal, (done, total) => { bar.value = total ? done / total : 0; }));
      } catch (error) {
        if (stop.signal.aborted) offer();
        else refill(holder, say("map.gone"));
      }
    };
    if (this.#report.sha256) known(this.#report.sha256);
    else if (this.#report.size <= SMALL && job.state === "done") run();
    else offer();
    return holder;
  }
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
 * @param {string} name
 * @param {any} value
 */
function fact(name, value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}

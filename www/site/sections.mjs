// The pages beside the check, each a function from what it is written with to HTML.

import { fragment, h } from "./html.mjs";
import { outside } from "./writer.mjs";

/** @typedef {import("./writer.mjs").Writer} Writer */

/** By address, in the order of the menu. */
export const SECTIONS = { guidelines, binaries, reporting, versions, scope, advisories, limits, promises, rules, formats };

/** Just Data's own promises, each with the test that fails when it is broken. */
export const PROMISES = [
  { id: "text", guideline: "code", file: "tests/page/network.test.mjs", test: "no networking, storing or HTML-making word is in the scripts" },
  { id: "hostile", guideline: "code", file: "tests/hostile.rs", test: "nothing_panics_hangs_or_swells" },
  { id: "upload", guideline: "reporting", file: "tests/page/network.test.mjs", test: "nothing arrives, from the page or from its worker, by any channel; without the policy it does" },
  { id: "offline", guideline: "reporting", file: "tests/page/network.test.mjs", test: "with the server switched off a check works, makes no request, and says the same" },
  { id: "kept", guideline: "reporting", file: "tests/page/offline.test.mjs", test: "the service worker asks for the listed files of this site and for nothing else" },
  { id: "listen", guideline: "listening", file: "tests/page/promises.test.mjs", test: "the command knows no way to a network" },
];

/** @param {Writer} w */
function guidelines(w) {
  const { policy } = w;
  return fragment(
    w.say("p", "policy.about"),
    w.say("p", "policy.assumption"),
    policy.guidelines.map(({ id, says }, at) => {
      const own = w.reference.rules.filter(({ guideline }) => guideline === id);
      return h("article.guideline", { id: `guideline-${id}` },
        w.heading(2, `policy.guidelines.${at}.title`),
        h("blockquote", {},
          w.say("p", `policy.guidelines.${at}.says`),
          // The published words stand beside a translation.
          h("p.quiet", w.abroad(policy.languages[0]),
            w.say("span", "site.original"), " ", h("span", { lang: policy.languages[0] }, says[policy.languages[0]]))),
        w.heading(3, "site.means"),
        w.say("p", `site.means.${id}`),
        w.heading(3, "site.checks"),
        w.say("p", `site.checks.${id}`),
        h("details.rule-list", {},
          w.say("summary", "site.rules-of", { values: { count: own.length } }),
          h("ul.compact", { lang: "en" }, own.map((rule) => h("li", {}, h("a", { href: w.place("rules", rule.id), "data-page": "rules", "data-at": rule.id }, rule.title))))));
    }),
    w.say("p", "policy.followed"),
    h("p", {}, w.link("reporting")));
}

/** @param {Writer} w */
function binaries(w) {
  return fragment(
    w.say("p", "policy.binaries.built"),
    w.say("p", "policy.binaries.source"),
    h("section.card.digest", { id: "digest", "aria-labelledby": "digest-title" },
      w.heading(2, "site.digest.title", { id: "digest-title" }),
      w.say("p", "site.digest.lead"),
      h("div", { id: "digest-tool" }),
      w.say("p.quiet", "site.digest.note"),
      w.say("p.quiet", "site.digest.commands")));
}

/** @param {Writer} w */
function reporting(w) {
  const { policy: { name, reporting: { email, languages, hours }, checker } } = w;
  const own = checker.email ? w.say("p", "site.report.email", { values: { email: checker.email } })
    : checker.repository ? w.say("p", "site.report.repository", { values: { repository: checker.repository.replace(/\/$/, "") } })
      : w.say("p", "site.report.where");
  const way = (kind, values, ...how) => h("section.card", { "aria-labelledby": `report-${kind}` },
    w.heading(2, `site.report.${kind}.title`, { id: `report-${kind}`, values }),
    how,
    w.say("button", "site.report.prepare", { type: "button", "data-report": kind, "aria-describedby": `report-${kind}`, hidden: true }));
  return fragment(
    h("p.strong", {}, w.say("strong", "site.report.public")),
    h("div.ways", {},
      way("breach", { name }, w.say("p", "site.report.breach.text", { values: { languages, email, hours } })),
      way("missed", undefined, w.say("p", "site.report.missed.text"), own),
      way("wolf", undefined, w.say("p", "site.report.wolf.text"), own)),
    w.say("p", "site.report.helps"),
    h("p", {}, w.link("scope")));
}

/** @param {Writer} w */
function versions(w) {
  const { list, packages } = w.policy.versions;
  return fragment(
    h("table", {},
      h("thead", {}, h("tr", {}, ["name", "supported", "receives"].map((column) => w.say("th", `site.versions.${column}`, { scope: "col" })))),
      h("tbody", {}, list.map(({ supported }, at) => h("tr", {},
        w.say("th", `policy.versions.list.${at}.name`, { scope: "row" }),
        w.say("td", supported ? "site.yes" : "site.no"),
        w.say("td", `policy.versions.list.${at}.receives`))))),
    w.say("p", "site.newest", { values: { address: packages } }),
    w.say("p", "policy.versions.note"));
}

/** @param {Writer} w */
function scope(w) {
  return fragment(
    w.say("p", "policy.scope.covers"),
    h("dl.notes", {}, w.policy.scope.notes.map(({ kind }, at) => [
      w.say("dt", `site.scope.${kind}`, { class: kind }),
      w.say("dd", `policy.scope.notes.${at}.text`),
    ])));
}

/** @param {Writer} w */
function advisories(w) {
  const { advisories: list } = w.policy;
  if (!list.length) return w.say("p", "site.advisories.none");
  return h("ul.plain-list", {}, list.map(({ id, date, address }, at) =>
    h("li", {}, h("time", { datetime: date }, date), " ", outside(address, id), " ", w.say("span", `policy.advisories.${at}.title`))));
}

/** @param {Writer} w */
function limits(w) {
  return h("ul.plain-list", {}, ["memory", "author", "malware", "encrypted", "unknown", "values"].map((id) => w.say("li", `site.limit.${id}`)));
}

/** @param {Writer} w */
function promises(w) {
  const { repository } = w.policy.checker;
  const named = ({ file, test }) => fragment(
    repository ? outside(`${repository.replace(/\/$/, "")}/blob/HEAD/${file}`, h("code", {}, file)) : h("code", {}, file), ": ", h("span", { lang: "en" }, test));
  return fragment(
    w.say("p", "site.promises.lead"),
    w.policy.guidelines.map(({ id }, at) => h("section", {},
      w.heading(2, `policy.guidelines.${at}.title`),
      h("ul.plain-list", {}, PROMISES.filter(({ guideline }) => guideline === id).map((promise) =>
        h("li", {}, w.say("span", `site.promise.${promise.id}`), h("br"), h("span.quiet", {}, w.say("span", "site.promises.proved"), " ", named(promise))))))),
    h("section", { id: "verify" },
      w.heading(2, "site.verify.title", { id: "verify-title" }),
      w.say("p", "site.verify.lead"),
      // A file cannot hold its own checksum.
      w.whole ? w.say("p", "site.verify.whole") : [
        w.say("p", "site.verify.files"),
        h("pre.sums", { tabindex: 0, role: "region", "aria-labelledby": "verify-title" }, h("code", {}, Object.entries(w.sums).map(([name, sum]) => `${sum}  site/${name}\n`))),
      ]));
}

/** @param {Writer} w */
function rules(w) {
  return fragment(
    w.say("p", "site.english", w.abroad("en")),
    w.policy.guidelines.map(({ id }, at) => {
      const own = w.reference.rules.filter(({ guideline }) => guideline === id);
      return h("section", {},
        w.heading(2, `policy.guidelines.${at}.title`),
        own.map((rule) => h("article.rule", { id: rule.id },
          h(w.whole ? "h4" : "h3", { lang: "en" }, h("a", { href: w.place("rules", rule.id), "data-page": "rules", "data-at": rule.id }, rule.title)),
          h("p.quiet", {}, h("code", {}, rule.id), " · ", w.say("span", `verdict.severity.${rule.severity}`), " · ", w.say("span", `verdict.runs.${rule.runs}`)),
          h("dl", {},
            w.say("dt", "site.rule.why"), h("dd", { lang: "en" }, rule.why),
            w.say("dt", "site.rule.advice"), h("dd", { lang: "en" }, rule.advice),
            rule.see.length ? [w.say("dt", "site.rule.see"), rule.see.map((address) => h("dd", {}, linked(address)))] : null))));
    }));
}

/** @param {Writer} w */
function formats(w) {
  const noun = ({ name }) => name.replace(/^an? /, "");
  const names = [...w.reference.formats].sort((a, b) => noun(a).localeCompare(noun(b), "en"));
  return fragment(
    w.say("p", "site.english", w.abroad("en")),
    h("ul.compact", { lang: "en" }, names.map(({ id, name, spec, extensions }) =>
      h("li", { id: `format-${id}` }, linked(spec, name), extensions.length ? h("span.quiet", {}, ` ${extensions.map((one) => `.${one.replace(/^\./, "")}`).join(" ")}`) : null))));
}

/** @param {Writer} w */
/** A link where it is one; the words where it is only the name of a document. */
function linked(address, words = address) {
  return /^https:\/\//.test(address) ? outside(address, words) : words;
}

/** One page: its heading and its content. */
export function section(w, id) {
  return h("section.reading", { id, "aria-labelledby": `${id}-title` },
    w.heading(1, `site.page.${id}`, { id: `${id}-title` }),
    SECTIONS[id](w));
}

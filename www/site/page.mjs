// The page around a section, and the page of the check.

import { LANGUAGES } from "../src/language.js";
import { addressOf } from "../src/phrases.js";
import { words } from "../src/prose.js";
import { fragment, h, raw } from "./html.mjs";
import { section, SECTIONS } from "./sections.mjs";

/** @typedef {import("./writer.mjs").Writer} Writer */

/** What is in reach from everywhere; the others are at the foot of the page. */
const FIRST = ["guidelines", "binaries", "reporting"];

const MARK = "<rect width='24' height='24' rx='5' fill='#134e5e'/><path d='m6 12.6 4 4L18 8' fill='none' stroke='#fff' stroke-width='2.6' stroke-linecap='round' stroke-linejoin='round'/>";

/**
 * The policy of the page. `form-action` and `base-uri` have no fallback in `default-src` and must be named;
 * 'wasm-unsafe-eval' allows WebAssembly and nothing else. On the site, the service worker has an address: as soon as a
 * script runs, it narrows `worker-src` to that one (src/offline.js).
 * @param {{ scripts: string, styles: string, site: boolean }} sources
 */
function securityPolicy({ scripts, styles, site }) {
  return [
    "default-src 'none'", `script-src ${scripts} 'wasm-unsafe-eval'`, `style-src ${styles}`,
    ...(site ? ["img-src data:", "manifest-src 'self'", "worker-src blob: 'self'"] : ["img-src data:", "worker-src blob:"]),
    "connect-src 'none'", "frame-src 'none'", "object-src 'none'", "form-action 'none'", "base-uri 'none'",
    "require-trusted-types-for 'script'", `trusted-types just-data${site ? " just-data-offline" : ""}`,
  ].join("; ");
}

/**
 * @param {Writer} w
 * @param {object} how
 * @param {string} how.id "index" or a section
 * @param {string} how.build
 * @param {{ scripts: string, styles: string, style: string, script: string }} how.parts of the head and the end, as HTML
 */
export function page(w, { id, build, parts }) {
  const check = id === "index";
  const [title, about] = check ? ["site.title", "site.description"] : [`site.page.${id}`, `site.about.${id}`];
  return `<!doctype html>\n${h("html", { lang: w.language, "data-page": id, "data-chosen": w.chosen, "data-whole": w.whole },
    h("head", {},
      h("meta", { charset: "utf-8" }),
      h("meta", { "http-equiv": "Content-Security-Policy", content: securityPolicy({ ...parts, site: !w.whole }) }),
      h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      h("meta", { name: "referrer", content: "no-referrer" }),
      h("meta", { name: "color-scheme", content: "light dark" }),
      h("meta", { name: "theme-color", content: "#134e5e" }),
      h("title", { "data-say": title, "data-after": " · Just Data" }, words(w.text(title)), " · Just Data"),
      h("meta", { name: "description", ...w.attribute("content", about) }),
      h("link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(`<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>${MARK}</svg>`)}` }),
      w.whole ? null : [
        h("link", { rel: "manifest", href: "manifest.webmanifest" }),
        // Only whole addresses are understood here.
        w.policy.site ? Object.keys(LANGUAGES).map((tag) =>
          h("link", { rel: "alternate", hreflang: tag, href: new URL(addressOf(id, { whole: false, chosen: tag }), w.policy.site) })) : null,
      ],
      raw(parts.style)),
    h("body", {},
      header(w, id),
      w.whole ? null : h("div.news", { id: "news", role: "status" }),
      h("main", { id: "content" }, check ? theCheck(w) : section(w, id)),
      check && w.whole ? Object.keys(SECTIONS).map((one) => section(w, one)) : null,
      footer(w, id, build),
      raw(parts.script)))}\n`;
}

/** @param {Writer} w */
function header(w, id) {
  return h("header.top", {},
    w.say("a.skip", "site.skip", { href: "#content" }),
    h("a.mark", { href: w.address("index"), "data-page": "index" }, mark(), " Just Data"),
    h("p.seen", {}, h("span.requests", {}, "0"), " ", w.say("span", "site.requests")),
    h("nav", w.attribute("aria-label", "site.pages"), FIRST.map((one) => w.link(one, "a", { "aria-current": one === id ? "page" : null }))),
    tongues(w, id));
}

/** The languages, each by its own name: links to the same page. */
function tongues(w, id) {
  return h("details.tongues", {},
    h("summary", {}, w.say("span.unseen", "site.language"), " ", h("span.now", {}, LANGUAGES[w.language])),
    h("ul", {}, Object.entries(LANGUAGES).map(([tag, name]) => h("li", {}, h("a", {
      href: w.whole ? `?lang=${tag}` : addressOf(id, { whole: false, chosen: tag }), lang: tag, hreflang: tag, "data-language": tag,
      "aria-current": tag === w.language ? "true" : null,
    }, name)))));
}

function mark() {
  return raw('<svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><rect width="24" height="24" rx="5"></rect><path d="m6 12.6 4 4L18 8"></path></svg>');
}

/** @param {Writer} w */
function theCheck(w) {
  const card = (title, ...content) => h("section.card", {}, w.say("h2", title), content);
  return fragment(
    h("div.intro", {}, w.say("h1", "site.title"), w.say("p", "site.lead")),
    h("div.bench", {},
      h("just-data", { "page-keys": true, rules: w.whole ? "" : "rules.html", problems: true }, w.say("p.plain", "site.script-needed")),
      h("aside", w.attribute("aria-label", "site.beside"),
        h("section.card.trust", {},
          w.say("h2", "site.trust.title"),
          h("p.counter", {}, h("span.number.requests", { id: "requests" }, "0"), " ", w.say("span", "site.requests")),
          h("p.counter.small", {}, h("span.number.blocked", { id: "blocked" }, "0"), " ", w.say("span", "site.blocked")),
          h("p.network", { id: "network" }),
          h("details", {},
            w.say("summary", "site.trust.sure"),
            w.say("p", "site.trust.policy"),
            w.whole ? null : w.say("p", "site.trust.kept"),
            w.say("p", "site.trust.try"))),
        card("site.questions.title",
          w.say("p", "site.questions.lead"),
          h("ul.three", {}, w.policy.guidelines.map(({ id }, at) => h("li", {}, w.say("strong", `policy.guidelines.${at}.title`), " ", w.say("span", `site.question.${id}`)))),
          h("p", {}, w.link("guidelines"))),
        card("site.answers.title",
          h("dl.answers", {}, ["code", "caution", "unfinished", "just-data"].map((verdict) => [w.say("dt", `verdict.${verdict}.name`), w.say("dd", `verdict.${verdict}.says`)])),
          h("p", {}, w.say("span", "site.answers.safe"), " ", w.link("limits"))))),
    w.whole ? null : h("section.more", { "aria-labelledby": "more" },
      w.say("h2", "site.more", { id: "more" }),
      h("ul", {}, Object.keys(SECTIONS).map((one) => h("li", {}, w.link(one), w.say("span", `site.about.${one}`))))));
}

/** @param {Writer} w */
function footer(w, id, build) {
  return h("footer", {},
    h("nav", { "aria-labelledby": "all-pages" },
      w.say("h2", "site.all-pages", { id: "all-pages" }),
      h("ul", {}, ["index", ...Object.keys(SECTIONS)].map((one) => h("li", {}, w.link(one, "a", { "aria-current": one === id ? "page" : null }))))),
    h("p", {}, "Just Data · ", w.say("span", "site.build", { id: "build", "data-build": `${w.reference.version}-${build}`, values: { version: w.reference.version, build } }), " · ", w.say("a", "site.verify.title", { href: w.place("promises", "verify"), "data-page": "promises", "data-at": "verify" }), " · Apache-2.0"),
    w.say("p", "site.follows"),
    w.say("p", "site.kept", { id: "kept", hidden: true }));
}

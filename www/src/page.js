// The page around the element: it counts requests, says whether there is a network, and lists what the checker knows.

// The bundle of the site leaves the element a file of its own: what else is shared with it is imported from there.
import { inOrder, languages, say } from "./element.js";
import { h, refill } from "./dom.js";
import { GUIDELINES } from "./wording.js";

/** @typedef {import("./contract").Reference} Reference */

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

countRequests();
sayNetwork();
addEventListener("just-data-ready", (event) => listReference(/** @type {CustomEvent<Reference>} */ (event).detail));

/**
 * Counts what the browser loads from now on, for this page or for its workers. Addresses of blobs and data are no
 * requests: they never leave the page.
 */
function countRequests() {
  const counts = { requests: 0, blocked: 0 };
  const add = (/** @type {keyof typeof counts} */ id) => {
    counts[id] += 1;
    at(id).textContent = String(counts[id]);
    for (const other of document.querySelectorAll(`.${id}`)) other.textContent = String(counts[id]);
    document.body.classList.add("broken");
  };
  const start = () =>
    // The entries of the load itself are only complete after its event.
    setTimeout(() => {
      const loaded = performance.now();
      new PerformanceObserver((list) => {
        for (const { name, startTime } of list.getEntries()) {
          if (startTime > loaded && !/^(blob|data):/.test(name)) add("requests");
        }
      }).observe({ type: "resource", buffered: true });
    });
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
  addEventListener("securitypolicyviolation", () => add("blocked"));
  addEventListener("just-data-request", () => add("requests"));
  addEventListener("just-data-blocked", () => add("blocked"));
}

function sayNetwork() {
  const tell = () => {
    at("network").textContent = say(navigator.onLine ? "site.online" : "site.offline");
  };
  addEventListener("online", tell);
  addEventListener("offline", tell);
  languages.addEventListener("change", tell);
  tell();
}

/** @param {Reference} reference */
function listReference({ version, rules, formats }) {
  at("version").textContent = version;
  const formatCount = say("site.formats", { count: formats.length });
  const ruleCount = say("site.rules", { count: rules.length });
  refill(at("reads-sum"), say("site.knows", { version, formats: formatCount, rules: ruleCount }));

  const names = [...formats].sort((a, b) => inOrder(a.name, b.name));
  refill(/** @type {Element} */ (at("formats").querySelector("summary")), formatCount);
  refill(/** @type {Element} */ (at("formats").querySelector("ul")), names.map(({ name, spec, extensions }) =>
    h("li", {},
      /^https:\/\//.test(spec) ? h("a", { href: spec, rel: "noopener noreferrer", target: "_blank" }, name) : name,
      extensions.length ? h("span.quiet", {}, ` ${extensions.map((one) => `.${one.replace(/^\./, "")}`).join(" ")}`) : null)));
  at("formats").hidden = !formats.length;

  refill(/** @type {Element} */ (at("rules").querySelector("summary")), ruleCount);
  refill(/** @type {Element} */ (at("rules").querySelector("div")),
    GUIDELINES.map((id) => {
      const own = rules.filter(({ guideline }) => guideline === id);
      return own.length
        ? [h("h3", {}, say(`verdict.guideline.${id}.name`)), h("ul.compact", {}, own.map((rule) =>
            h("li", {}, h("span", { lang: "en" }, rule.title), h("span.quiet", {}, ` ${say(`verdict.severity.${rule.severity}`)} · `, h("code", {}, rule.id)))))]
        : null;
    }));
  at("rules").hidden = !rules.length;
}

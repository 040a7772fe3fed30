// The page around the element: it speaks the language of the person, counts requests, says whether there is a network,
// compares downloads with their checksums and prepares messages.
//
// The bundle of the site leaves the element a file of its own; what is shared with it is imported from there.

import policy from "just-data:policy";
import "./first-language.js";
import "./element.js";
import "./embed.js";
import { comparesDownloads } from "./digest.js";
import { languages, say } from "./language.js";
import { preparesMessages } from "./message.js";
import { settings } from "./settings.js";
import { translate } from "./translate.js";

const at = (/** @type {string} */ id) => document.getElementById(id);

translate(policy);
paint();
settings.addEventListener("change", paint);
countRequests();
sayNetwork();
preparesMessages(policy);
const downloads = at("digest-tool");
if (downloads) comparesDownloads(downloads);

/** The page has the colours that the person chose in the element. */
function paint() {
  const { theme } = settings.choices;
  document.documentElement.style.colorScheme = theme === "system" ? "" : theme;
}

/**
 * Counts what the browser loads from now on, for this page or for its workers. Addresses of blobs and data are no
 * requests: they never leave the page.
 */
function countRequests() {
  const counts = { requests: 0, blocked: 0 };
  const add = (/** @type {keyof typeof counts} */ id) => {
    counts[id] += 1;
    for (const shown of document.querySelectorAll(`.${id}`)) shown.textContent = String(counts[id]);
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
  const network = at("network");
  if (!network) return;
  const tell = () => {
    network.textContent = say(navigator.onLine ? "site.online" : "site.offline");
  };
  addEventListener("online", tell);
  addEventListener("offline", tell);
  languages.addEventListener("change", tell);
  tell();
}

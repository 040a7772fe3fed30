// What only the hosted page does: it opens without a network, says when a new version is there, and takes files that
// another application shares or opens with it.

import { h, refill } from "./dom.js";
import { languages, say } from "./language.js";

const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const element = /** @type {import("./element.js").JustData | null} */ (document.querySelector("just-data"));
const container = navigator.serviceWorker;

if (container) start();

async function start() {
  const address = new URL("sw.js", document.baseURI).href;
  narrow(address);
  container.addEventListener("message", ({ data }) => take(data.shared));
  const url = new URL(document.URL);
  if (url.searchParams.has("shared")) {
    url.searchParams.delete("shared");
    history.replaceState(null, "", url);
    (await container.ready).active?.postMessage("shared");
  }
  addEventListener("just-data-forget", async () => {
    (await container.getRegistration())?.active?.postMessage("forget");
    at("kept").hidden = true;
  });
  /** @type {any} */ (globalThis).launchQueue?.setConsumer(async (/** @type {{ files?: FileSystemFileHandle[] }} */ { files = [] }) => {
    take(await Promise.all(files.map((handle) => handle.getFile())));
  });
  try {
    watch(await container.register(trusted(address)));
    await container.ready;
    at("kept").hidden = false;
  } catch {
    // Without it the page is the same, and is loaded anew the next time.
  }
}

/**
 * Leaves one address from which a worker may be loaded: a further policy can only forbid more.
 * @param {string} address
 */
function narrow(address) {
  document.head.append(h("meta", { "http-equiv": "Content-Security-Policy", content: `worker-src blob: ${address}` }));
}

/**
 * @param {string} address
 * @returns {string} the same, as the browser wants to have it
 */
function trusted(address) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return address;
  return types.createPolicy("just-data-offline", { createScriptURL: () => address }).createScriptURL("");
}

/** @param {File[]} files */
function take(files) {
  if (files?.length) element?.check(files);
}

/**
 * Says when another build has been kept and waits for its turn. It gets it when the person wants it, or when all pages
 * of the site are closed.
 * @param {ServiceWorkerRegistration} registration
 */
function watch(registration) {
  const look = () => {
    // A first installation replaces nothing.
    if (registration.waiting && registration.active) offer(registration.waiting);
  };
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
}

/** @param {ServiceWorker} next */
function offer(next) {
  const news = at("news");
  const draw = () =>
    refill(news,
      h("p", {}, say("site.update"), " ", element?.results.length ? say("site.update.loses") : ""),
      h("button", { type: "button", click: use }, say("site.update.use")),
      h("button", { type: "button", click: () => news.replaceChildren() }, say("site.update.later")));
  const use = () => {
    container.addEventListener("controllerchange", () => location.reload(), { once: true });
    next.postMessage("use");
  };
  languages.addEventListener("change", () => news.hasChildNodes() && draw());
  draw();
}

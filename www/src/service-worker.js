// The service worker of the site: it keeps the site's own files, so that the page opens without a network.
//
// A worker that is loaded by its address is not bound by the policy in a <meta> element. So everything that this one may
// do stands in this small file: it asks for the files of the list, under its own folder, and takes only what has the
// listed hash; it answers the page with them; and it hands the page what another application shares with it. It reads
// no file, and no message can make it ask for anything.

import { build, files } from "just-data:kept";

const worker = /** @type {any} */ (self);
/** @type {string} */
const scope = worker.registration.scope;
const KEPT = `just-data ${scope} ${build}`;
/** What another application shared, until the page asks for it. It is kept in memory alone. @type {File[]} */
let shared = [];

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(keep()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(settle()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { method, url } = event.request;
  const name = nameOf(url);
  if (method === "POST" && name === "share") event.respondWith(receive(event.request));
  else if (method === "GET" && Object.hasOwn(files, name)) event.respondWith(answer(name));
});
worker.addEventListener("message", (/** @type {any} */ event) => {
  const { data, source } = event;
  if (data === "use") worker.skipWaiting();
  if (data === "forget") event.waitUntil(forget());
  if (data === "shared") {
    source.postMessage({ shared });
    shared = [];
  }
});

async function keep() {
  const cache = await caches.open(KEPT);
  await Promise.all(Object.keys(files).map(async (name) => cache.put(scope + name, await ask(name))));
}

/** Forgets what older builds kept, and serves the pages that are open. */
async function settle() {
  await drop((name) => name !== KEPT);
  await worker.clients.claim();
}

/** Forgets all that was kept, and itself: the person wants nothing of this site on this computer. */
async function forget() {
  shared = [];
  await drop(() => true);
  await worker.registration.unregister();
}

/** @param {(name: string) => boolean} which of the caches of this site */
async function drop(which) {
  const dropped = (await caches.keys()).filter((name) => name.startsWith(`just-data ${scope} `) && which(name));
  await Promise.all(dropped.map((name) => caches.delete(name)));
}

/** @param {string} name */
async function answer(name) {
  const cache = await caches.open(KEPT);
  return (await cache.match(scope + name)) ?? ask(name);
}

/** @param {string} name of the list */
async function ask(name) {
  const response = await fetch(scope + name, { integrity: files[name], cache: "no-cache", mode: "same-origin", credentials: "omit", redirect: "error" });
  if (!response.ok) throw new TypeError(`${name} is not there`);
  return response;
}

/** @param {Request} request */
async function receive(request) {
  const form = await request.formData();
  shared = /** @type {File[]} */ (form.getAll("files").filter((one) => one instanceof File));
  return Response.redirect(`${scope}index.html?shared`, 303);
}

/**
 * @param {string} url
 * @returns {string} the name under this folder; the query says only how the page is shown
 */
function nameOf(url) {
  const address = url.replace(/[?#].*$/, "");
  if (address === scope) return "index.html";
  return address.startsWith(scope) ? address.slice(scope.length) : "";
}

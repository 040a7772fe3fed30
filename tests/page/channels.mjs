// Every way for a page and for a worker to reach a server, and what came of each.

import { Page } from "./browser.mjs";
import { developerTools } from "./devtools.mjs";

/** How each channel is tried. `to` is an address at the counting server. All end within two seconds. */
export const IN_PAGE = {
  fetch: "await fetch(to, { mode: 'no-cors' })",
  "fetch keepalive": "await fetch(to, { mode: 'no-cors', keepalive: true, method: 'POST', body: 'x' })",
  XHR: "await new Promise((done) => { const x = new XMLHttpRequest(); x.onloadend = done; x.open('GET', to); x.send(); })",
  beacon: "navigator.sendBeacon(to, 'x')",
  image: "await new Promise((done) => { const i = new Image(); i.onload = i.onerror = done; i.src = to; })",
  audio: "const a = new Audio(); a.src = to; a.load(); document.body.append(a)",
  WebSocket: "await new Promise((done) => { const s = new WebSocket(to.replace('http', 'ws')); s.onopen = s.onerror = s.onclose = done; })",
  EventSource: "await new Promise((done) => { const s = new EventSource(to); s.onopen = s.onerror = () => { s.close(); done(); }; })",
  "style sheet": "await new Promise((done) => { const l = document.createElement('link'); l.rel = 'stylesheet'; l.href = to; l.onload = l.onerror = done; document.head.append(l); })",
  "style element": "const s = document.createElement('style'); s.textContent = `@import url(${to});`; document.head.append(s)",
  "image of a style": "document.body.style.backgroundImage = `url(${to})`; document.body.getBoundingClientRect()",
  font: "await new FontFace('f', `url(${to})`).load()",
  script: "await new Promise((done) => { const s = document.createElement('script'); s.onload = s.onerror = done; try { s.src = to; } catch { done(); } document.head.append(s); })",
  "dynamic import": "await import(to)",
  iframe: "await new Promise((done) => { const f = document.createElement('iframe'); f.onload = done; f.src = to; document.body.append(f); setTimeout(done, 500); })",
  object: "const o = document.createElement('object'); o.data = to; document.body.append(o)",
  form: "const n = document.createElement('iframe'); n.name = 'n'; document.body.append(n); const f = document.createElement('form'); f.action = to; f.target = 'n'; document.body.append(f); f.submit()",
  prefetch: "const l = document.createElement('link'); l.rel = 'prefetch'; l.href = to; document.head.append(l)",
  preload: "const l = document.createElement('link'); l.rel = 'preload'; l.as = 'image'; l.href = to; document.head.append(l)",
  modulepreload: "const l = document.createElement('link'); l.rel = 'modulepreload'; l.href = to; document.head.append(l)",
  manifest: "const l = document.createElement('link'); l.rel = 'manifest'; l.href = to; document.head.append(l)",
  "worker by address": "const w = new Worker(to); await new Promise((done) => { w.onerror = done; setTimeout(done, 500); })",
  eval: "eval(`fetch(${JSON.stringify(to)}, { mode: 'no-cors' })`)",
  "new Function": "await new Function('to', 'return fetch(to, { mode: \"no-cors\" })')(to)",
};

export const IN_WORKER = {
  fetch: IN_PAGE.fetch,
  "fetch keepalive": IN_PAGE["fetch keepalive"],
  XHR: IN_PAGE.XHR,
  "XHR, synchronous": "const x = new XMLHttpRequest(); x.open('GET', to, false); x.send()",
  WebSocket: IN_PAGE.WebSocket,
  EventSource: IN_PAGE.EventSource,
  font: IN_PAGE.font,
  "dynamic import": IN_PAGE["dynamic import"],
  importScripts: "importScripts(to)",
  "worker by address": IN_PAGE["worker by address"],
  "cache": "await (await caches.open('x')).add(to)",
  eval: IN_PAGE.eval,
  "new Function": IN_PAGE["new Function"],
};

/** What a page cannot forbid itself by a policy. None of it exists in a worker, where the bytes of files are read. */
export const ONLY_IN_PAGE = ["document", "window", "open", "RTCPeerConnection", "Image", "Audio"];

export const attempt = (channel, to) => `(async () => {
  const to = ${JSON.stringify(to)};
  // Not in the turn of the developer tools, to whom the policy does not apply.
  await new Promise((done) => setTimeout(done));
  try { await Promise.race([(async () => { ${channel} })(), new Promise((done) => setTimeout(done, 2000))]); return "tried"; }
  catch (error) { return String(error); }
})()`;

/**
 * Tries every channel in the page of a site and in one of its workers.
 * @param {{ address: string }} site
 * @param {{ arrivals: string[], origin: string }} counting the server that counts
 * @param {string} label sets these attempts apart from others at the same server
 * @returns what each attempt said, which of them arrived, what a worker lacks, and the counters that the user sees
 */
export async function tryChannels(browser, site, counting, label) {
  const page = await new Page(browser, site.address).open();
  const tools = await developerTools(browser.driver);
  try {
    const worker = await workerOf(page, tools);
    const said = {};
    for (const [where, channels] of Object.entries({ page: IN_PAGE, worker: IN_WORKER })) {
      for (const [name, channel] of Object.entries(channels)) {
        const to = `${counting.origin}/${label}/${where}/${encodeURIComponent(name)}`;
        if (where === "worker") said[`${where}: ${name}`] = await tools.evaluate(worker, attempt(channel, to));
        else said[`${where}: ${name}`] = await page.run(`return ${attempt(channel, to)}`);
      }
    }
    await new Promise((done) => setTimeout(done, 1500));
    const arrived = new Set(counting.arrivals.flatMap((line) => {
      const [, where, name] = line.match(new RegExp(`/${label}/(page|worker)/([^\\s?]+)`)) ?? [];
      return where ? [`${where}: ${decodeURIComponent(name)}`] : [];
    }));
    const absent = await tools.evaluate(worker, `${JSON.stringify(ONLY_IN_PAGE)}.filter((name) => !(name in globalThis))`);
    return { said, arrived, absent, counters: await page.counters() };
  } finally {
    tools.close();
  }
}

/** A worker of this page; one of a page that was left may still be kept, frozen. */
export async function workerOf(page, tools) {
  const own = () => [...tools.workers].find(([, address]) => address.startsWith(`blob:${new URL(page.address).origin}/`))?.[0];
  await page.until("a worker is there", async () => own() !== undefined);
  return own();
}

// Nothing leaves the machine: by what is shipped, by what the browser allows, and by what arrives at a server that counts.

import assert from "node:assert/strict";
import { readFile, writeFile, mkdtemp, rm, cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { developerTools } from "./devtools.mjs";
import { gzip, nifti, picklesSystem, samples } from "./samples.mjs";
import { serve, sink } from "./site.mjs";
import { CORE, DIST } from "./surroundings.mjs";

describe("what is shipped", () => {
  /** Everything in a browser that can reach the network, or run what came from it. */
  const FORBIDDEN = /\b(fetch|XMLHttpRequest|WebSocket|WebSocketStream|WebTransport|EventSource|sendBeacon|RTCPeerConnection|importScripts|serviceWorker|SharedWorker|eval|Function\s*\(|document\.write|innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|parseFromString|window\.open|location\s*=|sessionStorage|indexedDB|document\.cookie|caches)\b/;

  // `localStorage` may be there: settings that a person asks this computer to remember. See settings.test.mjs.
  test("no networking, storing or HTML-making word is in the scripts", async () => {
    for (const name of ["site/just-data.js", "site/page.js", "just-data.html"]) {
      const text = await readFile(join(DIST, name), "utf8");
      // The module inside is looked at by its imports, below.
      const script = (name.endsWith(".html") ? text.match(/<script type="module">(.*)<\/script>/s)[1] : text).replace(/H4sI[A-Za-z0-9+/=]{1000,}/, "");
      assert.equal(script.length < text.length - 10_000, name !== "site/page.js", "the module is where it is thought to be");
      assert.ok(script.length > (name === "site/page.js" ? 1_000 : 10_000), "and so is the script");
      assert.equal(script.match(FORBIDDEN)?.[0], undefined, name);
      assert.equal(script.match(/\bimport\s*\(/)?.[0], undefined, name);
    }
  });

  test("the expression above finds what it is meant to find", () => {
    for (const evil of ["fetch(u)", "new WebSocket(a)", "navigator.sendBeacon(u)", "x.innerHTML=y", "eval(s)", "importScripts(u)"]) {
      assert.match(evil, FORBIDDEN);
    }
  });

  test("the module asks the browser for files, and for nothing that reaches the network", async () => {
    const module = new WebAssembly.Module(await readFile(join(CORE, "just_data_bg.wasm")));
    const imports = WebAssembly.Module.imports(module).map(({ name }) => name);
    const web = imports.map((name) => name.match(/^__wbg_(.+?)_[0-9a-f]{16}$/)?.[1]).filter(Boolean);
    assert.ok(web.some((name) => name === "readAsArrayBuffer"), "the names are read as they are written");
    for (const name of imports) {
      assert.doesNotMatch(name, /fetch|xmlhttp|websocket|webtransport|eventsource|beacon|rtc|request|response|location|navigator|document|window|storage|cookie|worker|newnoargs|eval/i);
    }
  });

  test("no address but links that a person may follow; nothing is loaded from elsewhere", async () => {
    const html = await readFile(join(DIST, "site/index.html"), "utf8");
    const loads = [...html.matchAll(/\b(?:src|href|action|srcset|poster|data)="([^"]*)"/g)].map(([, address]) => address);
    for (const address of loads) {
      assert.match(address, /^(#|mailto:|data:image\/svg\+xml,|just-data\.(css|js)$|page\.js$|https:\/\/)/, address);
    }
    for (const [element] of html.matchAll(/<(?!a\b)[a-z]+[^>]*https:[^>]*>/g)) {
      assert.fail(`an element that is no link names an address: ${element}`);
    }
    assert.doesNotMatch(html, /\son[a-z]+=/i, "no handler in the HTML");
    assert.doesNotMatch(html, /<style|\sstyle=/i, "no style in the HTML");
  });
});

/** How each channel is tried. `to` is an address at the counting server. All end within two seconds. */
const IN_PAGE = {
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

const IN_WORKER = {
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
const ONLY_IN_PAGE = ["document", "window", "open", "RTCPeerConnection", "Image", "Audio"];

const attempt = (channel, to) => `(async () => {
  const to = ${JSON.stringify(to)};
  // Not in the turn of the developer tools, to whom the policy does not apply.
  await new Promise((done) => setTimeout(done));
  try { await Promise.race([(async () => { ${channel} })(), new Promise((done) => setTimeout(done, 2000))]); return "tried"; }
  catch (error) { return String(error); }
})()`;

describe("what the browser allows", { timeout: 240_000 }, () => {
  let browser, counting, folder, open;
  before(async () => {
    browser = await openBrowser();
    counting = await sink();
    folder = await samples();
    // The same page without its policy: there the same attempts must arrive, or they prove nothing.
    open = await mkdtemp(join(tmpdir(), "just-data-open-"));
    await cp(join(DIST, "site"), open, { recursive: true });
    const html = await readFile(join(open, "index.html"), "utf8");
    const without = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
    assert.notEqual(without, html);
    await writeFile(join(open, "index.html"), without);
  });
  after(async () => {
    await browser?.close();
    await counting?.close();
    await folder?.remove();
    if (open) await rm(open, { recursive: true, force: true });
  });

  /** A worker of this page; one of a page that was left may still be kept, frozen. */
  async function workerOf(page, tools) {
    const own = () => [...tools.workers].find(([, address]) => address.startsWith(`blob:${new URL(page.address).origin}/`))?.[0];
    await page.until("a worker is there", async () => own() !== undefined);
    return own();
  }

  /** Tries every channel in the page and in one of its workers; says which arrived. */
  async function matrix(site, label) {
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

  test("nothing arrives, from the page or from its worker, by any channel; without the policy it does", async () => {
    const [strict, free] = [await serve(), await serve({ folder: open })];
    try {
      const allowed = await matrix(free, "free");
      const forbidden = await matrix(strict, "strict");
      assert.deepEqual([...forbidden.arrived], [], "with the policy");
      const tried = Object.keys(allowed.said);
      const silent = tried.filter((channel) => !allowed.arrived.has(channel));
      console.log(`  ${tried.length} channels; without the policy ${allowed.arrived.size} arrived; did not: ${silent.join(", ") || "none"}`);
      // The browser itself refuses these, whatever the policy: they prove nothing here, and are only tried.
      assert.deepEqual(silent.filter((channel) => !["page: worker by address", "worker: worker by address", "page: manifest"].includes(channel)), []);
      assert.deepEqual(forbidden.absent, ONLY_IN_PAGE, "none of these exists in the worker");
      assert.ok(forbidden.counters.blocked > 10, "and the user sees that something was blocked");
    } finally {
      await strict.close();
      await free.close();
    }
  });

  test("with the server switched off a check works, makes no request, and says the same", async () => {
    const site = await serve();
    const page = await new Page(browser, site.address).open();
    const files = [
      await folder.put("brain.nii", nifti()),
      await folder.put("model.pkl", picklesSystem()),
      await folder.put("notes.txt.gz", gzip(Buffer.from("notes\n"))),
    ];
    const online = await page.check(files);
    await page.press("Clear");
    const asked = site.requests.length;
    await site.close();
    await browser.tools("Network.enable");
    await browser.tools("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    try {
      await page.until("the page says that it is offline", async () => (await page.driver.findElement({ id: "network" }).getText()).startsWith("You are offline"), 5000);
      const offline = await page.check(files);
      assert.equal(JSON.stringify(offline), JSON.stringify(online), "byte for byte");
      for (const name of ["model.pkl", "brain.nii"]) await page.openRow(name);
      assert.deepEqual(await page.counters(), { requests: 0, blocked: 0 });
      assert.equal(site.requests.length, asked);
    } finally {
      await browser.tools("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    }
  });

  test("the page loads itself with four requests, to its own folder, and nothing more", async () => {
    const site = await serve();
    try {
      const page = await new Page(browser, site.address).open();
      await page.check(await folder.put("one.txt", "one\n"));
      assert.deepEqual(site.requests.sort(), ["GET /some/project/", "GET /some/project/just-data.css", "GET /some/project/just-data.js", "GET /some/project/page.js"]);
      assert.deepEqual(await page.counters(), { requests: 0, blocked: 0 });
    } finally {
      await site.close();
    }
  });

  test("the counters count: requests of the page and of a worker, where the policy does not stop them", async () => {
    const site = await serve({ folder: open });
    try {
      const page = await new Page(browser, site.address).open();
      const tools = await developerTools(browser.driver);
      await page.run(`await fetch(arguments[0], { mode: "no-cors" });`, `${counting.origin}/counted/page`);
      await page.until("the page's request is counted", async () => (await page.counters()).requests === 1, 5000);
      await tools.evaluate(await workerOf(page, tools), attempt(IN_PAGE.fetch, `${counting.origin}/counted/worker`));
      await page.until("the worker's request is counted", async () => (await page.counters()).requests === 2, 5000);
      tools.close();
    } finally {
      await site.close();
    }
  });
});

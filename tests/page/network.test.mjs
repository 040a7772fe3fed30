// Nothing leaves the machine: by what is shipped, by what the browser allows, and by what arrives at a server that counts.

import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { attempt, IN_PAGE, ONLY_IN_PAGE, tryChannels, workerOf } from "./channels.mjs";
import { developerTools } from "./devtools.mjs";
import { gzip, nifti, picklesSystem, samples } from "./samples.mjs";
import { serve, sink, withoutPolicy } from "./site.mjs";
import { LANGUAGES } from "../../www/src/language.js";
import { CORE, DIST } from "./surroundings.mjs";

describe("what is shipped", () => {
  /** Everything in a browser that can reach the network, or run what came from it. */
  const FORBIDDEN = /\b(fetch|XMLHttpRequest|WebSocket|WebSocketStream|WebTransport|EventSource|sendBeacon|RTCPeerConnection|importScripts|serviceWorker|SharedWorker|eval|Function\s*\(|document\.write|innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|parseFromString|window\.open|location\s*=|sessionStorage|indexedDB|document\.cookie|caches)\b/;

  // `localStorage` may be there: settings that a person asks this computer to remember. See settings.test.mjs.
  test("no networking, storing or HTML-making word is in the scripts", async () => {
    for (const name of ["site/just-data.js", "site/page.js", "just-data.html", "element/just-data.js"]) {
      const text = await readFile(join(DIST, name), "utf8");
      // The module inside is looked at by its imports, below.
      const script = (name.endsWith(".html") ? text.match(/<script type="module">(.*)<\/script>/s)[1] : text).replace(/\/Td6WFoA[A-Za-z0-9+/=]{1000,}/, "");
      assert.equal(script.length < text.length - 10_000, name !== "site/page.js", "the module is where it is thought to be");
      assert.ok(script.length > (name === "site/page.js" ? 1_000 : 10_000), "and so is the script");
      // The hosted page may ask for its service worker, whose own source is looked at in offline.test.mjs.
      const looked = name === "site/page.js" ? script.replaceAll("serviceWorker", "") : script;
      assert.equal(looked.match(FORBIDDEN)?.[0], undefined, name);
      // The site's pages load a language beside the script, by a name of this form and no other.
      const own = name === "site/just-data.js" ? [/^import\(new URL\(`just-data\.\$\{\w+\}\.js`,import\.meta\.url\)\.href\)/] : [];
      const imports = [...script.matchAll(/\bimport\s*\(/g)].map(({ index }) => script.slice(index, index + 100));
      assert.equal(imports.length, own.length, `${name}: ${imports}`);
      own.forEach((form, at) => assert.match(imports[at], form));
    }
  });

  test("a language that is loaded is nothing but texts", async () => {
    const names = (await readdir(join(DIST, "site"))).filter((name) => /^just-data\..+\.js$/.test(name));
    assert.deepEqual(names.sort(), Object.keys(LANGUAGES).filter((tag) => tag !== "en").map((tag) => `just-data.${tag}.js`).sort());
    for (const name of names) {
      const [, texts] = (await readFile(join(DIST, "site", name), "utf8")).match(/^export default (\{.*\});\n$/);
      for (const text of Object.values(JSON.parse(texts))) assert.equal(typeof text, "string");
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
    const names = (await readdir(join(DIST, "site"))).filter((name) => name.endsWith(".html"));
    assert.ok(names.length > 50, "pages in six languages");
    for (const name of names) {
      const html = await readFile(join(DIST, "site", name), "utf8");
      const loads = [...html.matchAll(/\b(?:src|href|action|srcset|poster|data)="([^"]*)"/g)].map(([, address]) => address);
      for (const address of loads) {
        assert.match(address, /^(#|mailto:|data:image\/svg\+xml,|just-data\.(css|js)$|page\.js$|manifest\.webmanifest$|[a-z]+(\.[a-zA-Z-]+)?\.html(\?lang=[\w-]+)?(#[\w-]+)?$|https:\/\/)/, `${name}: ${address}`);
      }
      // The values of a text are words for another language.
      for (const [element] of html.replace(/ data-values="[^"]*"/g, "").matchAll(/<(?!a\b)[a-z]+[^>]*https:[^>]*>/g)) {
        assert.fail(`an element that is no link names an address: ${name}: ${element}`);
      }
      assert.doesNotMatch(html, /<[^>]*\son[a-z]+=/i, "no handler in the HTML");
      assert.doesNotMatch(html, /<style|<[^>]*\sstyle=/i, "no style in the HTML");
    }
  });
});

describe("what the browser allows", { timeout: 240_000 }, () => {
  let browser, counting, folder, open;
  before(async () => {
    browser = await openBrowser();
    counting = await sink();
    folder = await samples();
    // There the same attempts must arrive, or they prove nothing.
    open = await withoutPolicy();
  });
  after(async () => {
    await browser?.close();
    await counting?.close();
    await folder?.remove();
    if (open) await rm(open, { recursive: true, force: true });
  });

  test("nothing arrives, from the page or from its worker, by any channel; without the policy it does", async () => {
    const [strict, free] = [await serve(), await serve({ folder: open })];
    try {
      const allowed = await tryChannels(browser, free, counting, "free");
      const forbidden = await tryChannels(browser, strict, counting, "strict");
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
    await page.kept();
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

  test("the page loads itself with its own files, keeps each of the site's once for use without a network, and asks for nothing more", async () => {
    const site = await serve();
    try {
      const page = await new Page(browser, site.address).open();
      await page.check(await folder.put("one.txt", "one\n"));
      await page.kept();
      const base = new URL(site.address).pathname;
      const own = (await readdir(join(DIST, "site"))).filter((name) => !name.startsWith("."));
      const wanted = ["", "just-data.css", "just-data.js", "page.js", "manifest.webmanifest", ...own].map((name) => `GET ${base}${name}`).sort();
      assert.deepEqual(site.requests.sort(), wanted);
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

// The hosted page without a network: what its service worker keeps, and that it asks for nothing else.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { By, openBrowser, Page } from "./browser.mjs";
import { picklesSystem, samples } from "./samples.mjs";
import { serve, sink } from "./site.mjs";
import { CORE, DIST, ROOT } from "./surroundings.mjs";

const own = async (folder = join(DIST, "site")) => (await readdir(folder)).filter((name) => !name.startsWith(".") && name !== "sw.js").sort();

describe("the source of the service worker", () => {
  test("asks for what is listed, in one place, and can do nothing else", async () => {
    const script = (await readFile(join(DIST, "site/sw.js"), "utf8")).replace(/"[^"]+":"sha384-[^"]+"/g, "");
    assert.equal(script.match(/\bfetch\(/g)?.length, 1, "one place that asks");
    assert.match(script, /\bfetch\((\w+)\+(\w+),\{integrity:(\w+)\[\2\],cache:"no-cache",mode:"same-origin",credentials:"omit",redirect:"error"\}\)/);
    assert.doesNotMatch(script, /XMLHttpRequest|WebSocket|WebTransport|EventSource|sendBeacon|RTC|importScripts|import\(|\beval|Function\(|navigator|indexedDB|openWindow|"sync|"push|[pP]reload/);
    assert.doesNotMatch(script, /https?:/, "no address in it");
    const heard = [...script.matchAll(/addEventListener\("(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(heard.sort(), ["activate", "fetch", "install", "message"]);
    assert.ok(script.length < 2500, "it is small enough to be read");
  });

  test("lists the files of the site, each with its hash", async () => {
    const script = await readFile(join(DIST, "site/sw.js"), "utf8");
    const listed = Object.fromEntries([...script.matchAll(/"([^"]+)":"(sha384-[A-Za-z0-9+/=]{64})"/g)].map(([, name, hash]) => [name, hash]));
    assert.deepEqual(Object.keys(listed).sort(), await own());
    for (const [name, hash] of Object.entries(listed)) {
      assert.equal(hash, `sha384-${createHash("sha384").update(await readFile(join(DIST, "site", name))).digest("base64")}`, name);
    }
  });
});

describe("the hosted page", { timeout: 600_000 }, () => {
  let browser, folder, counting, copies;
  before(async () => {
    browser = await openBrowser();
    folder = await samples();
    counting = await sink();
    copies = await mkdtemp(join(tmpdir(), "just-data-site-"));
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    await counting?.close();
    if (copies) await rm(copies, { recursive: true, force: true });
  });

  const run = (body, ...values) => browser.driver.executeScript(body, ...values);

  test("the service worker asks for the listed files of this site and for nothing else", async () => {
    const site = await serve();
    const base = new URL(site.address).pathname;
    const page = await new Page(browser, site.address).open();
    await page.kept();
    const loaded = ["", "just-data.css", "just-data.js", "page.js", "manifest.webmanifest", "sw.js"];
    assert.deepEqual(site.requests.sort(), [...loaded, ...(await own())].map((name) => `GET ${base}${name}`).sort());
    // Whatever it is told, it asks for nothing.
    const before = site.requests.length;
    for (const message of ["shared", "", null, { fetch: counting.origin }, { url: `${site.address}secret.html` }, [counting.origin], `${counting.origin}/x`]) {
      await run("(await navigator.serviceWorker.ready).active.postMessage(arguments[0])", message);
    }
    await run("await new Promise((done) => setTimeout(done, 1000))");
    assert.equal(site.requests.length, before);
    assert.deepEqual(counting.arrivals, []);
    // What is not listed is not its business: it goes to the server, as without it.
    await browser.driver.get(`${site.address}unlisted.html`);
    // The browser itself looks for a newer service worker when a page is opened.
    assert.deepEqual(site.requests.slice(before).filter((line) => line !== `GET ${base}sw.js`), [`GET ${base}unlisted.html`]);
    await site.close();
  });

  test("no other script can become a worker by its address, not even one of this site", async () => {
    // The page without its first policy: the one that a script adds must hold alone.
    const open = join(copies, "open");
    await cp(join(DIST, "site"), open, { recursive: true });
    const html = await readFile(join(open, "index.html"), "utf8");
    await writeFile(join(open, "index.html"), html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ""));
    const site = await serve({ folder: open });
    await new Page(browser, site.address).open();
    const tried = await run(`
      const blocked = [];
      addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => blocked.push(violatedDirective + " " + blockedURI.replace(/.*[/]/, "")));
      try { new Worker("page.js"); } catch {}
      await navigator.serviceWorker.register("page.js", { scope: "./x/" }).catch(() => {});
      await new Promise((done) => setTimeout(done, 500));
      return blocked;`);
    assert.deepEqual([...new Set(tried)], ["worker-src page.js"]);
    await site.close();
  });

  test("forget everything forgets also what was kept, and the worker itself", async () => {
    const site = await serve();
    const page = await new Page(browser, site.address).open();
    await page.kept();
    assert.notDeepEqual(await run("return caches.keys()"), []);
    await page.press("Forget everything");
    await page.until("all is gone", async () =>
      (await run("return (await caches.keys()).length")) === 0 && (await run("return (await navigator.serviceWorker.getRegistrations()).length")) === 0, 10_000);
    await site.close();
  });

  test("with the server gone the page opens again, checks, and shows every other page", async () => {
    const site = await serve();
    let page = await new Page(browser, site.address).open();
    await page.kept();
    const file = await folder.put("model.pkl", picklesSystem());
    const [online] = await page.check(file);
    const { address } = site;
    await site.close();
    page = await new Page(browser, address).open();
    const [offline] = await page.check(file);
    assert.equal(JSON.stringify(offline), JSON.stringify(online));
    assert.deepEqual(await page.counters(), { requests: 0, blocked: 0 });
    for (const [name, heading] of [["guidelines.html", "Guidelines"], ["limits.de.html", "Was die Prüfung nicht wissen kann"], ["rules.html?lang=en#pickle-runs-code", "Rules"]]) {
      await browser.driver.get(address + name);
      assert.equal(await run("return document.querySelector('h1').textContent"), heading);
    }
  });

  test("a new version is announced, and comes when the person wants it", async () => {
    const [first, second] = [join(copies, "served"), join(copies, "next")];
    await cp(join(DIST, "site"), first, { recursive: true });
    const policy = JSON.parse(await readFile(join(ROOT, "www/policy.json"), "utf8"));
    await writeFile(join(copies, "policy.json"), JSON.stringify({ ...policy, name: "Another project" }));
    await promisify(execFile)(process.execPath, [join(ROOT, "www/bundle.mjs"), "--core", CORE, "--out", second, "--policy", join(copies, "policy.json")]);
    const site = await serve({ folder: first });
    const page = await new Page(browser, site.address).open();
    await page.kept();
    const build = () => run("return document.getElementById('build').dataset.build");
    const old = await build();
    assert.equal(await run("return document.getElementById('news').children.length"), 0, "a first installation is no news");

    await cp(join(second, "site"), first, { recursive: true });
    await run("(await navigator.serviceWorker.ready).update()");
    await page.until("the new version is announced", () => run("return document.getElementById('news').innerText.startsWith('A new version of this page is ready.')"));
    // Until then the old version stays whole, also when it is loaded anew.
    await page.open();
    assert.equal(await build(), old);
    await page.until("it is announced again", () => run("return document.getElementById('news').children.length > 0"));
    await (await browser.driver.findElement(By.css("#news button"))).click();
    await page.until("the new version is there", async () => (await build()) !== old);
    await site.close();
  });

  test("a file that is not the listed one is not kept, and the page works without being kept", async () => {
    const damaged = join(copies, "damaged");
    await cp(join(DIST, "site"), damaged, { recursive: true });
    await writeFile(join(damaged, "scope.fr.html"), "<!doctype html><p>something else");
    const site = await serve({ folder: damaged });
    const page = await new Page(browser, site.address).open();
    await page.until("the installation has failed", () => run(`
      const registration = await navigator.serviceWorker.getRegistration();
      return !registration || !(registration.installing || registration.waiting || registration.active)`));
    assert.equal(await run("return document.getElementById('kept').hidden"), true);
    const [report] = await page.check(await folder.put("again.pkl", picklesSystem()));
    assert.equal(report.verdict, "code");
    await site.close();
  });

  test("a file that another application shares is checked, and never reaches the server", async () => {
    const site = await serve();
    const page = await new Page(browser, site.address).open();
    await page.kept();
    // As the system does it: a form with the file is posted to the address that the manifest names.
    const { share_target: target } = JSON.parse(await readFile(join(DIST, "site/manifest.webmanifest"), "utf8"));
    const form = join(copies, "share.html");
    await writeFile(form, `<form action="${site.address}${target.action}" method="${target.method}" enctype="${target.enctype}"><input type="file" name="${target.params.files[0].name}"><button>Share</button></form>`);
    await browser.driver.get(`file://${form}`);
    await (await browser.driver.findElement(By.css("input"))).sendKeys(await folder.put("shared.pkl", picklesSystem()));
    await (await browser.driver.findElement(By.css("button"))).click();
    await page.until("it is checked", () => run("return document.querySelector('just-data')?.results?.length === 1"));
    const [report] = await page.reports();
    assert.deepEqual([report.path, report.verdict], ["shared.pkl", "code"]);
    assert.equal(new URL(await browser.driver.getCurrentUrl()).search, "", "and not shared again when the page is loaded anew");
    assert.deepEqual(site.requests.filter((line) => !line.startsWith("GET ")), []);
    await site.close();
  });

  test("it can be installed, and opens the files of the formats that it reads", async () => {
    const site = await serve();
    const page = await new Page(browser, site.address).open();
    await page.kept();
    const { errors, data } = await browser.tools("Page.getAppManifest");
    assert.deepEqual(errors, []);
    const { installabilityErrors } = await browser.tools("Page.getInstallabilityErrors");
    // A private profile, as a test has one, is the browser's own reason.
    assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);
    const { file_handlers: [handler] } = JSON.parse(data);
    const accepted = new Set(Object.values(handler.accept).flat());
    for (const extension of [".dcm", ".nii", ".pkl", ".zip"]) assert.ok(accepted.has(extension), extension);
    await site.close();
  });
});

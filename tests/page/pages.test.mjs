// The pages around the check: each at its own address, in six languages, with and without JavaScript.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { LANGUAGES } from "../../www/src/language.js";
import { By, openBrowser, Page } from "./browser.mjs";
import { developerTools } from "./devtools.mjs";
import { picklesSystem, samples } from "./samples.mjs";
import { serve } from "./site.mjs";
import { DIST } from "./surroundings.mjs";

const PAGES = ["index", "guidelines", "binaries", "reporting", "versions", "scope", "advisories", "limits", "promises", "rules", "formats"];
const read = (name) => readFile(join(DIST, "site", name), "utf8");
const idsOf = (html) => [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);

describe("as files", () => {
  test("each page has an address in each language, and says in which it is", async () => {
    for (const page of PAGES) {
      for (const tag of Object.keys(LANGUAGES)) {
        if (tag !== "en" && ["rules", "formats"].includes(page)) continue;
        const html = await read(tag === "en" ? `${page}.html` : `${page}.${tag}.html`);
        assert.match(html, new RegExp(`^<!doctype html>\\n<html lang="${tag}" `), `${page} ${tag}`);
        assert.match(html, /<main id="content">/);
        assert.match(html, /<h1[ >]/);
      }
    }
  });

  test("every link inside the site leads to something", async () => {
    const names = (await readdir(join(DIST, "site"))).filter((name) => name.endsWith(".html"));
    const ids = Object.fromEntries(await Promise.all(names.map(async (name) => [name, new Set(idsOf(await read(name)))])));
    for (const name of names) {
      for (const [, address] of (await read(name)).matchAll(/<a [^>]*?href="([^"]*)"/g)) {
        if (/^(https|mailto):/.test(address)) continue;
        const [file, at] = address.split("#");
        const target = file.replace(/\?.*/, "") || name;
        assert.ok(ids[target], `${name}: ${address}`);
        if (at) assert.ok(ids[target].has(at), `${name}: ${address}`);
      }
    }
    const whole = await readFile(join(DIST, "just-data.html"), "utf8");
    const own = new Set(idsOf(whole.replace(/<script.*<\/script>/s, "")));
    for (const [, at] of whole.replace(/<script.*<\/script>/s, "").matchAll(/<a [^>]*?href="#([^"]*)"/g)) assert.ok(own.has(at) || at === "index", at);
  });

  test("what is translated has no English left in it, and English says so where it stays", async () => {
    const german = await read("guidelines.de.html");
    assert.match(german, /In Datendateien wird kein Code gespeichert/);
    assert.match(german, /<span lang="en">No code is stored in data files/, "the published words beside their translation");
    assert.match(german, /<ul class="compact" lang="en">/);
    assert.doesNotMatch(await read("limits.ja.html"), /Exploits of memory errors/);
  });

  test("security.txt lies where it is looked for", async () => {
    assert.match(await read(".well-known/security.txt"), /^Contact: mailto:/);
  });

  test("the site and the one file say which build they are, and say the same", async () => {
    const build = (html) => html.match(/data-build="(\d+\.\d+\.\d+-[0-9a-f]{12})"/)[1];
    const one = build(await read("index.html"));
    assert.equal(build(await readFile(join(DIST, "just-data.html"), "utf8")), one);
    for (const page of PAGES) assert.equal(build(await read(`${page}.html`)), one, page);
  });

  test("the checksums that the page shows are those of the files that it loads, and of the release", async () => {
    const listed = await readFile(join(DIST, "SHA256SUMS"), "utf8");
    const shown = (await read("promises.html")).match(/<pre class="sums"[^>]*><code>([^<]*)</)[1].trim().split("\n");
    const loads = (await readdir(join(DIST, "site"))).filter((name) => /\.(js|css)$/.test(name) && name !== "sw.js");
    assert.deepEqual(shown.map((line) => line.split("site/")[1]).sort(), loads.sort());
    for (const line of shown) {
      const [, sum, name] = line.match(/^([0-9a-f]{64}) {2}(site\/[\w.-]+)$/);
      assert.equal(createHash("sha256").update(await readFile(join(DIST, name))).digest("hex"), sum, name);
      assert.ok(listed.includes(`${line}\n`), name);
    }
  });
});

describe("in the browser", { timeout: 600_000 }, () => {
  let browser, site, folder, axe;
  before(async () => {
    browser = await openBrowser();
    site = await serve();
    folder = await samples();
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    await folder?.remove();
  });

  const run = (body, ...values) => browser.driver.executeScript(body, ...values);
  const emulate = (features, media = "") => browser.tools("Emulation.setEmulatedMedia", { media, features: Object.entries(features).map(([name, value]) => ({ name, value })) });
  const width = (pixels) => browser.tools("Emulation.setDeviceMetricsOverride", { width: pixels, height: 900, deviceScaleFactor: 1, mobile: false });
  const speaks = async (languages) => browser.tools("Emulation.setUserAgentOverride", { userAgent: await run("return navigator.userAgent"), acceptLanguage: languages });
  const visit = async (name) => {
    await browser.driver.get(site.address + name);
    await browser.driver.wait(() => run("return document.readyState === 'complete'"), 30_000);
  };
  const violations = async (label) => {
    await run(axe);
    const found = await run(`
      const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
      return violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 3).map(({ target, failureSummary }) => [String(target), failureSummary]) }));`);
    assert.deepEqual(found, [], label);
    const overflow = await run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert.ok(overflow <= 0, `${label} is ${overflow} pixels wider than the screen`);
  };

  for (const scheme of ["light", "dark"]) {
    // 640 pixels are what a screen of 1280 leaves at a zoom of 200 %.
    for (const pixels of [1280, 640, 320]) {
      test(`axe finds nothing, nothing is cut off: ${scheme}, ${pixels} pixels wide`, async () => {
        await emulate({ "prefers-color-scheme": scheme });
        await width(pixels);
        for (const page of PAGES.slice(1)) {
          await visit(`${page}.html`);
          if (pixels === 1280) await violations(page);
          else assert.ok(await run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page);
        }
      });
    }
  }

  test("with the system's own colours every page can be read, and on paper only the content is left", async () => {
    await width(1280);
    await emulate({ "forced-colors": "active" });
    await visit("guidelines.html");
    assert.equal(await run("return getComputedStyle(document.querySelector('.mark path')).stroke"), await run("document.body.style.color = 'Canvas'; return getComputedStyle(document.body).color"));
    await emulate({}, "print");
    await visit("guidelines.html");
    const shown = await run("return [...document.querySelectorAll('.top nav, .tongues, .seen, footer nav, #guidelines-title, blockquote')].map((one) => [one.className || one.localName, one.checkVisibility()])");
    assert.deepEqual(shown.filter(([, seen]) => seen).map(([name]) => name), ["h1", "blockquote", "blockquote", "blockquote"]);
    const { data } = await browser.tools("Page.printToPDF", { preferCSSPageSize: true });
    assert.match(Buffer.from(data, "base64").subarray(0, 5).toString(), /^%PDF-/);
    await emulate({});
  });

  test("the language is that of the browser, and can be chosen; results stay, the address keeps the choice", async () => {
    await speaks("de-AT,de,en");
    try {
      const page = await new Page(browser, `${site.address}index.html`).open();
      assert.equal(await run("return document.documentElement.lang"), "de");
      assert.equal(await run("return document.querySelector('h1').textContent"), "Sind das nur Daten?");
      assert.match(await run("return document.title"), /^Sind das nur Daten\? · Just Data$/);
      await page.give(await folder.put("model.pkl", picklesSystem()));
      await page.until("it is checked", () => page.run("return element.results.length === 1"));
      await (await browser.driver.findElement(By.css(".tongues summary"))).click();
      await (await browser.driver.findElement(By.css('.tongues a[data-language="ja"]'))).click();
      await page.until("the language is there", async () => (await run("return document.documentElement.lang")) === "ja");
      assert.match(await browser.driver.getCurrentUrl(), /index\.ja\.html$/);
      assert.equal(await page.run("return element.results.length"), 1, "the results are still there");
      assert.match(await page.run("return root.textContent"), /データだけではありません/, "and the element speaks it too");
      assert.equal(await run("return document.querySelector('footer a[data-page=limits]').getAttribute('href')"), "limits.ja.html");
      assert.equal(await run("return document.querySelector('.tongues a[aria-current]').dataset.language"), "ja");
      // English was asked for, though the browser prefers German.
      await visit("guidelines.html?lang=en");
      assert.equal(await run("return document.documentElement.lang"), "en");
      assert.equal(await run("return document.querySelector('.top .mark').getAttribute('href')"), "index.html?lang=en");
      assert.equal(await run("return document.querySelector('[data-abroad]').hidden"), true);
      await visit("guidelines.html");
      assert.equal(await run("return document.querySelector('blockquote p').textContent.slice(0, 15)"), "In Datendateien");
      assert.equal(await run("return document.querySelector('[data-abroad]').hidden"), false, "the published words stand beside");
    } finally {
      await speaks("en");
    }
  });

  test("a language is loaded when it is spoken; one that cannot be loaded changes nothing", async () => {
    await width(1280);
    const other = await serve({ before: async (name) => {
      if (name === "just-data.fr.js") throw new Error("not there");
    } });
    // What this page asked for: not what the service worker keeps for later.
    const catalogues = () => run("return performance.getEntriesByType('resource').map(({ name }) => name.split('/').pop()).filter((name) => /^just-data\\..+\\.js$/.test(name))");
    const spoken = () => run("return document.documentElement.lang");
    try {
      const page = await new Page(browser, `${other.address}index.html`).open();
      const choose = async (tag) => {
        await run("document.querySelector('.tongues').open = true");
        await (await browser.driver.findElement(By.css(`.tongues a[data-language="${tag}"]`))).click();
      };
      assert.equal(await spoken(), "en");
      assert.deepEqual(await catalogues(), []);
      await choose("fr");
      await page.until("French was asked for", async () => (await catalogues()).includes("just-data.fr.js"));
      assert.equal(await spoken(), "en");
      await choose("es");
      await page.until("Spanish is spoken", async () => (await spoken()) === "es");
      assert.match(await page.run("return root.textContent"), /archivos/);
      await choose("en");
      await page.until("English is spoken", async () => (await spoken()) === "en");
      assert.match(await page.run("return root.textContent"), /files/);
      assert.deepEqual(await catalogues(), ["just-data.fr.js", "just-data.es.js"]);
    } finally {
      await other.close();
    }
  });

  test("a message is prepared, looked through and changed before the mail program opens; the file's name only if ticked", async () => {
    await width(1280);
    await visit("index.html");
    const tell = (detail) => run("document.querySelector('just-data').dispatchEvent(new CustomEvent('just-data-problem', { detail: arguments[0], bubbles: true, composed: true }))", detail);
    const hash = "ab".repeat(32);
    await tell({ kind: "breach", guideline: "code", rule: "pickle-runs-code", place: "Miller, Anna.zip › model.pkl", offset: 123, sha256: hash, version: "0.1.0" });
    const mail = async () => new URL(await run("return document.querySelector('dialog a.button').href"));
    const field = (name, mailto) => mailto.searchParams.get(name);
    let mailto = await mail();
    assert.equal(decodeURIComponent(mailto.pathname), "slicer+security@discoursemail.com");
    assert.equal(field("subject", mailto), "A guideline is broken: No code in data files (pickle-runs-code)");
    for (const fact of ["Rule: pickle-runs-code", "byte 123 of a layer inside the file", `SHA-256: ${hash}`]) assert.ok(field("body", mailto).includes(fact), fact);
    assert.match(field("body", mailto), /Just Data: \d+\.\d+\.\d+-[0-9a-f]{12}/);
    assert.doesNotMatch(mailto.href, /Miller|model\.pkl/, "no name of a file");
    await violations("the message");
    await (await browser.driver.findElement(By.css("dialog input[type=checkbox]"))).click();
    assert.match(field("body", await mail()), /Miller, Anna\.zip › model\.pkl/);
    const body = await browser.driver.findElement(By.css("dialog textarea"));
    await body.clear();
    await body.sendKeys("Only this & that: 100%");
    assert.equal(field("body", await mail()), "Only this & that: 100%");
    // The checker's own ways have no address in this repository's policy: there is only the text.
    await run("const about = document.querySelector('dialog select'); about.value = 'wolf'; about.dispatchEvent(new Event('change'))");
    assert.equal(await run("return document.querySelector('dialog a.button').checkVisibility()"), false);
    assert.equal(await run("return document.querySelector('dialog input[type=text]').value"), "Just Data cried wolf (pickle-runs-code)");
    assert.match(await run("return document.querySelector('dialog').innerText"), /Vulnerabilities do not go to public issues/);
    await browser.driver.actions().sendKeys("\ue00c").perform();
    await browser.driver.wait(() => run("return !document.querySelector('dialog')"), 5000);

    await visit("reporting.html");
    const buttons = await browser.driver.findElements(By.css("button[data-report]"));
    assert.deepEqual(await Promise.all(buttons.map((one) => one.getAttribute("data-report"))), ["breach", "missed", "wolf"]);
    await buttons[0].click();
    assert.equal(field("subject", await mail()), "3D Slicer: a guideline is broken");
  });

  test("a download is compared with its checksum: the same, another, damaged paste, SHA-512; nothing is asked of the network", async () => {
    const bytes = randomBytes(3_000_001);
    const path = await folder.put("Slicer-5.10.exe", bytes);
    const sum = (kind) => createHash(kind).update(bytes).digest("hex");
    await visit("binaries.html");
    const expected = await browser.driver.findElement(By.css("#digest-expected"));
    const paste = async (text) => {
      await expected.clear();
      if (text) await expected.sendKeys(text);
    };
    const said = (pattern) => browser.driver.wait(async () => pattern.test(await run("return document.querySelector('.comparison').innerText")), 60_000, `${pattern}`);
    await (await browser.driver.findElement(By.css(".comparison input[type=file]"))).sendKeys(path);
    await said(new RegExp(`Compare this with the checksum on the download page\\.\\s+SHA-256 ${sum("sha256")}`));
    await paste(`SHA256: ${sum("sha256").toUpperCase()}  Slicer-5.10.exe`);
    await said(/The same: Slicer-5\.10\.exe is the file/);
    await paste("00".repeat(32));
    await said(/Not the same: Slicer-5\.10\.exe is another file/);
    await violations("a comparison");
    await paste(sum("sha256").slice(1));
    await said(/This is no SHA-256/);
    await paste(sum("sha512"));
    await said(new RegExp(`The same: [^]*SHA-512 ${sum("sha512")}`));
    assert.equal(await run("return document.querySelector('.seen .requests').textContent"), "0");
  });

  test("a comparison can be stopped, and then there is no answer", async () => {
    await visit("binaries.html");
    // A file of this size cannot be read before the button is pressed.
    await run(`
      const transfer = new DataTransfer();
      const piece = new Blob([new Uint8Array(2 ** 20)]);
      transfer.items.add(new File(Array(4096).fill(piece), "large.img"));
      document.querySelector(".comparison").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));`);
    const text = () => run("return document.querySelector('.comparison').innerText");
    await browser.driver.wait(() => run("const bar = document.querySelector('.comparison progress'); return bar.checkVisibility() && bar.value > 0"), 60_000);
    const cancel = await run("return [...document.querySelectorAll('.comparison button')].find((one) => one.textContent === 'Cancel')");
    await cancel.click();
    await browser.driver.wait(async () => /Cancelled: large\.img was not compared\./.test(await text()), 10_000);
    assert.doesNotMatch(await text(), /SHA-256 [0-9a-f]/);
  });
});

describe("the first paint", () => {
  test("waits neither for the scripts nor for the core", { timeout: 120_000 }, async () => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const site = await serve({ before: (name) => (name.endsWith(".js") ? held : null) });
    const browser = await openBrowser();
    try {
      // WebDriver waits for the load, which these scripts hold back until the page was painted.
      const tools = await developerTools(browser.driver);
      const said = async (expression) => (await tools.send("Runtime.evaluate", { expression, returnByValue: true })).result.value;
      await tools.send("Page.navigate", { url: `${site.address}index.html` });
      await browser.driver.wait(() => said("performance.getEntriesByName('first-contentful-paint').length === 1"), 60_000, "the page is painted");
      assert.match(await said("document.querySelector('main').innerText"), /Is this file just data\?[^]*No code in data files/);
      assert.equal(await said("customElements.get('just-data') === undefined"), true, "no script has run");
      tools.close();
      release();
      await new Page(browser, site.address).until("the checker has started", () => browser.driver.executeScript("return document.querySelector('just-data').reference != null"));
    } finally {
      release();
      await browser.close();
      await site.close();
    }
  });
});

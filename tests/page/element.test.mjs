// The element on pages of others: its attributes, properties, methods, events and looks, alone and in company.

import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { developerTools } from "./devtools.mjs";
import { nifti, picklesSystem, samples } from "./samples.mjs";
import { serve } from "./site.mjs";
import { DIST, ROOT } from "./surroundings.mjs";

/** What a page allows that is as strict as the element lets it be. */
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; style-src 'none'; require-trusted-types-for 'script'; trusted-types just-data";

describe("the element", { timeout: 300_000 }, () => {
  let browser, folder, home, site;
  before(async () => {
    [browser, folder, home] = [await openBrowser(), await samples(), await mkdtemp(join(tmpdir(), "just-data-element-"))];
    await cp(join(DIST, "element"), home, { recursive: true });
    site = await serve({ folder: home });
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    await site?.close();
    if (home) await rm(home, { recursive: true, force: true });
  });

  /** A page with this body, opened. */
  async function on(body, { script = "just-data.js", head = "", from = site } = {}) {
    await writeFile(join(home, "host.html"), `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>${head}<body>${body}${script ? `<script type="module" src="${script}"></script>` : ""}`);
    const page = new Page(browser, `${from.address}host.html`);
    await (script ? page.open() : browser.driver.get(page.address));
    return page;
  }

  /** What a page's own script would do; `element` is the element, `files` makes files from names and texts. */
  const script = (page, body, ...values) => page.run(`
    const files = (named) => Object.entries(named).map(([name, text]) => new File([text], name));
    const until = async (event, act) => { const come = new Promise((done) => element.addEventListener(event, ({ detail }) => done(detail), { once: true })); await act(); return come; };
    return (async () => { ${body} })();`, ...values);

  test("without the script, the words in its place are read", async () => {
    await on("<just-data><p>Use the command.</p></just-data>", { script: null });
    assert.equal(await browser.driver.executeScript("return document.querySelector('just-data').innerText"), "Use the command.");
  });

  test("the example of embed/plain works, by its own policy", async () => {
    await cp(join(ROOT, "embed/plain/index.html"), join(home, "index.html"));
    const page = await new Page(browser, site.address).open();
    const [model] = await page.check([await folder.put("model.pkl", picklesSystem())]);
    assert.equal(model.verdict, "code");
  });

  test("attributes are properties, and properties attributes", async () => {
    const page = await on(`<just-data theme="dark" accept=".nii" multiple="false" directory="false" max-bytes="4096" compact policy-href="policy.html"></just-data>`);
    const read = () => page.run("const { theme, accept, multiple, directory, maxBytes, compact, policyHref } = element; return { theme, accept, multiple, directory, maxBytes, compact, policyHref }");
    assert.deepEqual(await read(), { theme: "dark", accept: ".nii", multiple: false, directory: false, maxBytes: 4096, compact: true, policyHref: "policy.html" });
    await page.run("Object.assign(element, { theme: 'light', accept: '', multiple: true, directory: true, maxBytes: 10, compact: false, policyHref: '' })");
    assert.deepEqual(await read(), { theme: "light", accept: "", multiple: true, directory: true, maxBytes: 10, compact: false, policyHref: "" });
    assert.equal(await page.run("element.maxBytes = Infinity; element.theme = 'purple'; return `${element.hasAttribute('max-bytes')} ${element.theme}`"), "false auto");
  });

  test("properties that were set before it was defined are kept", async () => {
    await writeFile(join(home, "early.js"), "Object.assign(document.querySelector('just-data'), { maxBytes: 1234, theme: 'dark', compact: true });");
    const page = await on(`<just-data></just-data><script src="early.js"></script>`);
    assert.deepEqual(await page.run("return [element.maxBytes, element.getAttribute('max-bytes'), element.theme, element.compact, Object.keys(element).includes('maxBytes')]"), [1234, "1234", "dark", true, false]);
  });

  test("accept, multiple and directory say what may be chosen", async () => {
    const page = await on(`<just-data accept=".nii,.dcm" multiple="false" directory="false"></just-data>`);
    assert.deepEqual(await page.run("const input = root.querySelector('input:not([webkitdirectory])'); return [input.accept, input.multiple, root.querySelectorAll('[part~=choose-folder]').length]"), [".nii,.dcm", false, 0]);
  });

  test("with multiple=false the first of several is checked, and it is said; the next one takes its place", async () => {
    const page = await on(`<just-data multiple="false"></just-data>`);
    await script(page, "await until('just-data-done', () => element.check(files({ a: 'a', b: 'b' })))");
    assert.deepEqual(await page.run("return [element.results.map(({ path }) => path), root.querySelector('[part~=problem]').innerText]"), [["a"], "One file at a time: only the first one is checked."]);
    await script(page, "await until('just-data-done', () => element.check(files({ c: 'c' })))");
    assert.deepEqual(await page.run("return [element.results.map(({ path }) => path), root.querySelector('[part~=problem]').checkVisibility()]"), [["c"], false]);
  });

  test("a file over max-bytes is not read, and never called just data", async () => {
    const page = await on(`<just-data max-bytes="10"></just-data>`);
    await script(page, "await until('just-data-done', () => element.check(files({ long: 'x'.repeat(11), short: 'x'.repeat(10) })))");
    const [long, short] = await page.run("return element.results");
    assert.deepEqual([long.verdict, long.size, long.layers[0].stops[0].kind, short.verdict], ["unfinished", 11, "exhausted", "just-data"]);
    assert.match(long.layers[0].stops[0].message, /larger than this page checks/);
  });

  test("its policy is linked to, unless the address would run something", async () => {
    const page = await on(`<just-data policy-href="../policy.html"></just-data>`);
    const link = () => page.run("return root.querySelector('[part~=policy]')?.getAttribute('href') ?? null");
    assert.equal(await link(), "../policy.html");
    await page.run("element.policyHref = 'java' + 'script:alert(1)'");
    assert.equal(await link(), null);
  });

  test("events tell the whole course, bubble, and leave shadow roots", async () => {
    const page = await on("<main></main>", { script: null });
    await browser.driver.executeScript(`
      const inner = document.querySelector("main").attachShadow({ mode: "open" });
      inner.append(document.createElement("just-data"));
      window.told = [];
      for (const name of ["ready", "before-check", "progress", "result", "done", "error"]) {
        document.addEventListener("just-data-" + name, (event) => {
          window.told.push([name, JSON.parse(JSON.stringify(event.detail))]);
          if (event.detail?.name === "no.txt") event.preventDefault();
        });
      }
      const script = document.createElement("script"); script.type = "module"; script.src = "just-data.js"; document.head.append(script);`);
    await page.until("it is ready", () => browser.driver.executeScript("return window.told.some(([name]) => name === 'ready')"));
    await browser.driver.executeScript(`document.querySelector("main").shadowRoot.firstChild.check(["yes.txt", "no.txt"].map((name) => new File(["text"], name)))`);
    await page.until("it is done", () => browser.driver.executeScript("return window.told.some(([name]) => name === 'done')"));
    const told = await browser.driver.executeScript("return window.told");
    const names = told.map(([name]) => name);
    assert.deepEqual(names.filter((name) => name !== "progress"), ["ready", "before-check", "before-check", "result", "done"]);
    assert.ok(names.includes("progress"));
    const detail = Object.fromEntries(told);
    assert.deepEqual(detail["before-check"], { name: "no.txt", size: 4 });
    assert.equal(detail.result.path, "yes.txt");
    assert.deepEqual(detail.done, { files: 1, verdicts: { code: 0, caution: 0, unfinished: 0, "just-data": 1 } });
    assert.deepEqual(Object.keys(detail.progress), ["done", "files", "open", "total"]);
    assert.ok(detail.ready.rules.length > 10);
  });

  test("what cannot be had is an error to listen for", async () => {
    const page = await on("<just-data></just-data>");
    assert.deepEqual(await script(page, "return until('just-data-error', () => element.check([]))"), { message: "There was no file in it." });
  });

  test("results as JSON and as SARIF are those of the page and of the command", async () => {
    const page = await on("<just-data></just-data>");
    await page.check([await folder.put("model.pkl", picklesSystem())]);
    const json = JSON.parse(await page.run("return JSON.stringify(element)"));
    assert.deepEqual(Object.keys(json), ["tool", "files"]);
    assert.equal(json.tool.name, "just-data");
    assert.match(json.tool.version, /^\d+\.\d+\.\d+/);
    assert.equal(json.files[0].verdict, "code");
    const sarif = await script(page, "return element.toSARIF()");
    assert.equal(sarif.version, "2.1.0");
    assert.equal(sarif.runs[0].results[0].ruleId, json.files[0].findings[0].rule);
    await script(page, "element.clear()");
    assert.deepEqual(await page.run("return element.results"), []);
  });

  test("several on a page share their workers, and a file goes to the one that it is dropped on", async () => {
    // Workers of a page that was left may still be kept, frozen: here is a site without such a past.
    const fresh = await serve({ folder: home });
    const page = await on(`<just-data id="a"></just-data><just-data id="b"></just-data><p>between</p><just-data id="c"></just-data>`, { from: fresh });
    const drop = (where, name) => browser.driver.executeScript(`
      const transfer = new DataTransfer();
      transfer.items.add(new File(["text"], arguments[1]));
      const on = document.querySelector(arguments[0]);
      (on.shadowRoot?.querySelector("[part~=drop]") ?? on).dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, composed: true, cancelable: true }));`, where, name);
    await drop("#c", "third.txt");
    await drop("#b", "second.txt");
    await drop("p", "anywhere.txt");
    const has = () => browser.driver.executeScript("return [...document.querySelectorAll('just-data')].map(({ results }) => results.map(({ path }) => path))");
    await page.until("each has its own", async () => JSON.stringify(await has()) === JSON.stringify([["anywhere.txt"], ["second.txt"], ["third.txt"]]), 10_000);
    await browser.driver.executeScript("for (const element of document.querySelectorAll('just-data')) element.check(Array.from({ length: 40 }, (_, at) => new File(['x'.repeat(at)], `${at}.txt`)))");
    const tools = await developerTools(browser.driver);
    await page.until("all are done", async () => (await has()).every(({ length }) => length === 41), 60_000);
    const most = await browser.driver.executeScript("return Math.max(2, Math.min(navigator.hardwareConcurrency - 1, 4))");
    const own = [...tools.workers.values()].filter((address) => address.startsWith(`blob:${new URL(fresh.address).origin}/`));
    tools.close();
    assert.ok(own.length >= 1 && own.length <= most, `${own.length} workers, at most ${most}`);
    await browser.driver.executeScript("document.querySelector('#a').remove()");
    await drop("p", "later.txt");
    await page.until("the next one is the first now", async () => (await has())[0].includes("later.txt"), 10_000);
    await fresh.close();
  });

  test("a pause of one does not hold the others", async () => {
    const page = await on(`<just-data></just-data><just-data id="b"></just-data>`);
    await script(page, "element.check(files({ a: 'a' })); element.pause(); await new Promise((done) => setTimeout(done, 300));");
    await page.run("document.querySelector('#b').check([new File(['b'], 'b')])");
    await page.until("the other one is done", () => page.run("return document.querySelector('#b').results.length === 1"), 20_000);
    assert.equal(await page.run("return element.results.length"), 0);
    await page.run("element.resume()");
    await page.until("and then the first", () => page.run("return element.results.length === 1"), 20_000);
  });

  test("moved while it works, it goes on; taken away and put back, it works again", async () => {
    const page = await on("<div></div><just-data></just-data>");
    await script(page, "element.check(Array.from({ length: 30 }, (_, at) => new File(['x'], `${at}.txt`))); await new Promise((done) => setTimeout(done)); document.querySelector('div').append(element)");
    await page.until("all are checked", () => page.run("return element.results.length === 30 && element.results.every(({ verdict }) => verdict === 'just-data')"), 30_000);
    await page.run("window.kept = element; element.remove()");
    await browser.driver.executeScript("return new Promise((done) => setTimeout(done, 200))");
    await browser.driver.executeScript("document.body.append(window.kept)");
    assert.equal(await page.run("return root.querySelectorAll('[part~=drop]').length"), 1);
    await script(page, "await until('just-data-done', () => element.check(files({ again: 'x' })))");
    assert.equal(await page.run("return element.results.length"), 31);
  });

  test("its colours follow the page, unless it is told otherwise; its parts and properties are the page's to set", async () => {
    const head = "<style>:root { color-scheme: dark } just-data { --just-data-accent: rgb(1, 2, 3); --just-data-radius: 0px; } just-data::part(drop) { border-style: double } .light { color-scheme: light }</style>";
    const page = await on("<just-data></just-data>", { head });
    const lightness = () => page.run("const [r, g, b] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number); return (r + g + b) / 3");
    assert.ok(await lightness() > 150, "light words on a dark page");
    await page.run("document.documentElement.className = 'light'");
    assert.ok(await lightness() < 100);
    await page.run("element.theme = 'dark'");
    assert.ok(await lightness() > 150, "what it is told goes before the page");
    assert.deepEqual(await page.run("const drop = getComputedStyle(root.querySelector('[part~=drop]')); return [drop.borderTopStyle, drop.borderTopLeftRadius, getComputedStyle(root.querySelector('[part~=choose]')).backgroundColor]"), ["double", "0px", "rgb(1, 2, 3)"]);
  });

  test("its size is that which the reader has set, whatever the root of the page is set to, unless it is told otherwise", async () => {
    const page = await on("<just-data></just-data>", { head: "<style>:root { font-size: 62.5% } .large { --just-data-size: 20px }</style>" });
    const sizes = () => page.run("return [element, root.querySelector('.lead')].map((one) => getComputedStyle(one).fontSize)");
    assert.deepEqual(await sizes(), ["16px", "22.4px"]);
    await page.run("element.className = 'large'");
    assert.deepEqual(await sizes(), ["20px", "28px"]);
  });

  test("a strict policy of the page is enough for it: no style, no connection, no HTML", async () => {
    const strict = await serve({ folder: home, headers: { "Content-Security-Policy": STRICT } });
    try {
      const page = await on("<just-data></just-data>", { from: strict });
      await page.run("window.broken = []; addEventListener('securitypolicyviolation', ({ violatedDirective }) => window.broken.push(violatedDirective))");
      const [volume] = await page.check([await folder.put("brain.nii", nifti())]);
      await page.openRow("brain.nii");
      assert.equal(volume.verdict, "just-data");
      assert.deepEqual(await page.run("return window.broken"), []);
      assert.notEqual(await page.run("return getComputedStyle(root.querySelector('[part~=drop]')).display"), "block", "and its own style is there");
    } finally {
      await strict.close();
    }
  });

  test("with the core beside it, it fetches that one file, and says so where it may not", async () => {
    const allowed = await serve({ folder: home, headers: { "Content-Security-Policy": `${STRICT}; connect-src 'self'` } });
    try {
      const page = await on("<just-data></just-data>", { script: "just-data.split.js", from: allowed });
      const [volume] = await page.check([await folder.put("brain.nii", nifti())]);
      assert.equal(volume.verdict, "just-data");
      assert.deepEqual(allowed.requests.filter((line) => line.includes("just-data")).map((line) => line.split("/").pop()), ["just-data.split.js", "just-data.wasm"]);
    } finally {
      await allowed.close();
    }
    const forbidden = await serve({ folder: home, headers: { "Content-Security-Policy": STRICT } });
    try {
      await browser.driver.get(`${forbidden.address}host.html`);
      const page = new Page(browser, forbidden.address);
      await page.until("it says what is wrong", () => page.run("return /could not start/.test(root.querySelector('[part~=problem]')?.innerText ?? '')"), 20_000);
    } finally {
      await forbidden.close();
    }
  });
});

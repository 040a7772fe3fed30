// The list of many files: only rows in sight are made; search, order, groups; the keys; pause.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { Key, openBrowser, Page } from "./browser.mjs";
import { pageWithFaultyCore } from "./faulty-core.mjs";
import { dicom, elf, nifti, picklesSystem, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";

let browser, folder;
before(async () => {
  browser = await openBrowser();
  folder = await samples();
});
after(async () => {
  await browser?.close();
  await folder?.remove();
});

const press = (page, ...keys) => page.driver.actions().sendKeys(...keys).perform();
/** The name in the row that has the focus. */
const focused = (page) => page.run("return root.activeElement?.querySelector('.name')?.textContent ?? root.activeElement?.type ?? null");
const names = async (page) => (await page.rows()).map(({ name }) => name);
const choose = (page, at, value) => page.run(`
  const select = root.querySelectorAll(".tools select")[arguments[0]];
  select.value = arguments[1];
  select.dispatchEvent(new Event("change"));`, at, value);
const [GUIDELINE, FORMAT, ORDER, TOGETHER] = [0, 1, 2, 3];

describe("the list", () => {
  let site, page;
  before(async () => { site = await serve(); });
  after(() => site?.close());
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  const many = (count) => page.run(`
    await element.check(Array.from({ length: arguments[0] }, (_, at) => new File(["text " + at], "many/file " + at + ".txt")))`, count);

  async function study() {
    const files = {
      "models/segmentation.pkl": picklesSystem(), "models/bundle.zip": zip({ "a/best.pkl": picklesSystem("id"), "b.txt": "b\n" }),
      "series/10.dcm": dicom(), "series/9.dcm": dicom({ preamble: elf() }), "cut.nii": nifti().subarray(0, 300), "notes.txt": "a longer note than the others\n",
    };
    // As the browser would give them from a folder that was dropped.
    await page.run(`
      await element.check(Object.entries(arguments[0]).map(([name, base64]) =>
        new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name)))`,
    Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")])));
    await page.quiet(Object.keys(files).length);
  }

  test("of a thousand rows those in sight are in the document, with their places in the whole list", async () => {
    await many(1000);
    await page.quiet(1000);
    const rows = () => page.run("return [...root.querySelectorAll('.slot')].map((row) => [Number(row.getAttribute('aria-posinset')), Number(row.getAttribute('aria-setsize')), row.querySelector('.name').textContent])");
    const top = await rows();
    assert.ok(top.length > 5 && top.length < 60, `${top.length} rows`);
    assert.deepEqual(top[0], [1, 1000, "many/file 0.txt"]);
    assert.ok(top.every(([, size]) => size === 1000));
    const height = await page.run("return root.querySelector('.files').getBoundingClientRect().height");
    assert.ok(height > 1000 * 50, "the list is as high as all of its rows");

    await page.run("scrollTo({ top: document.documentElement.scrollHeight / 2, behavior: 'instant' })");
    await page.until("rows of the middle are there", async () => (await rows()).some(([place]) => place > 300 && place < 700), 5000);
    assert.ok((await rows()).length < 60);
    const seen = await page.run(`
      const box = (row) => row.getBoundingClientRect();
      return [...root.querySelectorAll(".slot")].filter((row) => box(row).bottom > 0 && box(row).top < innerHeight).length * 40 > innerHeight / 4`);
    assert.ok(seen, "where the person looks there are rows");
  });

  test("an opened result stays open when it is scrolled out of sight and back", async () => {
    await many(200);
    await page.quiet(200);
    await page.openRow("many/file 3.txt");
    await press(page, Key.END);
    await page.until("it is gone", () => page.run("return ![...root.querySelectorAll('.name')].some((name) => name.textContent === 'many/file 3.txt')"), 5000);
    const toggle = await page.toggle("many/file 3.txt");
    assert.equal(await toggle.getAttribute("aria-expanded"), "true");
  });

  test("worst first; by name, by size, by folder; alone or in groups that fold", async () => {
    await study();
    const worst = await page.rows();
    assert.deepEqual(worst.map(({ verdict }) => verdict), ["Not just data", "Not just data", "Not just data", "Not fully checked", "Just data", "Just data"]);
    await choose(page, ORDER, "name");
    assert.deepEqual(await names(page), ["cut.nii", "models/bundle.zip", "models/segmentation.pkl", "notes.txt", "series/9.dcm", "series/10.dcm"]);
    await choose(page, ORDER, "size");
    const sizes = new Map((await page.reports()).map(({ path, size }) => [path, size]));
    const bySize = (await names(page)).map((name) => sizes.get(name));
    assert.deepEqual(bySize, bySize.toSorted((a, b) => b - a));
    await choose(page, ORDER, "folder");
    assert.deepEqual(await names(page), ["cut.nii", "notes.txt", "models/bundle.zip", "models/segmentation.pkl", "series/9.dcm", "series/10.dcm"]);
    await choose(page, ORDER, "worst");
    await choose(page, TOGETHER, "folder");
    const groups = () => page.run("return [...root.querySelectorAll('.group')].map((group) => [group.querySelector('.name').textContent, group.querySelector('.said').textContent, group.querySelector('.toggle').getAttribute('aria-expanded')])");
    const told = await groups();
    assert.deepEqual(told.map(([name]) => name), ["models", "series", "No folder"], "the group with the worst file first");
    assert.match(told[0][1], /^2 files · .* · 2 not just data$/);
    const shown = await page.run("return [...root.querySelectorAll('.slot:not(.group) .name')].map((name) => name.textContent)");
    assert.ok(shown.includes("segmentation.pkl"), "the heading says the folder");
    assert.deepEqual(shown.filter((name) => name.includes("/")), []);
    await page.run("root.querySelector('.group .toggle').click()");
    assert.equal((await groups())[0][2], "false");
    assert.deepEqual((await names(page)).filter((name) => name.startsWith("models/")), []);
    await page.run("root.querySelector('.group .toggle').click()");
    assert.equal((await names(page)).length, 6);
  });

  test("by verdict, guideline, format and words; what is left out is told, and comes back", async () => {
    await study();
    const search = await page.run("return root.querySelector('input[type=search]')");
    await search.sendKeys("segment");
    assert.deepEqual(await names(page), ["models/segmentation.pkl"]);
    assert.match(await page.run("return root.querySelector('.part').innerText"), /^1 of 6 files shown\. Show all$/);
    await page.until("it is said", () => page.run("return root.querySelector('.voice').textContent === '1 of 6 files shown.'"), 5000);
    await press(page, Key.ESCAPE);
    assert.equal((await names(page)).length, 6);
    // By a rule's title, and by a format: of the file itself and of what is inside it.
    const title = await page.run("return element.reference.rules.find(({ id }) => id === element.results.find(({ path }) => path === 'models/segmentation.pkl').findings[0].rule).title");
    await search.sendKeys(title);
    assert.ok((await names(page)).includes("models/segmentation.pkl"));
    await search.sendKeys(Key.ESCAPE);
    await choose(page, FORMAT, "pickle");
    assert.deepEqual((await names(page)).sort(), ["models/bundle.zip", "models/segmentation.pkl"]);
    await choose(page, FORMAT, "");
    await choose(page, GUIDELINE, "code");
    assert.equal((await names(page)).length, 3);
    await choose(page, GUIDELINE, "listening");
    assert.deepEqual(await names(page), []);
    assert.equal(await page.run("return root.querySelector('.none').checkVisibility()"), true);
    await page.press("Show all", ".part");
    assert.equal((await names(page)).length, 6);
    await page.press("Not just data", ".filters");
    assert.equal((await names(page)).length, 3);
    assert.equal(await page.run("return root.querySelector('[data-filter=code]').getAttribute('aria-pressed')"), "true");
  });

  test("the keyboard's way: / searches, the arrows go, Enter opens, Escape closes, ? tells the keys", async () => {
    await many(300);
    await page.quiet(300);
    await page.run("document.activeElement.blur()");
    await press(page, "/");
    assert.equal(await focused(page), "search");
    await press(page, "file 29", Key.TAB, Key.TAB, Key.TAB, Key.TAB, Key.TAB);
    // The search found 29, 129, 229 and 290 to 299; the link "Show all" comes before the list.
    for (let steps = 0; steps < 4 && !/^many/.test(await focused(page) ?? ""); steps += 1) await press(page, Key.TAB);
    assert.equal(await focused(page), "many/file 29.txt");
    await press(page, Key.ARROW_DOWN);
    assert.equal(await focused(page), "many/file 129.txt");
    await press(page, Key.END);
    assert.equal(await focused(page), "many/file 299.txt");
    await press(page, Key.HOME);
    assert.equal(await focused(page), "many/file 29.txt");
    await press(page, Key.ENTER);
    assert.equal(await page.run("return root.activeElement.getAttribute('aria-expanded')"), "true");
    await press(page, Key.TAB);
    assert.notEqual(await focused(page), "many/file 29.txt", "the next stop is in the result");
    await press(page, Key.ESCAPE);
    assert.equal(await focused(page), "many/file 29.txt");
    assert.equal(await page.run("return root.activeElement.getAttribute('aria-expanded')"), "false");
    await press(page, "/", Key.ESCAPE);
    await page.run("root.querySelector('.files .toggle').focus()");
    await press(page, Key.END);
    assert.equal(await focused(page), "many/file 299.txt", "to the end of a list that was never seen whole");
    const seen = await page.run("const { top, bottom } = root.activeElement.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight");
    assert.ok(seen, "what has the focus is in sight");
    await press(page, "?");
    assert.match(await page.run("return root.querySelector('dialog[open]').innerText"), /^Keys[\s\S]*Search in the list/);
    await press(page, Key.ESCAPE);
    assert.equal(await page.run("return root.querySelector('dialog[open]')"), null);
    assert.equal(await focused(page), "many/file 299.txt", "the focus is where it was");
  });

  test("one row is in the order of the Tab key, and it keeps the focus while results come in", async () => {
    await many(40);
    await page.quiet(40);
    await page.run("root.querySelectorAll('.files .toggle')[5].focus()");
    const before = await page.run("return [root.activeElement.querySelector('.name').textContent, root.activeElement.getBoundingClientRect().top]");
    await page.run("await element.check([new File([Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0))], 'evil.pkl')])", picklesSystem().toString("base64"));
    await page.quiet(41);
    const after = await page.run("return [root.activeElement.querySelector('.name').textContent, root.activeElement.getBoundingClientRect().top]");
    assert.equal(after[0], before[0]);
    assert.ok(Math.abs(after[1] - before[1]) < 4, `the row went from ${before[1]} to ${after[1]}`);
    assert.equal(await page.run("return root.querySelectorAll('.files .toggle[tabindex=\"0\"]').length"), 1);
  });
});

describe("files come in every way", () => {
  let site, page;
  before(async () => { site = await serve(); });
  after(() => site?.close());
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  test("pasted", async () => {
    await page.run(`
      const clipboardData = new DataTransfer();
      for (const name of ["one.txt", "two.txt"]) clipboardData.items.add(new File([name], name));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));`);
    await page.quiet(2);
    assert.deepEqual((await page.reports()).map(({ path }) => path), ["one.txt", "two.txt"]);
  });

  test("text that is pasted is left to the page", async () => {
    const taken = await page.run(`
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "no file");
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
      return root.querySelector(".problem").checkVisibility()`);
    assert.equal(taken, false);
    assert.deepEqual(await page.reports(), []);
  });

  test("as handles, as an installed page is started with; one that may not be opened has a row that says so", async () => {
    await page.run(`
      const own = await navigator.storage.getDirectory();
      const folder = await own.getDirectoryHandle("given", { create: true });
      const handle = await folder.getFileHandle("inside.txt", { create: true });
      const refused = { kind: "directory", name: "locked", values() { throw new DOMException("no", "NotAllowedError"); } };
      await element.check([folder, refused]);`);
    await page.quiet(2);
    assert.deepEqual((await page.reports()).map(({ path, verdict }) => [path, verdict]), [["given/inside.txt", "just-data"], ["locked", "unfinished"]]);
    const row = (await page.rows()).find(({ name }) => name === "locked");
    assert.equal(row.said, "Could not be read: The browser was not allowed to open it.");
    await page.run("element.lang = 'de'");
    const again = (await page.rows()).find(({ name }) => name === "locked");
    assert.equal(again.said, "Konnte nicht gelesen werden: Der Browser durfte sie nicht öffnen.", "the page's own reasons are in the person's language");
  });

  test("while files are over the page it shows where they go, and nothing moves", async () => {
    const places = () => page.run("return [...root.querySelectorAll('.drop > *')].map((one) => one.getBoundingClientRect().top)");
    const drag = (type) => page.run(`
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["1"], "one.txt"));
      document.body.dispatchEvent(new DragEvent(arguments[0], { dataTransfer, bubbles: true, cancelable: true }));`, type);
    const shown = () => page.run("return getComputedStyle(root.querySelector('.drop')).borderTopStyle");
    const before = await places();
    assert.equal(await shown(), "dashed");
    await drag("dragover");
    assert.equal(await shown(), "solid");
    assert.deepEqual(await places(), before);
    await drag("dragleave");
    assert.equal(await shown(), "dashed");
  });

  test("nothing in it: it is said", async () => {
    await page.run("await element.check([])");
    assert.equal(await page.run("return root.querySelector('.problem').innerText"), "There was no file in it.");
  });
});

describe("pause", () => {
  let built, site, page;
  before(async () => {
    built = await pageWithFaultyCore();
    site = await serve({ folder: built.site });
  });
  after(async () => {
    await site?.close();
    await built?.remove();
  });
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  const put = (...files) => Promise.all(files.map((name) => folder.put(`pause/${name}`, "1234")));
  const states = () => page.run("return Object.fromEntries([...root.querySelectorAll('.file')].map((file) => [file.querySelector('.name').textContent, file.dataset.state]))");
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  test("nothing goes on while it pauses; afterwards all of it does", async () => {
    await page.give(await put(...Array.from({ length: 10 }, (_, at) => `slow ${at}`)));
    await page.until("they run", async () => Object.values(await states()).includes("reading"));
    await page.press("Pause");
    const done = (await page.reports()).length;
    assert.match(await page.run("return root.querySelector('.summary').innerText"), /^Paused: \d of 10 files checked/);
    // Longer than the slow ones need.
    await wait(2500);
    assert.equal((await page.reports()).length, done);
    assert.ok(Object.values(await states()).every((state) => state === "waiting" || state === "done"));
    await page.press("Go on");
    await page.quiet(10);
    assert.ok((await page.reports()).every(({ verdict }) => verdict === "just-data"));
  });

  test("a search of large ranges keeps what it found and begins anew; a pause ends with a cancel", async () => {
    await page.give(await put("ranges endless"));
    await page.until("it searches", async () => (await states())["ranges endless"] === "searching");
    assert.equal(await page.run("return root.querySelector('.verdict').textContent"), "Nothing found so far");
    assert.match(await page.run("return root.querySelector('.doing').textContent"), /^Still looking through 3 bytes: sample/);
    await page.press("Pause");
    assert.equal((await states())["ranges endless"], "searching");
    await page.press("Cancel all");
    await page.quiet(1);
    assert.equal((await page.reports())[0].layers[0].stops[0].kind, "cancelled");
    await page.check(await put("after the pause"));
    assert.equal((await page.reports())[1].verdict, "just-data", "it does not pause any more");
  });

  test("while it pauses, a report can still be saved", async () => {
    await page.check(await put("first"));
    await page.give(await put("spin"));
    await page.until("it runs", async () => Object.values(await states()).includes("reading"));
    await page.press("Pause");
    await page.openRow("first");
    assert.equal(JSON.parse((await page.saved("Save JSON", ".detail")).text).format, "json");
  });
});

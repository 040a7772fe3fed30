// The queue: many files, folders, cancel, clear, check again, and a checker that breaks.

import assert from "node:assert/strict";
import { truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { pageWithFaultyCore } from "./faulty-core.mjs";
import { nifti, samples } from "./samples.mjs";
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

describe("with the shipped core", () => {
  let site, page;
  before(async () => { site = await serve(); });
  after(() => site?.close());
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  async function manyFiles(name, count) {
    for (let at = 0; at < count; at += 1) await folder.put(`${name}/part ${at % 7}/deep/${at}.txt`, `file ${at}\n`);
    return join(folder.folder, name);
  }

  test("a folder of 250 files in folders, through the folder button", async () => {
    const path = await manyFiles("study", 250);
    await page.give(path, "folder");
    await page.quiet(250);
    const reports = await page.reports();
    assert.equal(new Set(reports.map((report) => report.path)).size, 250);
    assert.ok(reports.every((report) => report.verdict === "just-data" && /^study\/part \d\/deep\/\d+\.txt$/.test(report.path)));
    assert.equal((await page.rows()).length, 250, "going through the list shows all of them");
  });

  test("a folder of 250 files dropped on the page, beside the drop zone", async () => {
    const path = await manyFiles("dropped", 250);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await browser.tools("Input.dispatchDragEvent", { type, x: 60, y: 120, data });
    }
    await page.quiet(250);
    const reports = await page.reports();
    assert.equal(reports.length, 250);
    assert.ok(reports.every(({ path: name }) => name.startsWith("dropped/part ")));
    assert.equal(await page.driver.getCurrentUrl(), site.address, "the browser did not open the drop itself");
  });

  test("clear forgets everything; the same file can be given again", async () => {
    const path = await folder.put("notes.txt", "hello\n");
    await page.check(path);
    await page.press("Clear");
    assert.deepEqual(await page.rows(), []);
    assert.deepEqual(await page.reports(), []);
    assert.equal(await page.run("return root.activeElement.textContent"), "Choose files…", "the focus goes to the next thing to do");
    assert.equal((await page.check(path)).length, 1);
  });

  test("a file that shrank or vanished since it was given: a sentence, and nothing else is lost", async () => {
    const shrinks = await folder.put("shrinks.nii", Buffer.concat([nifti(), Buffer.alloc(3 << 20)]));
    const vanishes = await folder.put("vanishes.nii", nifti());
    const stays = await folder.put("stays.txt", "still here\n");
    await page.check([shrinks, vanishes, stays]);
    await truncate(shrinks, 100);
    await unlink(vanishes);
    await page.press("Check again");
    await page.quiet(3);
    const [shrank, vanished, stayed] = await page.reports();
    for (const report of [shrank, vanished]) {
      assert.equal(report.verdict, "unfinished", report.path);
      assert.ok(report.layers[0].stops.some(({ kind }) => kind === "source"), JSON.stringify(report.layers[0].stops));
    }
    assert.equal(stayed.verdict, "just-data");
    const row = (await page.rows()).find(({ name }) => name === "vanishes.nii");
    assert.match(row.said, /^Could not be read: /);
  });

  test("check again reads a changed file that was dropped as it is now", async () => {
    const path = await folder.put("changing.txt", "first\n");
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) await browser.tools("Input.dispatchDragEvent", { type, x: 300, y: 400, data });
    await page.quiet(1);
    await writeFile(path, "second, and longer\n");
    await page.press("Check again");
    await page.until("the new size", async () => (await page.reports())[0]?.size === 19);
    assert.equal((await page.reports())[0].verdict, "just-data");
  });

  test("thousands of files: every one has its result", async () => {
    const path = await manyFiles("thousands", 3000);
    await page.give(path, "folder");
    await page.quiet(3000, 180_000);
    const reports = await page.reports();
    assert.equal(reports.length, 3000);
    assert.ok(reports.every(({ verdict }) => verdict === "just-data"));
  });
});

describe("with a core that breaks", () => {
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

  const put = (...names) => Promise.all(names.map((name) => folder.put(`faulty/${name}`, "1234")));
  const verdicts = async () => Object.fromEntries((await page.reports()).map(({ path, verdict, layers }) => [path, layers[0].stops[0]?.kind ?? verdict]));

  test("a trap costs the file that it happened on, and no other", async () => {
    await page.check(await put("a", "trap 1", "b", "trap 2", "c", "d"));
    assert.deepEqual(await verdicts(), { a: "just-data", "trap 1": "exhausted", b: "just-data", "trap 2": "exhausted", c: "just-data", d: "just-data" });
    const row = (await page.rows()).find(({ name }) => name === "trap 1");
    assert.equal(row.verdict, "Not fully checked");
    assert.match(row.said, /The checker stopped on this file \(RuntimeError: .*unreachable.*\)/);
  });

  test("cancel one: at once, although its checker never comes back; the others go on", async () => {
    await page.give(await put("spin", "slow 1", "slow 2", "slow 3"));
    await page.until("it spins", () => page.run("return [...root.querySelectorAll('.file')].some((row) => row.dataset.state === 'reading' && row.querySelector('.name').textContent === 'spin')"));
    await page.run("[...root.querySelectorAll('.file')].find((row) => row.querySelector('.name').textContent === 'spin').querySelector('.cancel').click()");
    const start = Date.now();
    await page.quiet(4, 20_000);
    assert.ok(Date.now() - start < 15_000);
    assert.deepEqual(await verdicts(), { spin: "cancelled", "slow 1": "just-data", "slow 2": "just-data", "slow 3": "just-data" });
  });

  test("cancel all: every file has a result, and the next ones are checked", async () => {
    await page.give(await put("spin 1", "spin 2", "spin 3", "spin 4", "spin 5"));
    await page.until("some spin", () => page.run("return root.querySelector('[data-state=reading]') !== null"));
    await page.press("Cancel all");
    await page.quiet(5, 10_000);
    assert.ok(Object.values(await verdicts()).every((kind) => kind === "cancelled"));
    await page.check(await put("after"));
    assert.equal((await verdicts()).after, "just-data");
  });

  test("clear during a check ends it, and what it would have said does not come later", async () => {
    await page.give(await put("slow x", "spin y"));
    await page.until("they run", () => page.run("return root.querySelector('[data-state=reading]') !== null"));
    await page.press("Clear");
    await page.check(await put("next"));
    assert.deepEqual((await page.reports()).map(({ path }) => path), ["next"]);
  });

  test("large ranges are searched apart and joined in their order", async () => {
    const [report] = await page.check(await put("ranges"));
    assert.equal(report.verdict, "just-data");
    assert.deepEqual(report.joined, [0, 1, 2]);
  });

  test("a trap in a search keeps what was read, and is never just data", async () => {
    const [report] = await page.check(await put("ranges second"));
    assert.equal(report.verdict, "unfinished");
    assert.deepEqual(report.pending, []);
    assert.ok(report.layers[0].stops.length > 0 && report.layers[0].stops.every(({ kind }) => kind === "exhausted"));
  });

  test("cancelling a search keeps the provisional result", async () => {
    await page.give(await put("ranges endless"));
    await page.until("it searches", () => page.run("return root.querySelector('[data-state=searching]') !== null"));
    assert.match((await page.rows())[0].said, /still being searched/);
    await page.press("Cancel all");
    const [report] = await page.quiet(1).then(() => page.reports());
    assert.equal(report.verdict, "unfinished");
    assert.deepEqual(new Set(report.layers[0].stops.map(({ kind }) => kind)), new Set(["cancelled"]));
  });
});

// Files that belong together: a header and its values, the slices of a series, what a file names beside it.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { dicom, elf } from "./samples.mjs";
import { serve } from "./site.mjs";

const HEADER = "NRRD0004\ntype: short\ndimension: 2\nsizes: 3 2\nencoding: raw\ndata file: values.raw\n";

/** A slice of a series: the element (0020,000E) goes in where it belongs by its number. */
function slice(preamble) {
  const bytes = dicom({ preamble });
  const at = bytes.indexOf(Buffer.from([0x28, 0x00, 0x02, 0x00]));
  assert.ok(at > 0, "the sample has an element behind group 0020");
  const uid = Buffer.from("1.2.3.4\0");
  const element = Buffer.concat([Buffer.from([0x20, 0, 0x0e, 0]), Buffer.from("UI"), Buffer.from([uid.length, 0]), uid]);
  return Buffer.concat([bytes.subarray(0, at), element, bytes.subarray(at)]);
}

describe("files that belong together", () => {
  let browser, site, page;
  before(async () => {
    browser = await openBrowser();
    site = await serve();
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  /** Gives files as the browser would from a folder that was dropped, and waits until nothing is left to do. */
  async function give(files) {
    await page.run(`
      window.done = false;
      element.addEventListener("just-data-done", () => { window.done = true; }, { once: true });
      element.check(Object.entries(arguments[0]).map(([name, base64]) =>
        new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name)))`,
    Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")])));
    await page.until("all is checked and related", () => page.run("return window.done"));
    const reports = await page.reports();
    return Object.fromEntries(reports.map((report) => [report.path, report]));
  }
  const groups = () => page.run(`return [...root.querySelectorAll(".group")].map((group) =>
    ({ name: group.querySelector(".name").textContent, said: group.querySelector(".said").textContent, open: group.querySelector(".toggle").getAttribute("aria-expanded") }))`);

  test("a header and its values are one line, and each says of the other", async () => {
    const reports = await give({ "study/volume.nhdr": HEADER, "study/values.raw": Buffer.alloc(12, 0xf1) });
    assert.equal(reports["study/values.raw"].verdict, "just-data");
    assert.equal(reports["study/values.raw"].part_of, "study/volume.nhdr");
    assert.equal(reports["study/volume.nhdr"].companions[0].found, "study/values.raw");
    const [pair, ...others] = await groups();
    assert.deepEqual([pair.name, pair.open, others.length], ["study/volume.nhdr", "false", 0]);
    assert.match(pair.said, /^2 files/);
    await page.run("root.querySelector('.group .toggle').click()");
    await page.openRow("study/volume.nhdr");
    await page.until("the companions are shown", () => page.run("return root.querySelector('.companions') !== null"), 5000);
    assert.match(await page.run("return root.querySelector('.companions').innerText"), /values\.raw: found beside it/);
  });

  test("what is not among the files is said so, and values without their header stay unknown", async () => {
    const reports = await give({ "a/volume.nhdr": HEADER, "b/values.raw": Buffer.alloc(12, 0xf1) });
    assert.equal(reports["a/volume.nhdr"].companions[0].missing, true);
    assert.equal(reports["b/values.raw"].verdict, "unfinished");
    assert.deepEqual(await groups(), []);
    await page.openRow("a/volume.nhdr");
    await page.until("the companions are shown", () => page.run("return root.querySelector('.companions') !== null"), 5000);
    assert.match(await page.run("return root.querySelector('.companions').innerText"), /values\.raw: not among the files that were given/);
  });

  test("the slices of a series are one line, unless they differ", async () => {
    const files = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`series/${number}.dcm`, slice()]));
    const reports = await give({ ...files, "series/6.dcm": slice(elf()) });
    assert.deepEqual(new Set(Object.values(reports).map(({ series }) => series)), new Set(["1.2.3.4"]));
    const [series, ...others] = await groups();
    assert.equal(others.length, 0);
    assert.match(series.said, /^5 files/);
    assert.deepEqual((await page.rows()).map(({ name }) => name), ["series/6.dcm"]);
  });
});

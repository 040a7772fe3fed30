// The page as one HTML file, opened from the disk, in a place with an awkward name.

import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openBrowser, Page } from "./browser.mjs";
import { nifti, dicom, elf, samples } from "./samples.mjs";
import { DIST } from "./surroundings.mjs";

describe("one file, from the disk", () => {
  let browser, folder, page;
  before(async () => {
    browser = await openBrowser();
    folder = await samples();
    const place = join(folder.folder, "Downloads & more #1");
    await mkdir(place);
    const path = join(place, "just-data (1).html");
    await copyFile(join(DIST, "just-data.html"), path);
    page = await new Page(browser, pathToFileURL(path).href).open();
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
  });

  test("checks files, makes no request, breaks no policy", async () => {
    const [pickle, volume] = await page.check([await folder.put("preamble.dcm", dicom({ preamble: elf() })), await folder.put("volume.nii", nifti())]);
    assert.equal(pickle.verdict, "code");
    assert.equal(volume.verdict, "just-data");
    assert.deepEqual(await page.counters(), { requests: 0, blocked: 0 });
    const { text } = await page.saved("Save JSON", ".saving");
    assert.equal(JSON.parse(text).files.length, 2);
  });

  test("looks like the hosted page: its style is allowed by its own policy", async () => {
    const style = await page.driver.executeScript("return getComputedStyle(document.querySelector('.bench')).display");
    assert.equal(style, "grid");
  });

  test("names nothing beside it that it would need", async () => {
    const html = await readFile(join(DIST, "just-data.html"), "utf8");
    assert.doesNotMatch(html.replace(/<script type="module">.*<\/script>/s, ""), /<(link rel="stylesheet"|script src|img|iframe)/);
    assert.ok((await stat(join(DIST, "just-data.html"))).size < 12 * 2 ** 20);
  });
});

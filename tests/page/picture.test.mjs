// The picture of the bytes: from gigabytes to single bytes, into what is nested, by mouse, wheel and keys; and saved.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, beforeEach, describe, test } from "node:test";
import { Key, openBrowser, Page } from "./browser.mjs";
import { dicom, elf, nifti, picklesSystem, samples, tar, zip } from "./samples.mjs";
import { serve } from "./site.mjs";

describe("the picture of the bytes", () => {
  let browser, folder, site, page;
  before(async () => {
    browser = await openBrowser({ scale: 2 });
    folder = await samples();
    site = await serve();
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    await site?.close();
  });
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  const drawn = () => page.until("the picture is drawn", () => page.run("return root.querySelector('.stage svg') !== null"), 5000);
  const part = () => page.run("return root.querySelector('.in-view').textContent");
  const value = () => page.run("return root.querySelector('.stage').getAttribute('aria-valuetext')");
  const crumbs = () => page.run("return [...root.querySelectorAll('.crumbs li')].map((one) => one.textContent)");
  const press = (...keys) => page.driver.actions().sendKeys(...keys).perform();
  const stage = () => page.run("const stage = root.querySelector('.stage'); stage.scrollIntoView({ block: 'center' }); return stage;");
  /** In pixels from the left of the picture, and from its top. */
  const at = async (x, y) => {
    const origin = await stage();
    const { width, height } = await origin.getRect();
    return { origin, x: Math.round(x - width / 2), y: Math.round(y - height / 2) };
  };

  test("a click chooses the range that is there, and a click on a pin the finding", async () => {
    await page.check(await folder.put("scan.dcm", dicom({ preamble: elf(), pixels: 4096 })));
    await drawn();
    const { width } = await (await stage()).getRect();
    await page.driver.actions().move(await at(width - 20, 50)).click().perform();
    assert.match(await value(), /^Carried, pixel data, 0x[0-9a-f]+ to 0x/);
    await page.driver.actions().move(await at(3, 10)).click().perform();
    assert.match(await value(), /^Slack, preamble, 0x0 to 0x80$/);
    await page.until("its bytes are shown", () => page.run("return root.querySelector('.hexview .line').innerText.includes('7f 45 4c 46')"), 5000);
  });

  test("from a gibibyte down to single bytes, by keys alone", { timeout: 180_000 }, async () => {
    const bytes = nifti({ dimensions: [1024, 1024, 1024], voxels: false });
    await page.check(await folder.putSparse("volume.nii", bytes, 352 + 2 ** 30), { milliseconds: 150_000 });
    await drawn();
    assert.equal(await part(), "All of it: 1.0 GiB");
    await page.run("root.querySelector('.stage').focus()");
    await press(Key.HOME);
    for (let step = 0; step < 40; step += 1) await press("+");
    assert.match(await part(), /^0x0 – 0x10 · 16 bytes/);
    await page.until("the values are drawn", () => page.run("return root.querySelectorAll('.stage .value').length === 16"), 5000);
    const values = await page.run("return [...root.querySelectorAll('.stage .value')].map((one) => one.textContent).join('')");
    assert.equal(values, bytes.subarray(0, 16).toString("hex"));
    await press(Key.PAGE_DOWN);
    assert.match(await part(), /^0xd – 0x1d · 16 bytes/);
    await press("-");
    assert.match(await part(), /32 bytes/);
    await press(Key.ESCAPE);
    assert.equal(await part(), "All of it: 1.0 GiB");
    await press(Key.END, Key.ENTER);
    assert.match(await value(), /^Carried, voxels/);
  });

  test("the wheel zooms with Ctrl, or once the picture is chosen, at the pointer; else it scrolls the page", async () => {
    await page.check(await folder.put("volume.nii", nifti({ dimensions: [40, 40, 20] })));
    await drawn();
    const all = await part();
    const origin = await stage();
    await page.driver.actions().scroll(0, 0, 0, -240, origin).perform();
    assert.equal(await part(), all);
    // WebDriver's wheel has no modifier keys.
    const kept = await page.run("return root.querySelector('.stage').dispatchEvent(new WheelEvent('wheel', { deltaY: -240, ctrlKey: true, cancelable: true, clientX: 0 }))");
    assert.equal(kept, false, "the page is not scrolled, nor zoomed");
    await page.press("Show the whole layer");
    await page.driver.actions().move({ origin: await stage() }).click().scroll(0, 0, 0, -240, origin).perform();
    await page.until("it is zoomed", async () => (await part()) !== all, 5000);
    const [from, to] = (await part()).match(/0x[0-9a-f]+/g).map(Number);
    const middle = 32352 / 2;
    assert.ok(Math.abs((from + to) / 2 - middle) < 0.1 * middle, await part());
    // A drag moves along.
    await page.driver.actions().move({ origin: await stage() }).press().move({ origin, x: 150, y: 0 }).release().perform();
    const [moved] = (await part()).match(/0x[0-9a-f]+/g).map(Number);
    assert.ok(moved < from, `${moved} ${from}`);
    await page.press("Show the whole layer");
    assert.equal(await part(), all);
  });

  test("into an archive and out again; the bytes of what is packed are decoded", async () => {
    const text = "again and ".repeat(100);
    await page.check(await folder.put("study.zip", zip({ "stored.txt": "as it is\n", "packed.txt": text, "inner.zip": zip({ "deep.pkl": picklesSystem("id") }) })));
    await drawn();
    assert.deepEqual(await crumbs(), ["study.zip"]);
    await page.run("root.querySelector('.stage').focus()");
    await press(Key.HOME, Key.ARROW_RIGHT, Key.ARROW_RIGHT, Key.ARROW_RIGHT);
    assert.match(await value(), /^Nested/);
    await press(Key.ENTER);
    assert.deepEqual(await crumbs(), ["study.zip", "packed.txt"]);
    assert.equal(await page.run("return root.activeElement.className"), "stage", "the focus goes in too");
    await page.until("the decoded bytes are shown", () => page.run("return root.querySelector('.hexview .line')?.innerText.includes('61 67 61 69 6e')"), 10_000);
    assert.match(await page.run("return root.querySelector('.chosen-layer').innerText"), /decoded again to be shown here/);
    await page.press("study.zip", ".crumbs");
    assert.deepEqual(await crumbs(), ["study.zip"]);
    // The last file inside carries the finding: its box has a sign, and is entered by a double click.
    const box = await page.run("const boxes = [...root.querySelectorAll('.stage .child')]; const { left, width } = boxes.at(-1).getBoundingClientRect(); const stage = root.querySelector('.stage').getBoundingClientRect(); return { x: left - stage.left + width / 2, count: boxes.length, tells: root.querySelectorAll('.stage .s-danger').length };");
    assert.equal(box.count, 3);
    assert.ok(box.tells > 0);
    await page.driver.actions().move(await at(box.x, 110)).doubleClick().perform();
    assert.deepEqual(await crumbs(), ["study.zip", "inner.zip"]);
    await page.press("Show among the bytes", ".finding");
    await page.until("it is shown", async () => (await crumbs()).length === 3, 5000);
    await page.until("the bytes are marked", () => page.run("return [...root.querySelectorAll('.hexview mark')].some((one) => one.textContent === '52')"), 10_000);
  });

  test("how varied the bytes are is sampled", async () => {
    const noise = Buffer.from(Array.from({ length: 40_000 }, (_, index) => (index * 7919 * ((index >> 3) + 13)) >> 4 & 255));
    await page.check(await folder.put("mixed.bin", Buffer.concat([Buffer.alloc(40_000, 0x41), noise])));
    await page.until("it is drawn", () => page.run("return root.querySelector('.stage .varied-line') !== null"), 10_000);
    const heights = await page.run("return root.querySelector('.varied-line').getAttribute('d').match(/[0-9.]+ [0-9.]+/g).map((pair) => Number(pair.split(' ')[1]))");
    assert.ok(heights[2] > 30 && heights.at(-2) < 12, heights.join(" "));
  });

  test("regions that the report sums up are asked for when they are looked at", { timeout: 60_000 }, async () => {
    const many = Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`file${index}.txt`, "text\n".repeat(100)]));
    const [report] = await page.check(await folder.put("many.tar", tar(many)));
    assert.ok(report.layers[0].map.some(([, , , what]) => what === "several parts"));
    await drawn();
    await page.run("root.querySelector('.stage').focus()");
    for (let step = 0; step < 9; step += 1) await press("+");
    await page.until("they are there", () => page.run("return [...root.querySelectorAll('.stage .label')].some((one) => one.textContent.startsWith('nested'))"), 10_000);
    assert.deepEqual(await page.run("return [...root.querySelectorAll('.stage .label')].map((one) => one.textContent).filter((text) => text.startsWith('several'))"), []);
  });

  test("the same as a table; every owner has a pattern, so that none is told by colour alone", async () => {
    const [report] = await page.check(await folder.put("volume.nii", nifti()));
    await drawn();
    await page.run("root.querySelector('.ranges').open = true");
    await page.until("it is filled", () => page.run("return root.querySelectorAll('.ranges tbody tr').length === arguments[0]", report.layers[0].map.length), 5000);
    assert.deepEqual(await page.run("return [...root.querySelectorAll('.stage pattern')].map(({ id }) => id.replace(/^.*-/, ''))"), ["nested", "opaque", "slack", "unexplained"]);
  });

  test("the picture is saved as SVG and PNG, and names nobody", async () => {
    await page.check(await folder.put("Doe^Jane.zip", zip({ "Doe^Jane.pkl": picklesSystem("id"), "volume.nii": nifti() })));
    await drawn();
    const { name, text } = await page.saved("Save picture (SVG)", ".picture-tools");
    assert.equal(name, "just-data-picture.svg");
    assert.match(text, /^<\?xml[^>]*>\n<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.match(text, /Not just data/);
    assert.doesNotMatch(text, /Doe|Jane|volume\.nii|var\(--|<script|href=/);
    const png = await page.saved("Save picture (PNG)", ".picture-tools");
    assert.equal(png.name, "just-data-picture.png");
    const bytes = await readFile(`${browser.downloads}/${png.name}`);
    assert.deepEqual([bytes.subarray(1, 4).toString(), bytes.readUInt32BE(16)], ["PNG", 2400]);
  });

  for (const scheme of ["light", "dark"]) {
    test(`axe finds nothing, zoomed and inside an archive: ${scheme}`, { timeout: 120_000 }, async () => {
      await browser.tools("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
      await page.run("element.setAttribute('problems', ''); element.setAttribute('rules', 'rules.html')");
      await page.check(await folder.put("study.zip", zip({ "packed.txt": "again and ".repeat(100), "scan.dcm": dicom({ preamble: elf() }), "model.pkl": picklesSystem("id") })));
      await drawn();
      await page.press("Show among the bytes", ".answer");
      await page.run("for (const one of root.querySelectorAll('details')) one.open = true");
      await page.driver.executeScript(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
      const violations = await page.driver.executeScript(`
        const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
        return violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 3).map(({ target, failureSummary }) => [String(target), failureSummary]) }));`);
      assert.deepEqual(violations, []);
      await browser.tools("Emulation.setEmulatedMedia", { features: [] });
    });
  }
});

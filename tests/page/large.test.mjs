// Large files: the structure at once, the rest without the page standing still, and little memory.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { dicom, nifti, samples } from "./samples.mjs";
import { serve } from "./site.mjs";

const GIB = 2 ** 30;
const MEMORY = 64 * 2 ** 20;

describe("5 GiB, most of it holes", () => {
  let browser, folder, site;
  before(async () => {
    browser = await openBrowser();
    folder = await samples();
    site = await serve();
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    await site?.close();
  });

  /** The longest time that the page did not answer, from now on. */
  const WATCH = `
    window.longest = 0;
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      window.longest = Math.max(window.longest, now - last - 20);
      last = now;
    }, 20);`;

  const kinds = {
    // 1024 x 1024 x 5120 voxels of one byte, and the extension flag before them.
    "volume.nii": { head: nifti({ dimensions: [1024, 1024, 5120], voxels: false }), length: 352 + 5 * GIB },
    "series.dcm": { head: dicom({ pixels: 64 }), length: 5 * GIB },
  };
  for (const [name, { head, length }] of Object.entries(kinds)) {
    test(name, { timeout: 300_000 }, async () => {
      const page = await new Page(browser, site.address).open();
      const path = await folder.putSparse(name, head, length);
      await page.run(WATCH);
      const start = Date.now();
      await page.give(path);
      await page.until("the structure is read", () => page.run("return ['searching', 'done'].includes(root.querySelector('.file')?.dataset.state)"), 15_000);
      const structure = Date.now() - start;
      assert.ok(structure < 10_000, `the structure took ${structure} ms`);
      assert.equal(await page.run("return root.querySelector('.toggle').getAttribute('aria-disabled')"), "false", "the provisional result can be opened");
      await page.quiet(1, 240_000);
      const whole = Date.now() - start;

      const [report] = await page.reports();
      assert.equal(report.size, length);
      const { coverage, len } = report.layers[0];
      assert.equal(Object.values(coverage).reduce((sum, bytes) => sum + bytes, 0), len);
      const longest = await page.run("return window.longest");
      assert.ok(longest < 1000, `the page stood still for ${Math.round(longest)} ms`);
      const memory = await page.run("return Number(root.querySelector('.memory').dataset.bytes)");
      assert.ok(memory > 0 && memory < MEMORY, `${memory} bytes of WebAssembly memory`);
      console.log(`  ${name}: structure ${structure} ms, whole ${whole} ms, longest stand-still ${Math.round(longest)} ms, memory ${(memory / 2 ** 20).toFixed(1)} MiB, ${report.verdict}`);
    });
  }

  test("it can be cancelled in the middle", { timeout: 60_000 }, async () => {
    const page = await new Page(browser, site.address).open();
    await page.give(await folder.putSparse("cancelled.bin", Buffer.from("no format that is known "), 5 * GIB));
    await page.until("it is read", () => page.run("return ['reading', 'searching'].includes(root.querySelector('.file')?.dataset.state)"));
    await page.press("Cancel");
    await page.quiet(1, 5_000);
    const [report] = await page.reports();
    assert.equal(report.verdict, "unfinished");
    assert.ok(report.layers[0].stops.some(({ kind }) => kind === "cancelled"));
  });
});

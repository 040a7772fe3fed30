// For everyone: by keyboard, by screen reader, on a narrow screen, in the dark, with the system's own colours.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Key, openBrowser, Page } from "./browser.mjs";
import { pageWithFaultyCore } from "./faulty-core.mjs";
import { gzip, nifti, dicom, elf, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";
import { DIST } from "./surroundings.mjs";

describe("for everyone", () => {
  let browser, folder, site, files, axe;
  before(async () => {
    browser = await openBrowser();
    folder = await samples();
    site = await serve();
    files = [await folder.put("preamble.dcm", dicom({ preamble: elf() })), await folder.put("volume.nii.gz", gzip(nifti())), await folder.put("broken.nii", nifti().subarray(0, 200))];
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    await site?.close();
  });

  const emulate = (features) => browser.tools("Emulation.setEmulatedMedia", { features: Object.entries(features).map(([name, value]) => ({ name, value })) });
  const width = (pixels) => browser.tools("Emulation.setDeviceMetricsOverride", { width: pixels, height: 900, deviceScaleFactor: 1, mobile: false });

  /** The page with results, each of them opened. */
  async function withResults() {
    const page = await new Page(browser, site.address).open();
    await page.check(files);
    for (const { name } of await page.rows()) await page.openRow(name);
    return page;
  }

  /** Nothing to complain about in what is on the page now. */
  async function sound(page) {
    await page.driver.executeScript(axe);
    const violations = await page.driver.executeScript(`
      const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
      return violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 3).map(({ target, failureSummary }) => [String(target), failureSummary]) }));`);
    assert.deepEqual(violations, []);
    const overflow = await page.driver.executeScript("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than the screen`);
  }

  for (const scheme of ["light", "dark"]) {
    for (const pixels of [1280, 360]) {
      test(`axe finds nothing: ${scheme}, ${pixels} pixels wide`, { timeout: 120_000 }, async () => {
        await emulate({ "prefers-color-scheme": scheme });
        await width(pixels);
        const page = await withResults();
        // Rows out of sight are not in the document: each is looked at where it is.
        for (const { name } of await page.rows()) {
          await page.toggle(name);
          await sound(page);
        }
      });
    }
  }

  for (const scheme of ["light", "dark"]) {
    test(`axe finds nothing in the dialogs, in a grouped and in an empty list: ${scheme}`, { timeout: 240_000 }, async () => {
      await emulate({ "prefers-color-scheme": scheme });
      await width(scheme === "light" ? 1280 : 360);
      const page = await new Page(browser, site.address).open();
      await sound(page);
      for (const button of ["Settings", "Keys"]) {
        await page.press(button);
        await sound(page);
        await page.run("root.querySelector('dialog[open] #close').click()");
      }
      await page.check(files);
      await page.run("const select = [...root.querySelectorAll('.tools select')].at(-1); select.value = 'folder'; select.dispatchEvent(new Event('change'))");
      await sound(page);
      await (await page.run("return root.querySelector('input[type=search]')")).sendKeys("no such file");
      assert.equal(await page.run("return root.querySelector('.none').checkVisibility()"), true);
      await sound(page);
      await page.run("element.lang = 'ja'");
      await sound(page);
    });
  }

  for (const scheme of ["light", "dark"]) {
    test(`axe finds nothing while it checks, while it pauses, after a cancel and where something is to be looked at twice: ${scheme}`, { timeout: 240_000 }, async () => {
      await emulate({ "prefers-color-scheme": scheme });
      await width(scheme === "light" ? 360 : 1280);
      const built = await pageWithFaultyCore();
      const other = await serve({ folder: built.site });
      try {
        const page = await new Page(browser, other.address).open();
        await page.give(await Promise.all(["done", "spin", "ranges endless", "spin too", "spin as well", "spin again"].map((name) => folder.put(`busy/${name}`, "1234"))));
        await page.until("it is busy", () => page.run("return root.querySelector('[data-state=reading]') !== null && element.results.length > 0"));
        await sound(page);
        await page.press("Pause");
        await sound(page);
        await page.press("Cancel all");
        await page.quiet(6);
        await sound(page);
      } finally {
        await other.close();
        await built.remove();
      }
      const page = await new Page(browser, site.address).open();
      const [{ verdict }] = await page.check(await folder.put("leaves.zip", zip({ "../out.txt": "x\n" })));
      assert.equal(verdict, "caution");
      await sound(page);
    });
  }

  test("at twice the size all is there, without scrolling sideways", async () => {
    // 200 % of a window of 1280 pixels; and text alone at twice its size.
    await width(640);
    const page = await new Page(browser, site.address).open();
    await page.check(files);
    await page.press("Settings");
    for (const step of ["", "document.documentElement.style.fontSize = '200%'"]) {
      await page.driver.executeScript(step);
      const beyond = await page.run(`
        const edge = document.documentElement.clientWidth + 1;
        return [document.documentElement.scrollWidth - edge, ...[...root.querySelectorAll("button, input, select, h2, h3, .said, .name, legend")]
          .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > edge).map((one) => one.outerHTML.slice(0, 80))].filter((one) => typeof one === "string" || one > 0)`);
      assert.deepEqual(beyond, [], step);
    }
    await width(1280);
  });

  test("by keyboard alone: to the button, to a result, into the map and the bytes", async () => {
    await width(1280);
    await emulate({});
    const page = await new Page(browser, site.address).open();
    const focus = () => page.run("const active = root.activeElement ?? document.activeElement; return (active.getAttribute('aria-label') || active.innerText || active.className).trim()");
    const press = (key) => page.driver.actions().sendKeys(key).perform();
    const tabTo = async (what, most = 60) => {
      for (let steps = 0; steps < most; steps += 1) {
        await press(Key.TAB);
        if (what.test(await focus())) return;
      }
      assert.fail(`${what} was not reached; last: ${await focus()}`);
    };
    await tabTo(/^Skip to the content$/, 1);
    await tabTo(/^Choose files…$/, 20);
    await tabTo(/^Choose a folder…$/, 1);
    await page.check(files);
    await tabTo(/^Not just data\s+preamble\.dcm/);
    await press(Key.ENTER);
    assert.equal((await page.rows())[0].opened, true);
    await press(Key.ENTER);
    assert.equal((await page.rows())[0].opened, false);
    await press(Key.SPACE);
    await tabTo(/^Show among the bytes$/);
    await press(Key.ENTER);
    await tabTo(/^Map of the bytes$/);
    const said = () => page.run("return root.activeElement.getAttribute('aria-valuetext')");
    await press(Key.HOME);
    assert.match(await said(), /0x0 to 0x/);
    await press(Key.END);
    assert.match(await said(), / to 0x[0-9a-f]+$/);
    await tabTo(/^Go to offset$/);
  });

  test("results are announced once at the end, not with every step", async () => {
    const page = await new Page(browser, site.address).open();
    await page.run(`window.said = []; new MutationObserver(() => window.said.push(root.querySelector(".voice").textContent))
      .observe(root.querySelector(".voice"), { childList: true, characterData: true, subtree: true });`);
    await page.run("await element.check(Array.from({ length: 400 }, (_, at) => new File(['text\\n'], `${at}.txt`)))");
    await page.quiet(400);
    const said = await page.run("return window.said");
    assert.equal(said.at(-1), "400 of 400 files checked: 400 just data.");
    assert.ok(said.length <= 6, said.join(" | "));
    assert.equal(await page.run("return root.querySelector('.voice').getAttribute('role')"), "status");
  });

  test("verdicts are told by words and shapes: with the system's colours all is there", async () => {
    await emulate({ "forced-colors": "active", "prefers-color-scheme": "dark" });
    const page = await new Page(browser, site.address).open();
    await page.check(files);
    const signs = await page.run("return [...root.querySelectorAll('.file')].map((file) => [file.querySelector('.verdict').textContent, file.querySelector('.sign svg').getAttribute('class'), file.querySelector('.sign svg').getBoundingClientRect().width > 10])");
    assert.deepEqual(signs.map(([words]) => words).sort(), ["Just data", "Not fully checked", "Not just data"]);
    assert.equal(new Set(signs.map(([, shape]) => shape)).size, 3);
    assert.ok(signs.every(([, , seen]) => seen));
    await emulate({});
  });

  test("who asked for less motion sees none", async () => {
    await emulate({ "prefers-reduced-motion": "reduce" });
    const page = await withResults();
    const moving = await page.run("return root.getAnimations().filter(({ playState }) => playState === 'running').length");
    assert.equal(moving, 0);
    await emulate({});
  });

  test("without JavaScript the guidelines and the way to report are still there", async () => {
    const facts = {
      guidelines: ["No data is sent to external servers without explicit user request.", "No network port is opened without explicit user request.",
        "No code is stored in data files that is executed automatically when the file is opened."],
      reporting: ["mailto:slicer+security@discoursemail.com", "within 24 hours", "do not go to public issues"],
      binaries: ["are built by", "https://download.slicer.org", "sha256sum"],
      versions: ["Preview", "Essential security fixes", "not approved for clinical use"],
      scope: ["no bug bounty program", "no legally binding commitments"],
      advisories: ["None published."],
      limits: ["memory errors", "Who made the file", "not a virus scanner"],
      index: ["needs JavaScript"],
    };
    const whole = await readFile(join(DIST, "just-data.html"), "utf8");
    for (const [page, words] of Object.entries(facts)) {
      const html = await readFile(join(DIST, `site/${page}.html`), "utf8");
      for (const word of words) {
        assert.ok(html.includes(word), `${page}: ${word}`);
        assert.ok(whole.includes(word), `all in one file: ${word}`);
      }
    }
  });
});

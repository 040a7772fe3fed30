// The page in a frame of another origin's page: the example of embed/iframe as it is, but for the two addresses.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { By, openBrowser, Page } from "./browser.mjs";
import { picklesSystem, samples } from "./samples.mjs";
import { serve } from "./site.mjs";
import { ROOT } from "./surroundings.mjs";

describe("in a frame", { timeout: 120_000 }, () => {
  let browser, folder, home, docs, check;
  before(async () => {
    [browser, folder, home] = [await openBrowser(), await samples(), await mkdtemp(join(tmpdir(), "just-data-frame-"))];
    [docs, check] = [await serve({ folder: home, base: "/docs/" }), await serve()];
    await writeFile(join(home, "host.js"), `
      window.heard = [];
      addEventListener("message", ({ origin, data }) => window.heard.push({ origin, data }));
      ${await readFile(join(ROOT, "embed/iframe/host.js"), "utf8")}`);
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    await docs?.close();
    await check?.close();
    if (home) await rm(home, { recursive: true, force: true });
  });

  /** The example, with a frame that is to tell this origin; the test is then inside of the frame. */
  async function framed(parent) {
    const html = (await readFile(join(ROOT, "embed/iframe/host.html"), "utf8"))
      .replace("https://check.example.org/", check.address).replace("https://docs.example.org", parent);
    await writeFile(join(home, "host.html"), html);
    await browser.driver.get(`${docs.address}host.html`);
    await browser.driver.switchTo().frame(await browser.driver.findElement(By.id("just-data")));
    const page = new Page(browser, check.address);
    await page.until("the checker has started", () => browser.driver.executeScript("return Boolean(document.querySelector('just-data')?.reference)"));
    return page;
  }

  /** What the page around has heard. */
  async function heard() {
    await browser.driver.switchTo().defaultContent();
    return browser.driver.executeScript("return [window.heard, document.getElementById('just-data').style.height]");
  }

  test("the check alone is shown, the frame is as high as it should be, and results arrive without a byte of the file", async () => {
    const origin = new URL(docs.address).origin;
    const page = await framed(origin);
    const shown = await browser.driver.executeScript("return [...document.querySelectorAll('body > *, main > *, .bench > *')].filter((one) => one.checkVisibility()).map(({ localName, className }) => `${localName}.${className}`)");
    assert.deepEqual(shown, ["p.told", "main.", "div.bench", "just-data."]);
    assert.ok((await browser.driver.findElement(By.css(".told")).getText()).includes(origin), "the person is told who is told");
    const [model] = await page.check([await folder.put("model.pkl", picklesSystem("echo 0123456789"))]);
    assert.equal(model.verdict, "code");
    assert.ok(JSON.stringify(model).includes("0123456789"), "the report quotes the file");
    const [messages, height] = await heard();
    assert.ok(messages.every((message) => message.origin === new URL(check.address).origin));
    assert.ok(Number.parseFloat(height) > 100 && Number.parseFloat(height) <= 900, height);
    assert.deepEqual([...new Set(messages.map(({ data }) => data.type))].sort(), ["just-data:done", "just-data:height", "just-data:result"]);
    const { file } = messages.find(({ data }) => data.type === "just-data:result").data;
    assert.deepEqual([file.name, file.verdict, Object.keys(file).sort()], ["model.pkl", "code", ["findings", "name", "size", "verdict"]]);
    assert.deepEqual(Object.keys(file.findings[0]).sort(), ["guideline", "layer", "length", "offset", "rule", "runs", "severity"]);
    assert.doesNotMatch(JSON.stringify(messages), /0123456789|excerpt|message"/);
  });

  for (const [what, parent] of [["another origin", "https://docs.example.org"], ["nothing that is an origin", "*"], ["an address", "https://docs.example.org/page"]]) {
    test(`with ${what} in its address, the page around is told the height and nothing else`, async () => {
      const page = await framed(parent);
      await page.check([await folder.put("model.pkl", picklesSystem())]);
      const [messages] = await heard();
      assert.deepEqual([...new Set(messages.map(({ data }) => data.type))], ["just-data:height"]);
    });
  }
});

// Settings: what they change, that they are forgotten unless asked, that "forget everything" does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, describe, test } from "node:test";
import { LIMITS } from "../../www/src/settings.js";
import { openBrowser, Page } from "./browser.mjs";
import { nifti, picklesSystem, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";

test("the usual limits are those of the core", async () => {
  const source = await readFile(new URL("../../src/budget.rs", import.meta.url), "utf8");
  const [, fields] = source.match(/Limits \{ (claims: [^}]*) \}/);
  const value = (text) => text.split("<<").map((part) => Number(part.replaceAll("_", ""))).reduce((number, bits) => number * 2 ** bits);
  const core = Object.fromEntries(fields.split(", ").map((field) => field.split(": ")).map(([name, text]) => [name, value(text)]));
  for (const [name, { usual }] of Object.entries(LIMITS)) assert.equal(usual, core[name], name);
});

describe("settings", () => {
  let browser, folder, site, page;
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
  beforeEach(async () => {
    await browser.driver.get(site.address);
    await browser.driver.executeScript("localStorage.clear()");
    page = await new Page(browser, site.address).open();
  });

  const stored = () => page.run("return { ...localStorage }");
  const tick = (id) => page.run("root.querySelector('#' + arguments[0]).click()", id);
  const choose = (id, value) => page.run(`
    const field = root.querySelector("#" + arguments[0]);
    field.value = arguments[1];
    field.dispatchEvent(new Event("change"));`, id, value);
  const text = (selector) => page.run("return root.querySelector(arguments[0]).innerText", selector);

  test("nothing is stored by a check, nor by a setting", async () => {
    await page.check(await folder.put("volume.nii", nifti()));
    await page.press("Settings");
    await choose("theme", "dark");
    assert.deepEqual(await stored(), {});
    await page.open();
    assert.equal(await page.run("return getComputedStyle(element).colorScheme"), await page.run("return getComputedStyle(document.documentElement).colorScheme"));
  });

  test("remembered only when it is asked, and then found again; no more when it is unticked", async () => {
    await page.press("Settings");
    await choose("theme", "dark");
    await tick("remember");
    assert.match(await text(".told"), /remembered on this computer/);
    assert.deepEqual(Object.keys(await stored()), ["just-data"]);
    await page.open();
    assert.equal(await page.run("return getComputedStyle(element).colorScheme"), "dark");
    await page.press("Settings");
    assert.equal(await page.run("return root.querySelector('#remember').checked"), true);
    await tick("remember");
    assert.deepEqual(await stored(), {});
  });

  test("where the browser refuses to store, all works and it is said", async () => {
    const { identifier } = await browser.tools("Page.addScriptToEvaluateOnNewDocument", {
      source: "Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('refused', 'SecurityError'); } });",
    }) ?? {};
    await page.open();
    await page.press("Settings");
    await choose("theme", "light");
    await tick("remember");
    assert.match(await text(".told"), /did not let the settings be stored/);
    assert.equal(await page.run("return root.querySelector('#remember').checked"), false);
    assert.equal(await page.run("return getComputedStyle(element).colorScheme"), "light");
    await page.run("root.querySelector('#close').click()");
    assert.equal((await page.check(await folder.put("refused.txt", "text\n"))).length, 1);
    if (identifier) await browser.tools("Page.removeScriptToEvaluateOnNewDocument", { identifier });
  });

  test("what someone else has stored there does no harm", async () => {
    for (const odd of ["{", "[]", "\"x\"", JSON.stringify({ theme: "<b>", weigh: ["no such"], strict: "opaque", limits: { work: -1, depth: "9", layers: 1e99 }, language: 5 })]) {
      await page.run("localStorage.setItem('just-data', arguments[0])", odd);
      await page.open();
      await page.press("Settings");
      assert.deepEqual(await page.run("return [...root.querySelectorAll('fieldset input')].map((input) => input.type === 'number' ? input.value : input.checked).slice(0, 8)"),
        [true, true, true, false, false, false, "", ""], odd);
    }
  });

  test("the language changes at once, everywhere in the element, and what was open stays open", async () => {
    await page.check(await folder.put("model.pkl", picklesSystem()));
    await page.press("Settings");
    await choose("language", "de");
    assert.equal(await text("dialog[open] h2"), "Einstellungen");
    assert.equal(await page.run("return root.activeElement === null || root.querySelector('dialog[open]').contains(root.activeElement)"), true);
    await page.run("root.querySelector('#close').click()");
    const [row] = await page.rows();
    assert.equal(row.verdict, "Nicht nur Daten");
    assert.equal(row.opened, true);
    assert.match(row.detail, /Was zu tun ist/);
    assert.equal(await page.run("return root.querySelector('.finding [lang=en]') !== null"), true, "the rule's own words are English, and marked");
    await page.run("element.lang = 'fr'");
    assert.equal((await page.rows())[0].verdict, "Nicht nur Daten", "the person's choice goes before that of the page");
    await page.press("Einstellungen");
    await choose("language", "");
    await page.run("root.querySelector('#close').click()");
    assert.equal((await page.rows())[0].verdict, "Pas que des données");
  });

  test("a guideline that does not count makes no file just data, and it is said", async () => {
    await page.check(await folder.put("model.pkl", picklesSystem()));
    await page.press("Settings");
    await tick("weigh-code");
    await page.run("root.querySelector('#close').click()");
    const [row] = await page.rows();
    assert.equal(row.verdict, "Not fully checked");
    assert.match(row.said, /not weighed/);
    assert.match(await text(".weighed"), /Not weighed, by your settings: No code in data files/);
    assert.equal((await page.reports())[0].verdict, "code", "the report says what the core said");
    await page.press("Settings");
    await tick("weigh-reporting");
    await tick("weigh-listening");
    assert.equal(await page.run("return root.querySelector('#weigh-listening').checked"), true, "one guideline at least counts");
  });

  test("who is stricter has files that are not fully checked", async () => {
    await page.check(await folder.put("volume.nii", nifti()));
    await page.press("Settings");
    await tick("strict-opaque");
    await page.run("root.querySelector('#close').click()");
    assert.equal((await page.rows())[0].verdict, "Not fully checked");
    await page.press("Settings");
    await tick("strict-opaque");
    await page.run("root.querySelector('#close').click()");
    assert.equal((await page.rows())[0].verdict, "Just data");
  });

  test("a limit holds from the next check on, and one that makes no sense is refused", async () => {
    await page.check(await folder.put("three.zip", zip({ a: "1\n", b: "2\n", c: "3\n" })));
    await page.press("Settings");
    await choose("limit-layers", "0");
    assert.match(await text(".told"), /from 1 to/);
    await choose("limit-layers", "1");
    await page.run("root.querySelector('#close').click()");
    assert.equal((await page.reports())[0].verdict, "just-data");
    await page.press("Check again");
    await page.until("it is checked", async () => (await page.reports())[0]?.verdict === "unfinished");
    assert.ok((await page.reports())[0].layers.some(({ stops }) => stops.some(({ kind }) => kind === "exhausted")));
  });

  test("forget everything: files, results, settings, what is stored, and it is told to the page", async () => {
    await page.check(await folder.put("model.pkl", picklesSystem()));
    await page.press("Settings");
    await choose("theme", "dark");
    await choose("language", "es");
    await tick("remember");
    await page.run("root.querySelector('#close').click(); window.forgotten = 0; addEventListener('just-data-forget', () => { window.forgotten += 1; })");
    await page.press("Olvidar todo");
    assert.deepEqual(await page.reports(), []);
    assert.deepEqual(await stored(), {});
    assert.equal(await page.run("return window.forgotten"), 1);
    assert.equal(await text(".voice"), "Everything is forgotten: files, results and settings.");
    assert.notEqual(await page.run("return getComputedStyle(element).colorScheme"), "dark");
    await page.press("Settings");
    assert.equal(await page.run("return root.querySelector('#language').value"), "");
  });
});

// Files in, verdicts out: what the user reads, what can be saved, and that the page and the command say the same.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { basename } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { dicom, elf, gzip, nifti, picklesNumbers, picklesSystem, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";
import { COMMAND } from "./surroundings.mjs";

describe("files and their verdicts", () => {
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
  beforeEach(async () => { page = await new Page(browser, site.address).open(); });

  const JUST_DATA = {
    "volume.nii": nifti(),
    "volume.nii.gz": gzip(nifti()),
    "numbers.pkl": picklesNumbers(),
    "image.dcm": dicom(),
    "notes.txt": "A note, and nothing else.\n",
    "study.zip": zip({ "a/image.dcm": dicom(), "notes.txt": "inside\n" }),
  };
  const NOT_JUST_DATA = {
    "model.pkl": picklesSystem(),
    "elf in the preamble.dcm": dicom({ preamble: elf() }),
    "hidden.zip": zip({ "notes.txt": "inside\n", "deep/model.pkl": picklesSystem("echo deep") }),
  };

  for (const [name, bytes] of Object.entries(JUST_DATA)) {
    test(`${name}: just data`, async () => {
      const [report] = await page.check(await folder.put(name, bytes));
      assert.deepEqual([report.verdict, report.findings.filter(({ severity }) => severity !== "note")], ["just-data", []], JSON.stringify(report.layers.map(({ name: layer, stops, coverage }) => [layer, stops, coverage])));
      const [row] = await page.rows();
      assert.equal(row.verdict, "Just data");
      assert.ok(row.opened, "one file alone is opened");
      assert.match(row.detail, /Every byte has an owner/);
    });
  }

  for (const [name, bytes] of Object.entries(NOT_JUST_DATA)) {
    test(`${name}: not just data`, async () => {
      const [report] = await page.check(await folder.put(name, bytes));
      assert.equal(report.verdict, "code", JSON.stringify(report.findings));
      const [row] = await page.rows();
      assert.equal(row.verdict, "Not just data");
      assert.match(row.detail, /Guideline concerned: No code in data files/);
      assert.match(row.detail, /Why it matters/);
      assert.match(row.detail, /What to do/);
    });
  }

  test("the finding shows its place, its bytes in hexadecimal and as text", async () => {
    await page.check(await folder.put("model.pkl", picklesSystem("echo evidence")));
    const shown = await page.run(`const finding = root.querySelector(".finding.danger");
      return { text: finding.innerText, hex: [...finding.querySelectorAll(".hex")].map((line) => line.textContent.trim()).join(" "), marked: finding.querySelectorAll("mark").length }`);
    assert.match(shown.text, /model\.pkl/);
    assert.match(shown.text, /at 0x[0-9a-f]+ · \d+ bytes?/);
    assert.ok(shown.marked > 0, "the bytes of the finding are marked");
    assert.match(shown.hex, /^([0-9a-f]{2} ?)+$/);
  });

  test("the bytes of a place in the file are read when the map is asked", async () => {
    const bytes = nifti();
    await page.check(await folder.put("volume.nii", bytes));
    await page.driver.wait(() => page.run("return root.querySelector('.hexview .line') !== null"), 5000);
    await page.run("const form = root.querySelector('.go'); form.querySelector('input').value = '0x158'; form.requestSubmit();");
    await page.until("the window is at the place", () => page.run("return root.querySelector('.hexview .at').textContent.endsWith('0150')"), 5000);
    const line = await page.run("return root.querySelector('.hexview .line').innerText.replace(/\\s+/g, ' ')");
    assert.ok(line.includes("6e 2b 31 00"), line);
    assert.ok(line.includes("n+1"), line);
  });

  test("the bytes of a layer inside are read from the file where they lie there as they are, and decoded where they do not", async () => {
    await page.check(await folder.put("study.zip", zip({ "stored.txt": "as it is\n", "packed.txt": "again and ".repeat(100) })));
    const choose = (name) =>
      page.run("[...root.querySelectorAll('.layer')].find((one) => one.querySelector('.layer-name').textContent === arguments[0]).click()", name);
    const shows = (bytes) => page.until(`${bytes} are shown`, () => page.run("return root.querySelector('.hexview .line .hex')?.innerText.replace(/\\s+/g, ' ').startsWith(arguments[0])", bytes), 10_000);
    const isDecoded = () => page.run("return root.querySelector('.chosen-layer').innerText.includes('decoded again')");
    await choose("stored.txt");
    await shows("61 73 20 69 74 20 69 73 0a");
    assert.equal(await isDecoded(), false);
    await choose("packed.txt");
    await shows("61 67 61 69 6e 20 61 6e 64 20 61 67 61 69 6e 20");
    assert.equal(await isDecoded(), true);
  });

  test("empty, and of one byte", async () => {
    const [empty, one] = await page.check([await folder.put("empty", ""), await folder.put("one", Buffer.from([0xff]))]);
    for (const report of [empty, one]) {
      assert.notEqual(report.verdict, "code");
      const { coverage, len } = report.layers[0];
      assert.equal(Object.values(coverage).reduce((sum, bytes) => sum + bytes, 0), len);
    }
    assert.deepEqual([empty.size, one.size], [0, 1]);
    const rows = await page.rows();
    assert.equal(rows.find(({ name }) => name === "empty").said, "An empty file: there is nothing in it.");
    assert.notEqual(rows.find(({ name }) => name === "one").said, "");
    for (const { name } of rows) await page.openRow(name);
  });

  test("names with control characters, direction marks, HTML and other scripts are text, and visible", async () => {
    const names = {
      "line\nbreak\x1b[31m.txt": "line␊break␛[31m.txt",
      "scan\u202Etxt.exe": "scan⟨U+202E⟩txt.exe",
      "<img src=x onerror=alert(1)>.txt": "<img src=x onerror=alert(1)>.txt",
      "\u200fצילום.txt": "⟨U+200F⟩צילום.txt",
      "患者.txt": "患者.txt",
    };
    // Given to the element itself: a name with a line break cannot be typed into an input.
    await page.run("await element.check(arguments[0].map((name) => new File(['text\\n'], name)))", Object.keys(names));
    await page.quiet(5);
    const shown = (await page.rows()).map(({ name }) => name);
    assert.deepEqual(shown.sort(), Object.values(names).sort());
    for (const name of shown) await page.openRow(name);
    const isolated = await page.run("return [...root.querySelectorAll('.words .name, .layer-name > bdi')].every((one) => getComputedStyle(one).unicodeBidi === 'isolate')");
    assert.ok(isolated);
    assert.equal(await page.run("return root.querySelector('img, [onerror]')"), null);
    const paths = (await page.reports()).map(({ path }) => path);
    assert.deepEqual(paths.sort(), Object.keys(names).sort(), "the reports keep the true names");
  });

  test("saved as JSON, SARIF, HTML and text; copied", async () => {
    await page.check([await folder.put("model.pkl", picklesSystem()), await folder.put("volume.nii", nifti())]);
    const json = await page.saved("Save JSON", ".saving");
    assert.equal(json.name, "just-data-report.json");
    const { tool, files } = JSON.parse(json.text);
    assert.equal(tool.name, "just-data");
    assert.deepEqual(files.map(({ path, verdict }) => [path, verdict]), [["model.pkl", "code"], ["volume.nii", "just-data"]]);

    const sarif = JSON.parse((await page.saved("Save SARIF", ".saving")).text);
    assert.equal(sarif.version, "2.1.0");
    assert.ok(sarif.runs[0].results.some(({ level, ruleId }) => level === "error" && ruleId === files[0].findings[0].rule));

    const html = (await page.saved("Save HTML", ".saving")).text;
    assert.match(html, /^<!doctype html>/i);
    assert.match(html, /Not just data/);
    assert.doesNotMatch(html, /<script|\ssrc=|@import/i, "a report that loads nothing");

    const text = (await page.saved("Save Text", ".saving")).text;
    assert.match(text, /model\.pkl/);

    await browser.tools("Browser.grantPermissions", { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"] }).catch(() => {});
    await page.press("Copy", ".saving");
    await page.until("it is copied", () => page.run("return root.querySelector('.voice').textContent === 'Copied.'"), 5000);
    assert.equal((await page.run("return navigator.clipboard.readText()")).replace(/\r/g, ""), text);

    await page.openRow("model.pkl");
    const one = await page.saved("Save JSON", ".detail");
    assert.equal(one.name, "model.pkl.just-data.json");
    assert.equal(JSON.parse(one.text).files.length, 1);
  });

  test("the page and the command give the same JSON", async () => {
    const all = { ...JUST_DATA, ...NOT_JUST_DATA, empty: "", one: Buffer.from([0xff]), "cut.dcm": dicom().subarray(0, 300), "cut.nii.gz": gzip(nifti()).subarray(0, 60) };
    const paths = [];
    for (const [name, bytes] of Object.entries(all)) paths.push(await folder.put(`same/${name}`, bytes));
    const inBrowser = await page.check(paths);
    const output = await new Promise((resolve, reject) => {
      const options = { cwd: `${folder.folder}/same`, maxBuffer: 1 << 26 };
      execFile(COMMAND, ["check", "--format", "json", ...paths.map((path) => basename(path))], options, (error, stdout) => {
        if (error && ![1, 2].includes(error.code)) reject(error);
        else resolve(stdout);
      });
    });
    const byCommand = JSON.parse(output).files;
    assert.equal(byCommand.length, paths.length);
    const ofPage = new Map(inBrowser.map((report) => [report.path, report]));
    for (const report of byCommand) assert.deepEqual(sorted(ofPage.get(report.path)), sorted(report), report.path);
  });
});

/** The same value with its keys in one order: only what is said counts. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

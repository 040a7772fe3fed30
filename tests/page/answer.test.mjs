// What is told of one file: the answer, its evidence, the hash, the reports to take away, and a problem to report.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { gzip, nifti, picklesSystem, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";

/** A scene whose storage node names a file of another computer. */
export function scene(address) {
  return `<?xml version="1.0"?>\n<MRML version="Slicer5">\n <VolumeArchetypeStorage id="a" name="x" fileName="${address}"/>\n</MRML>\n`;
}

describe("the answer for one file", () => {
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

  const answer = () => page.run(`const answer = root.querySelector(".answer");
    return { sentence: answer.querySelector(".sentence").innerText, told: Object.fromEntries([...answer.querySelectorAll("dt")].map((term) => [term.innerText, term.nextElementSibling.innerText])) }`);

  test("a sentence, what, where, why, and what to do for both sides", async () => {
    await page.check(await folder.put("inside.zip", zip({ "notes.txt": "inside\n", "model.pkl": picklesSystem("id") })));
    const { sentence, told } = await answer();
    assert.equal(sentence, "Opening this file would run code that came with it.");
    assert.match(told.What, /calls posix\.system/);
    assert.match(told.Where, /^inside\.zip › model\.pkl · at 0x18 · 1 byte/);
    assert.notEqual(told["Why it matters"], "");
    assert.match(told["What to do"], /^For you: .+\n+For whoever sent or made it: .+/s);
  });

  test("what is only partly read, and what is just data, is told as well", async () => {
    await page.check(await folder.put("cut.nii", nifti({ dimensions: [20, 20, 20] }).subarray(0, 3000)));
    const unfinished = await answer();
    assert.match(unfinished.told.What, /^Damaged/);
    assert.match(unfinished.told.Where, /^cut\.nii/);
    assert.match(unfinished.told["What to do"], /Treat it as unchecked/);
    await page.press("Clear", ".summary");
    await page.check(await folder.put("volume.nii", nifti()));
    const fine = await answer();
    assert.deepEqual(Object.keys(fine.told).sort(), ["What", "What to do", "Why it matters"]);
    assert.match(fine.told["What to do"], /not whether its content is true/);
  });

  test("of a file that only wraps another, what is in it is told", async () => {
    const what = async (name, bytes) => {
      await page.check(await folder.put(name, bytes));
      const { told } = await answer();
      await page.press("Clear", ".summary");
      return told.What;
    };
    assert.match(await what("volume.nii.gz", gzip(nifti())), /^NIfTI.*, in gzip$/);
    assert.match(await what("volume.zip", zip({ "volume.nii.gz": gzip(nifti()) })), /^NIfTI.*, in gzip, in a ZIP/);
    assert.equal(await what("two.zip", zip({ "volume.nii": nifti(), "notes.txt": "inside\n" })), "a ZIP archive");
  });

  test("the call of a pickle is disassembled", async () => {
    const [report] = await page.check(await folder.put("model.pkl", picklesSystem("echo evidence")));
    const shown = await page.run("return root.querySelector('.evidence pre').innerText");
    assert.equal(shown, report.findings[0].evidence);
    assert.match(shown, /^0x000000 +PROTO +2\n0x000002 +GLOBAL +“posix” “system”\n0x000010 +BINUNICODE +“echo evidence”\n.*REDUCE$/s);
  });

  test("the attribute of a scene is text, never a link, and hides nothing", async () => {
    const address = "https://collector.example/\u202Egnp.exe/&lt;img src=x onerror=alert(1)&gt;/a&#9;b/" + "long/".repeat(40);
    await page.check(await folder.put("scene.mrml", scene(address)));
    const shown = await page.run("return root.querySelector('.evidence pre').textContent");
    await page.until("all of it is read", () => page.run("return root.querySelector('.evidence pre').textContent.endsWith('long/')"), 5000);
    assert.match(shown, /^https:\/\/collector\.example\/⟨U\+202E⟩gnp\.exe\/&lt;img src=x/);
    assert.deepEqual(await page.run("return [...root.querySelectorAll('a')].map(({ href }) => href).filter((href) => href.includes('collector'))"), []);
    assert.equal(await page.run("return root.querySelectorAll('img, [onerror]').length"), 0);
    assert.equal(await page.run("return getComputedStyle(root.querySelector('.evidence bdi')).unicodeBidi"), "isolate");
  });

  test("a finding leads to the description of its rule where the page has one", async () => {
    await page.run("element.removeAttribute('rules')");
    await page.check(await folder.put("model.pkl", picklesSystem()));
    assert.equal(await page.run("return root.querySelector('.finding a[href$=\"#pickle-runs-code\"]')"), null);
    await page.run("element.setAttribute('rules', 'rules.html')");
    await page.press("Check again", ".detail");
    await page.quiet(1);
    assert.deepEqual(await page.run("return [...root.querySelectorAll('[href$=\"#pickle-runs-code\"]')].map((one) => one.getAttribute('href'))"), ["rules.html#pickle-runs-code", "rules.html#pickle-runs-code"]);
  });

  test("a problem is handed to the page that takes it: what, where, the hash; never the file", async () => {
    await page.run("element.removeAttribute('problems')");
    const bytes = picklesSystem();
    await page.check(await folder.put("model.pkl", bytes));
    assert.equal(await page.run("return root.querySelectorAll('.report').length"), 0);
    await page.run("element.setAttribute('problems', ''); window.told = []; document.addEventListener('just-data-problem', (event) => { event.stopImmediatePropagation(); window.told.push(event.detail); }, true);");
    await page.press("Check again", ".detail");
    await page.quiet(1);
    await page.until("it is hashed", () => page.run("return root.querySelector('.sha256') !== null"), 5000);
    await page.press("This is a false alarm", ".finding");
    await page.press("Something was missed", ".facts");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const [alarm, missed] = await page.run("return window.told");
    const { version } = await page.run("return element.reference");
    assert.deepEqual(alarm, { kind: "wolf", guideline: "code", rule: "pickle-runs-code", place: "model.pkl", offset: 33, sha256, version });
    assert.deepEqual([missed.kind, missed.rule ?? null, missed.place, missed.sha256], ["missed", null, "model.pkl", sha256]);
  });

  test("the SHA-256 of a small file is there, and in every report from then on", async () => {
    const bytes = gzip(nifti());
    await page.check(await folder.put("volume.nii.gz", bytes));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    await page.until("it is hashed", () => page.run("return root.querySelector('.sha256')?.textContent === arguments[0]", sha256), 5000);
    assert.equal((await page.reports())[0].sha256, sha256);
    for (const format of ["JSON", "SARIF", "HTML", "CSV", "Text"]) {
      const { text } = await page.saved(`Save ${format}`, ".detail");
      assert.ok(text.includes(sha256), format);
    }
  });

  test("that of a large file is computed when it is asked for, and can be stopped", { timeout: 120_000 }, async () => {
    const head = nifti({ dimensions: [1024, 1024, 300], voxels: false });
    const length = 352 + 300 * 2 ** 20;
    await page.check(await folder.putSparse("large.nii", head, length));
    assert.equal(await page.run("return root.querySelector('.sha256')"), null);
    await page.press("Compute it", ".hash");
    await page.press("Stop", ".hash");
    await page.until("it is offered again", () => page.run("return root.querySelector('.hash').innerText === 'Compute it'"), 5000);
    await page.press("Compute it", ".hash");
    await page.until("it is hashed", () => page.run("return root.querySelector('.sha256') !== null"), 60_000);
    const hash = createHash("sha256").update(head);
    for (let left = length - head.length; left > 0; left -= 2 ** 20) hash.update(Buffer.alloc(Math.min(left, 2 ** 20)));
    assert.equal(await page.run("return root.querySelector('.sha256').textContent"), hash.digest("hex"));
  });

  test("a table for spreadsheets, in which nothing is a formula; and a line of JSON for each file", async () => {
    await page.check([await folder.put("=1+1.pkl", picklesSystem("=cmd")), await folder.put("volume.nii", nifti())]);
    const csv = await page.saved("Save CSV", ".saving");
    assert.equal(csv.name, "just-data-report.csv");
    const [head, ...lines] = csv.text.replace("\ufeff", "").trimEnd().split("\r\n");
    assert.match(head, /^path,size,sha256,verdict,/);
    assert.equal(lines.length, 2);
    assert.ok(lines.some((line) => line.startsWith("\"'=1+1.pkl\",")), lines.join("\n"));
    const jsonl = await page.saved("Save JSON Lines", ".saving");
    assert.deepEqual(jsonl.text.trimEnd().split("\n").map((line) => JSON.parse(line).path).sort(), ["=1+1.pkl", "volume.nii"]);
  });
});

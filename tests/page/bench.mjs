// How the page feels while it checks many files: in a real browser, by the browser's own timings.
//
//   node bench.mjs [FILES]
//
// A person's doings go on all the time: typing in the search, going through the list, filters, scrolling. What is told:
// the time from each input to the next picture (Event Timing), the tasks that kept the page busy for more than 50 ms
// (Long Tasks), and how long the whole check took. The goal is an answer within 100 ms. Nothing here is asserted: the
// figures are those of the machine on which it runs.

import { join } from "node:path";
import { Key, openBrowser, Page } from "./browser.mjs";
import { dicom, elf, gzip, nifti, picklesNumbers, picklesSystem, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";

const FILES = Number(process.argv[2] ?? 5000);

const site = await serve();
const folder = await samples();
const browser = await openBrowser();
try {
  await study();
  const page = await new Page(browser, site.address).open();
  await page.run(`
    window.timings = { inputs: [], long: [] };
    new PerformanceObserver((list) => {
      for (const { name, duration, interactionId } of list.getEntries()) if (interactionId) timings.inputs.push([name, duration]);
    }).observe({ type: "event", durationThreshold: 16 });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) timings.long.push([startTime, duration]);
    }).observe({ type: "longtask" });
    element.addEventListener("just-data-done", () => { timings.end = performance.now(); });
    // Before this event the browser reads the folder by itself.
    root.querySelector("input[webkitdirectory]").addEventListener("change", () => { timings.start = performance.now(); }, { capture: true });`);
  await page.give(join(folder.folder, "study"), "folder");
  await page.until("the list is there", () => page.run("return root.querySelector('.summary').checkVisibility()"));
  await page.run("timings.shown = performance.now()");

  const doings = { keys: 0, clicks: 0, scrolls: 0 };
  const press = (...keys) => page.driver.actions().sendKeys(...keys).perform().then(() => { doings.keys += keys.length; });
  const open = () => page.run("return root.querySelector('.summary progress').checkVisibility()");
  while (await open()) {
    await page.run("root.querySelector('input[type=search]').focus()");
    await press("I", "M", "0");
    await press(Key.ESCAPE);
    for (const id of ["code", "all"]) {
      await page.run("root.querySelector(`[data-filter=${arguments[0]}]`)?.scrollIntoView({ block: 'center', behavior: 'instant' })", id);
      const button = await page.run("return root.querySelector(`[data-filter=${arguments[0]}]`)", id);
      if (button) await button.click().then(() => { doings.clicks += 1; }, () => {});
    }
    await page.run("root.querySelector('.files .toggle')?.focus()");
    await press(Key.ARROW_DOWN, Key.ARROW_DOWN, Key.END, Key.HOME);
    await page.run("scrollBy({ top: 3000, behavior: 'instant' })");
    doings.scrolls += 1;
  }

  const { inputs, long: all, start, shown, end } = await page.run("return timings");
  const long = all.filter(([at]) => at >= start);
  const durations = inputs.map(([, duration]) => duration).sort((a, b) => a - b);
  const at = (share) => durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] ?? 0;
  const reports = await page.run("return element.results.length");
  const rows = await page.run("return root.querySelectorAll('.slot').length");
  const tell = (what, value) => console.log(`${what.padEnd(44)} ${value}`);
  tell("files checked", reports);
  tell("rows in the document", rows);
  tell("until the list was there, ms", Math.round(shown - start));
  tell("until all were checked, ms", Math.round(end - start));
  tell("files per second", Math.round(reports / ((end - start) / 1000)));
  tell("keys, clicks, scrolls in that time", `${doings.keys}, ${doings.clicks}, ${doings.scrolls}`);
  tell("inputs that took 16 ms or more until drawn", durations.length);
  tell("median of these, 95 %, longest, ms", `${at(0.5)}, ${at(0.95)}, ${durations.at(-1) ?? 0}`);
  tell("inputs over 100 ms", durations.filter((duration) => duration > 100).length);
  tell("long tasks (over 50 ms)", long.length);
  tell("longest task, ms", Math.round(Math.max(0, ...long.map(([, duration]) => duration))));
} finally {
  await browser.close();
  await site.close();
  await folder.remove();
}

/** Files as in a study: series of images, volumes, models, and a few that are not just data. */
async function study() {
  const kinds = [
    (at) => [`series ${at % 40}/IM${String(at).padStart(4, "0")}.dcm`, dicom({ pixels: 4096 })],
    (at) => [`series ${at % 40}/IM${String(at).padStart(4, "0")}.dcm`, dicom({ pixels: 1024 })],
    (at) => [`volumes/${at}.nii.gz`, gzip(nifti({ dimensions: [16, 16, 8] }))],
    (at) => [`models/${at}.pkl`, at % 50 ? picklesNumbers() : picklesSystem()],
    (at) => [`notes/${at}.txt`, `Note ${at}\n`],
    (at) => [`bundles/${at}.zip`, zip({ "notes.txt": `inside ${at}\n`, "volume.nii": nifti() })],
    (at) => [`series ${at % 40}/IM${String(at).padStart(4, "0")}.dcm`, at % 97 ? dicom() : dicom({ preamble: elf() })],
  ];
  for (let at = 0; at < FILES; at += 1) {
    const [name, bytes] = kinds[at % kinds.length](at);
    await folder.put(`study/${name}`, bytes);
  }
}

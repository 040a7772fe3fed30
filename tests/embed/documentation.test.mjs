// The element in the tools that people write documentation with: each example of embed/ is built by the tool itself,
// served under a path with the strictest policy that the tool's own pages bear, and a file is checked in it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { openBrowser, Page } from "../page/browser.mjs";
import { nifti, picklesSystem, samples } from "../page/samples.mjs";
import { serve } from "../page/site.mjs";
import { DIST, ROOT } from "../page/surroundings.mjs";

/** The folder of the Python environment's programs, and the program mdbook. */
const PYTHON = resolve(process.env.PYTHON_PROGRAMS ?? join(ROOT, ".tools/python/bin"));
const MDBOOK = resolve(process.env.MDBOOK ?? join(ROOT, ".tools/bin/mdbook"));
/** Where pictures of each are put, if anywhere. */
const PICTURES = process.env.JUST_DATA_PICTURES;

const EMBED = join(ROOT, "embed");
const run = promisify(execFile);

/** What every page needs that has the element on it, whatever else it allows. */
const ELEMENT = "worker-src blob:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'";

/**
 * `build` is given a copy of the example, the folder to write to, and where that will be served. `policy` is that of the whole documentation;
 * `dark` makes the page dark by the tool's own means.
 */
const TOOLS = {
  Sphinx: {
    from: "sphinx", script: "example/just-data.js", pages: ["check.html", "check-in-myst.html"], plain: "index.html",
    policy: `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'; ${ELEMENT}`,
    build: (from, to) => run(join(PYTHON, "sphinx-build"), ["-q", "-W", "-b", "html", join(from, "example"), to]),
  },
  MkDocs: {
    from: "mkdocs", script: "docs/just-data.js", pages: ["check/"], plain: "", link: "Check your files",
    // The theme has scripts in its pages, and fetches pages and its search from beside itself.
    policy: `default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self'; ${ELEMENT}`,
    async build(from, to, address) {
      // Pages are only swapped when they are where the theme knows the site to be, down to the port.
      await writeFile(join(from, "here.yml"), `INHERIT: mkdocs.yml\nsite_url: ${address}\n`);
      await run(join(PYTHON, "mkdocs"), ["build", "--quiet", "--strict", "--config-file", join(from, "here.yml"), "--site-dir", to], { env: { ...process.env, NO_MKDOCS_2_WARNING: "1" } });
    },
    dark: "document.body.setAttribute('data-md-color-scheme', 'slate')",
  },
  Docusaurus: {
    from: "docusaurus", script: "static/just-data.js", pages: ["check/"], plain: "", link: "Check your files",
    // One script in each page sets its colours before it is drawn.
    policy: `default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'none'; manifest-src 'self'; ${ELEMENT}`,
    async build(from, to) {
      const packages = join(EMBED, "docusaurus/node_modules");
      // What it keeps there of a build names the folder of that build.
      await rm(join(packages, ".cache"), { recursive: true, force: true });
      await symlink(packages, join(from, "node_modules"));
      await run(join(from, "node_modules/.bin/docusaurus"), ["build", "--out-dir", to], { cwd: from, env: { ...process.env, DOCUSAURUS_NO_TELEMETRY: "1", NO_UPDATE_NOTIFIER: "1" }, maxBuffer: 2 ** 24 });
    },
    dark: "document.documentElement.setAttribute('data-theme', 'dark')",
  },
  mdBook: {
    from: "mdbook", script: "src/just-data.js", pages: ["check.html"], plain: "index.html",
    policy: `default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'none'; ${ELEMENT}`,
    build: (from, to) => run(MDBOOK, ["build", from, "--dest-dir", to]),
    dark: "document.documentElement.className = 'js navy'",
  },
};

/**
 * How many requests there were when none had come for a second: a tool may fetch its other pages once a page is there.
 *
 * @param {string[]} requests
 */
async function settled(requests) {
  for (let before = -1; before !== requests.length;) {
    before = requests.length;
    await new Promise((done) => setTimeout(done, 1000));
  }
  return requests.length;
}

describe("in documentation", { timeout: 1_200_000 }, () => {
  let browser, folder, home;
  before(async () => {
    [browser, folder, home] = [await openBrowser(), await samples(), await mkdtemp(join(tmpdir(), "just-data-embed-"))];
  });
  after(async () => {
    await browser?.close();
    await folder?.remove();
    if (home) await rm(home, { recursive: true, force: true });
  });

  for (const [name, tool] of Object.entries(TOOLS)) {
    describe(name, () => {
      let site;
      before(async () => {
        const [from, to] = [join(home, name, "from"), join(home, name, "to")];
        await cp(join(EMBED, tool.from), from, { recursive: true, filter: (path) => !path.includes("node_modules") });
        await mkdir(dirname(join(from, tool.script)), { recursive: true });
        await copyFile(join(DIST, "element/just-data.js"), join(from, tool.script));
        site = await serve({ folder: to, base: "/project/docs/", headers: { "Content-Security-Policy": tool.policy } });
        await tool.build(from, to, site.address);
      }, { timeout: 600_000 });
      after(() => site?.close());

      for (const path of tool.pages) {
        test(`a file is checked on ${path}`, async () => {
          const page = await new Page(browser, site.address + path).open();
          await page.run("window.broken = []; addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => window.broken.push(`${violatedDirective} ${blockedURI}`))");
          await browser.tools("Network.enable");
          const asked = await settled(site.requests);
          await browser.tools("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
          try {
            const [model, volume] = await page.check([await folder.put("model.pkl", picklesSystem()), await folder.put("brain.nii", nifti())]);
            assert.deepEqual([model.verdict, volume.verdict], ["code", "just-data"]);
          } finally {
            await browser.tools("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
          }
          assert.equal(site.requests.length, asked, "and it needs no network for that");
          assert.deepEqual(await page.run("return window.broken"), []);
          assert.equal(await page.run("return element.shadowRoot.host.innerText.includes('needs JavaScript')"), false, "the fallback is not shown");
          if (PICTURES) await picture(`${name}-${path.replace(/\W/g, "")}-light`);
        });
      }

      test("a page without a check loads nothing for one", async () => {
        const before = site.requests.length;
        await browser.driver.get(site.address + tool.plain);
        assert.deepEqual(site.requests.slice(before).filter((line) => line.includes("just-data")), []);
      });

      if (tool.link) {
        test("the check comes to life when its page is reached without a new load", async () => {
          await browser.driver.get(site.address + tool.plain);
          const page = new Page(browser, site.address);
          await page.driver.executeScript("window.same = true; [...document.querySelectorAll('article a, main a')].find((one) => one.textContent.includes(arguments[0])).click()", tool.link);
          await page.until("the checker has started", () => page.driver.executeScript("return Boolean(document.querySelector('just-data')?.reference)"));
          assert.equal(await page.driver.executeScript("return window.same"), true, "it is the same document");
          const [model] = await page.check(await folder.put("again.pkl", picklesSystem()));
          assert.equal(model.verdict, "code");
        });
      }

      if (tool.dark) {
        test("the element is dark when the page is", async () => {
          const page = await new Page(browser, site.address + tool.pages[0]).open();
          const lightness = () => page.run("const [r, g, b] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number); return (r + g + b) / 3");
          assert.ok(await lightness() < 100, "dark words on a light page");
          await page.run(tool.dark);
          assert.ok(await lightness() > 150, "light words on a dark page");
          await page.check([await folder.put("model.pkl", picklesSystem())]);
          if (PICTURES) await picture(`${name}-dark`);
        });
      }
    });
  }

  test("in Sphinx the script is bound to its bytes", async () => {
    const html = await readFile(join(home, "Sphinx/to/check.html"), "utf8");
    const sri = JSON.parse(await readFile(join(DIST, "sri.json"), "utf8"));
    assert.ok(html.includes(`integrity="${sri["element/just-data.js"]}"`));
  });

  test("in Sphinx, what is not HTML shows the words in its place", async () => {
    const to = join(home, "text");
    await run(join(PYTHON, "sphinx-build"), ["-q", "-W", "-b", "text", join(home, "Sphinx/from/example"), to]);
    assert.match(await readFile(join(to, "check.txt"), "utf8"), /This check needs JavaScript/);
  });

  async function picture(name) {
    await mkdir(PICTURES, { recursive: true });
    const { data } = await browser.tools("Page.captureScreenshot", { format: "png" });
    await writeFile(join(PICTURES, `${name}.png`), data, "base64");
  }
});

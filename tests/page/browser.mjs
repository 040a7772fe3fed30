// A browser with a fresh profile, over WebDriver, and the page in it.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder, By, Key, until } from "selenium-webdriver";
import { Options, ServiceBuilder } from "selenium-webdriver/chrome.js";
import { CHROME, CHROMEDRIVER } from "./surroundings.mjs";

export { By, Key, until };

/** Keeps the browser from talking to anyone by itself. */
const QUIET = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--disable-domain-reliability",
  "--disable-client-side-phishing-detection", "--metrics-recording-only", "--no-default-browser-check", "--no-first-run", "--no-pings",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--force-color-profile=srgb",
];

/**
 * @param {{ size?: [number, number], scale?: number }} [how]
 */
export async function openBrowser({ size = [1280, 900], scale = 1 } = {}) {
  const home = await mkdtemp(join(tmpdir(), "just-data-page-"));
  const downloads = join(home, "downloads");
  const options = new Options();
  options.setChromeBinaryPath(CHROME);
  options.addArguments(...QUIET, `--user-data-dir=${join(home, "profile")}`, `--window-size=${size.join(",")}`, `--force-device-scale-factor=${scale}`);
  options.setUserPreferences({ "download.default_directory": downloads, "download.prompt_for_download": false });
  const driver = await new Builder()
    .forBrowser("chrome")
    .setChromeOptions(options)
    .setChromeService(new ServiceBuilder(CHROMEDRIVER))
    .build();
  await driver.manage().setTimeouts({ script: 120_000, pageLoad: 60_000 });
  return {
    driver,
    downloads,
    /** A command of the DevTools protocol to the page. */
    tools: (name, parameters = {}) => driver.sendAndGetDevToolsCommand(name, parameters),
    async close() {
      await driver.quit().catch(() => {});
      await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** The page as a person uses it. Everything is found by what is shown. */
export class Page {
  constructor(browser, address) {
    this.driver = browser.driver;
    this.browser = browser;
    this.address = address;
  }

  async open() {
    await this.driver.get(this.address);
    await this.until("the checker has started", () => this.run("return document.querySelector('just-data').reference !== null"));
    return this;
  }

  /** Waits until the service worker has all files of the site. */
  kept() {
    return this.until("the page is kept", () => this.driver.executeScript("return !document.getElementById('kept').hidden"));
  }

  /** Runs a function body in the page; `element` and `root` are the element and its shadow root. */
  run(body, ...values) {
    return this.driver.executeScript(
      `const element = document.querySelector("just-data"), root = element.shadowRoot; ${body}`, ...values);
  }

  /** @param {string} what for the message @param {() => Promise<any>} test */
  async until(what, test, milliseconds = 60_000) {
    return this.driver.wait(test, milliseconds, `not in time: ${what}`, 50);
  }

  async input(kind = "files") {
    const host = await this.driver.findElement(By.css("just-data"));
    const root = await host.getShadowRoot();
    return root.findElement(By.css(kind === "folder" ? "input[webkitdirectory]" : "input[multiple]"));
  }

  /** Gives files (or a folder) through the page's own input element. */
  async give(paths, kind = "files") {
    await (await this.input(kind)).sendKeys([paths].flat().join("\n"));
  }

  /** Gives files and waits for all results. */
  async check(paths, { kind = "files", milliseconds = 60_000 } = {}) {
    const before = await this.run("return element.results.length");
    const expected = kind === "files" ? [paths].flat().length : 1;
    await this.give(paths, kind);
    await this.quiet(before + expected, milliseconds);
    return this.reports();
  }

  /** Waits until nothing is left to check and at least so many results are there. */
  async quiet(least = 1, milliseconds = 60_000) {
    await this.until("all files are checked", () =>
      this.run(`return element.results.length >= arguments[0] && root.querySelectorAll('.file:not([data-state="done"])').length === 0
        && root.querySelector('.summary h2').textContent.endsWith("checked") && !root.querySelector('.summary h2').textContent.includes(" of ")`, least), milliseconds);
  }

  /** The JSON contract's objects, in the order of giving. */
  reports() {
    return this.run("return element.results");
  }

  /** What each row says: verdict, name, headline. Only rows in sight are in the document: the list is gone through. */
  rows() {
    return this.run(`
      const seen = new Map();
      const list = root.querySelector(".files");
      const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      const look = () => {
        for (const file of root.querySelectorAll(".file")) {
          seen.set(Number(file.parentElement.getAttribute("aria-posinset")), {
            verdict: file.querySelector(".verdict").textContent, name: file.querySelector(".name").title,
            said: file.querySelector(".said").textContent, state: file.dataset.state,
            opened: file.querySelector(".toggle").getAttribute("aria-expanded") === "true",
            detail: file.querySelector(".detail").innerText ?? "" });
        }
      };
      const back = scrollY;
      look();
      const top = list.getBoundingClientRect().top + scrollY;
      for (let at = top; at < top + list.getBoundingClientRect().height; at += innerHeight) {
        scrollTo({ top: at, behavior: "instant" });
        await drawn();
        look();
      }
      scrollTo({ top: back, behavior: "instant" });
      await drawn();
      return [...seen].sort(([a], [b]) => a - b).map(([, row]) => row);`);
  }

  /** Clicks the button with this text, by default the first of the page. */
  async press(text, within = ":host") {
    const pressed = await this.run(`
      const scope = arguments[1] === ":host" ? root : root.querySelector(arguments[1]);
      const button = [...scope.querySelectorAll("button")].find((one) => one.checkVisibility() && one.innerText.trim().startsWith(arguments[0]));
      button?.scrollIntoView({ block: "center" });
      return button ?? null;`, text, within);
    if (!pressed) throw new Error(`no button "${text}" is shown in ${within}`);
    await pressed.click();
  }

  /** Brings the row of this file into sight, and gives its toggle. */
  toggle(name) {
    return this.run(`
      const list = root.querySelector(".files");
      const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      const find = () => [...root.querySelectorAll(".slot:not(.group) .toggle")].find((one) => one.querySelector(".name").title === arguments[0]);
      const top = list.getBoundingClientRect().top + scrollY;
      for (let at = top; !find() && at < top + list.getBoundingClientRect().height; at += innerHeight) {
        scrollTo({ top: at, behavior: "instant" });
        await drawn();
      }
      find()?.scrollIntoView({ block: "center", behavior: "instant" });
      await drawn();
      return find() ?? null;`, name);
  }

  /** Opens the row of this file. */
  async openRow(name) {
    const toggle = await this.toggle(name);
    if (await toggle?.getAttribute("aria-expanded") === "false") await toggle.click();
  }

  /** The counters that the user sees. */
  async counters() {
    const read = (id) => this.driver.findElement(By.id(id)).getText().then(Number);
    return { requests: await read("requests"), blocked: await read("blocked") };
  }

  /** The text of the file that a button makes the browser save. */
  async saved(text, within) {
    const before = new Set(await readdir(this.browser.downloads).catch(() => []));
    await this.press(text, within);
    return this.until(`"${text}" is saved`, async () => {
      const name = (await readdir(this.browser.downloads).catch(() => [])).find((one) => !before.has(one) && !/\.crdownload$|^\.|\.tmp$/.test(one));
      return name ? { name, text: await readFile(join(this.browser.downloads, name), "utf8") } : null;
    }, 20_000);
  }
}

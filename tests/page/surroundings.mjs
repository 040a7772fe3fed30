// What the tests are given: where the page, the command and the browser are. `cargo xtask test` sets these variables;
// without them the places of `cargo xtask dist` and `cargo build --release` are used.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** The folder with site/ and just-data.html. */
export const DIST = resolve(process.env.JUST_DATA_DIST ?? join(ROOT, "dist"));

/** The native command. */
export const COMMAND = resolve(process.env.JUST_DATA_COMMAND ?? join(ROOT, "target/release/just-data"));

/** The wasm-pack output that the page was made from. */
export const CORE = resolve(process.env.JUST_DATA_CORE ?? join(ROOT, "target/core"));

/** The chores of the repository, built. */
export const XTASK = resolve(process.env.JUST_DATA_XTASK ?? join(ROOT, "target/debug/xtask"));

export const CHROME = process.env.CHROME ?? found("chromium", "chromium-browser", "google-chrome", "chrome");
export const CHROMEDRIVER = process.env.CHROMEDRIVER ?? found("chromedriver");

/**
 * Where a program is. Only hosting.test.mjs asks for web servers: the chores that also read this file do without them.
 * @param {...string} names under which it is known
 */
export function found(...names) {
  for (const folder of [...(process.env.PATH ?? "").split(":"), "/usr/sbin"]) {
    for (const name of names) {
      if (existsSync(join(folder, name))) return join(folder, name);
    }
  }
  throw new Error(`${names[0]} is missing: install it (Debian: apt-get install chromium chromium-driver nginx caddy apache2-bin), or say where it is with CHROME, CHROMEDRIVER, NGINX, CADDY, APACHE`);
}

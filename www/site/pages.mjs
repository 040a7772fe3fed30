// All pages, in all languages: what the build puts into the site, and the one page that holds everything.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LANGUAGES, speak } from "../src/language.js";
import { UNTRANSLATED } from "../src/phrases.js";
import { securityTxt } from "../policy.mjs";
import { page } from "./page.mjs";
import { SECTIONS } from "./sections.mjs";
import { Writer } from "./writer.mjs";

const here = dirname(fileURLToPath(import.meta.url));

/**
 * @param {object} made
 * @param {any} made.policy
 * @param {{ version: string, rules: any[], formats: any[] }} made.reference
 * @param {Parameters<typeof page>[1]["parts"]} made.linked the style and the scripts of the site, by their addresses
 * @param {Parameters<typeof page>[1]["parts"]} made.within the same inside of the one file
 * @param {Record<string, string | Buffer>} made.loaded what the pages of the site load, by its name
 * @param {string} made.whole the script of the one file
 * @returns {Promise<{ build: string, site: Record<string, string | Buffer>, whole: string }>}
 */
export async function pages({ policy, reference, linked, within, loaded, whole: inOne }) {
  const context = { policy, reference, sums: Object.fromEntries(Object.entries(loaded).map(([name, text]) => [name, createHash("sha256").update(text).digest("hex")])) };
  const written = (build) => {
    const site = {};
    for (const id of ["index", ...Object.keys(SECTIONS)]) {
      site[`${id}.html`] = inLanguage("en", { ...context, whole: false, chosen: null }, { id, build, parts: linked });
      for (const tag of UNTRANSLATED.has(id) ? [] : Object.keys(LANGUAGES).filter((one) => one !== "en")) {
        site[`${id}.${tag}.html`] = inLanguage(tag, { ...context, whole: false, chosen: tag }, { id, build, parts: linked });
      }
    }
    return { site, whole: inLanguage("en", { ...context, whole: true, chosen: null }, { id: "index", build, parts: within }) };
  };
  // A build is known by what is in it, apart from its own name.
  const nameless = written("");
  const content = createHash("sha256");
  for (const [name, text] of Object.entries({ ...loaded, inOne, ...nameless.site, whole: nameless.whole })) content.update(`${name}\0`).update(text);
  const build = content.digest("hex").slice(0, 12);

  const { site, whole } = written(build);
  const icon = (name) => readFile(join(here, "icons", name));
  // The browser would load the icons of the manifest after the page: inside of it, they are no requests.
  site["manifest.webmanifest"] = manifest(reference, [
    { src: inside("image/svg+xml", await icon("icon.svg")), sizes: "any", type: "image/svg+xml" },
    { src: inside("image/png", await icon("icon-192.png")), sizes: "192x192", type: "image/png" },
    { src: inside("image/png", await icon("icon-512.png")), sizes: "512x512", type: "image/png" },
    { src: inside("image/png", await icon("icon-maskable-512.png")), sizes: "512x512", type: "image/png", purpose: "maskable" },
  ]);
  site[".well-known/security.txt"] = securityTxt(policy);
  return { build, site, whole };
}

function inLanguage(tag, context, how) {
  speak([tag]);
  const html = page(new Writer(context), how);
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice) throw new Error(`the id "${twice}" is twice in one page`);
  return html;
}

function inside(type, content) {
  return `data:${type};base64,${content.toString("base64")}`;
}

/** What an installed page tells the system: its name, and which files it takes. */
function manifest({ formats }, icons) {
  const accept = {};
  for (const { media_types: types, extensions } of formats) {
    for (const type of types.length ? types : ["application/octet-stream"]) {
      accept[type] = [...new Set([...(accept[type] ?? []), ...extensions.map((one) => `.${one.replace(/^\./, "")}`)])].sort();
    }
  }
  const known = Object.fromEntries(Object.entries(accept).filter(([type, extensions]) => /^[\w.+-]+\/[\w.+-]+$/.test(type) && extensions.length).sort());
  return `${JSON.stringify({
    name: "Just Data", short_name: "Just Data", lang: "en", dir: "ltr",
    description: "Is this file just data? Checks on your own machine what opening it would do.",
    id: "./", start_url: "./", scope: "./", display: "standalone", background_color: "#f5f7f8", theme_color: "#134e5e",
    categories: ["security", "utilities"],
    icons,
    share_target: { action: "share", method: "POST", enctype: "multipart/form-data", params: { files: [{ name: "files", accept: ["*/*"] }] } },
    file_handlers: [{ action: "./", accept: known }],
    launch_handler: { client_mode: "focus-existing" },
  }, null, 2)}\n`;
}

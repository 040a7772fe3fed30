// Makes what travels: the page as a static folder with relative addresses, the same page as one HTML file, and the
// element alone, as the npm package `just-data`.
//
//   node bundle.mjs --core DIR --out DIR [--policy FILE] [--first-load BYTES]
//
// --core is a folder with just_data.js and just_data_bg.wasm as `wasm-pack build --target web` writes them, and the
//        latter packed with xz.
// --out receives site/, just-data.html, element/, SHA256SUMS and sri.json.
// --first-load is the most that the browser may have to load, compressed, before the page is whole.
// --policy is another policy than that of this repository (policy.json); policy.schema.json says what it holds.
//
// The element's script has everything inside, in element/ as in site/ (there all but the languages that are not spoken, each
// of which is a file beside it): the worker as text, because
// only a worker from a blob is bound by a policy in a <meta> element, and the WebAssembly module as xz in base64,
// because `connect-src 'none'` forbids to fetch it. just-data.split.js is for hosts that would rather cache the module
// as a file of its own: it fetches just-data.wasm from beside itself, and so needs `connect-src 'self'`.

import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { packaged } from "./package.mjs";
import { catalogues } from "./src/catalogues.js";
import { policy as published } from "./policy.mjs";
import { pages } from "./site/pages.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { core: { type: "string" }, out: { type: "string" }, policy: { type: "string" }, "first-load": { type: "string" } } });
if (!values.core || !values.out) {
  console.error("usage: node bundle.mjs --core DIR --out DIR [--policy FILE] [--first-load BYTES]");
  process.exit(64);
}
const [core, out] = [resolve(values.core), resolve(values.out)];
const policy = await published(values.policy).catch((error) => {
  console.error(error.message);
  process.exit(1);
});

/** The exports of the core that the worker uses; the rest of the glue, which could fetch, is left out. */
const EXPORTS = [
  "initSync", "check", "sweep", "join", "relate", "unread", "write", "peek", "regions", "variety", "sha256", "sha512", "rules", "formats",
  "version",
];

/** The policy as a module. */
const POLICY = { "just-data:policy": `export default ${JSON.stringify(policy)};` };

/** For every bundle of this page. */
const common = {
  bundle: true, write: false, minify: true, charset: "utf8", target: ["es2022"], legalComments: "none",
  logLevel: "warning", absWorkingDir: here,
};

const glue = await bundled({
  stdin: { contents: `export { ${EXPORTS} } from "./just_data.js";`, resolveDir: core, loader: "js" },
  format: "iife", globalName: "core", minify: false,
  // Only said of what is left out.
  logOverride: { "empty-import-meta": "silent" },
});
if (/\bfetch\b|import\.meta/.test(glue)) throw new Error("the glue of the core would load something by itself");
// The glue keeps its instance in variables of its own: as the body of a function it gives a new one at each call.
const worker = await bundled({
  entryPoints: ["src/worker.js"], format: "iife",
  plugins: [supply({ "just-data:core": `export function instance() { ${glue}\n return core; }` })],
});
const module = await readFile(join(core, "just_data_bg.wasm"));
const packed = await readFile(join(core, "just_data_bg.wasm.xz"));
const [element, split] = [await elementWith("inside"), await elementWith("beside")];
// On the site every page has English and the languages of its policy's own texts; another is loaded when it is spoken.
const near = ["en", policy.languages[0], policy.reporting.languages[0]].filter((tag, at, all) => tag in catalogues && all.indexOf(tag) === at);
const far = Object.keys(catalogues).filter((tag) => !near.includes(tag));
const { kept: thin, taken } = parted(policy, far);
const tongues = Object.fromEntries(far.map((tag) => [`just-data.${tag}.js`, `export default ${JSON.stringify({ ...catalogues[tag], ...taken[tag] })};\n`]));
const own = await elementWith("inside", "src/site-element.js", { "just-data:catalogues": `
  ${near.map((tag, at) => `import near${at} from "./languages/${tag}.json";`).join("\n")}
  export const catalogues = { ${near.map((tag, at) => `${JSON.stringify(tag)}: near${at}`)} };
  export async function load(tag) {
    catalogues[tag] = (await import(new URL(\`just-data.\${tag}.js\`, import.meta.url).href)).default;
  }` });
// The page's own script imports the element's; as one file it has it inside.
const shared = Object.fromEntries(["element", "first-language", "language", "crew", "settings"].map((name) => [`./${name}.js`, "./just-data.js"]));
const script = await bundled({ entryPoints: ["src/site.js"], format: "esm", plugins: [beside(shared), supply({ "just-data:policy": `export default ${JSON.stringify(thin)};` })] });
const whole = await elementWith("inside", "src/page.js");
const style = await bundled({ entryPoints: ["src/page.css"] });
if (/<\/style/i.test(style) || /<\/script|<!--/i.test(whole)) throw new Error("the bundle would end its own element");

const loaded = { "just-data.js": own, "page.js": script, "just-data.css": style, ...tongues };
const { build: name, site, whole: all } = await pages({
  policy,
  reference: await reference(),
  loaded,
  whole,
  linked: {
    scripts: "'self'", styles: "'self'",
    style: `<link rel="stylesheet" href="just-data.css" integrity="${hash(style)}">`,
    // What a module imports is not bound by its own integrity: the element is loaded by a tag of its own first. The text
    // is there before both, and is not to wait for them.
    script: ["just-data.js", "page.js"]
      .map((name) => `<script type="module" fetchpriority="low" src="${name}" integrity="${hash(loaded[name])}"></script>`).join("\n"),
  },
  within: { scripts: `'${hash(whole)}'`, styles: `'${hash(style)}'`, style: `<style>${style}</style>`, script: `<script type="module">${whole}</script>` },
});
Object.assign(site, loaded);
// What a well-known address holds is for programs, which look for it on the network.
const kept = Object.fromEntries(each(site, (file, content) => [file, hash(content)]).filter(([file]) => !file.startsWith(".")));
site["sw.js"] = await bundled({
  entryPoints: ["src/service-worker.js"], format: "iife",
  plugins: [supply({ "just-data:kept": `export const build = ${JSON.stringify(name)};\nexport const files = ${JSON.stringify(kept)};` })],
});

const files = {
  ...Object.fromEntries(Object.entries(site).map(([file, content]) => [`site/${file}`, content])),
  "just-data.html": all,
  "element/just-data.js": element,
  "element/just-data.split.js": split,
  "element/just-data.wasm": module,
  ...Object.fromEntries(Object.entries(await packaged()).map(([name, content]) => [`element/${name}`, content])),
};
await written(files);
await written({
  "SHA256SUMS": each(files, (name, content) => `${createHash("sha256").update(content).digest("hex")}  ${name}`).join("\n") + "\n",
  "sri.json": JSON.stringify(Object.fromEntries(each(files, (name, content) => [name, hash(content)]).filter(([name]) => /\.(js|css)$/.test(name))), null, 2) + "\n",
});

const first = ["index.html", "just-data.css", "just-data.js", "page.js", "manifest.webmanifest", "sw.js"]
  .reduce((sum, file) => sum + gzipSync(site[file], { level: 9 }).length, 0);
console.log(`${String(first).padStart(9)} bytes in gzip are the first load`);
if (first > Number(values["first-load"] ?? Infinity)) {
  console.error(`The first load takes ${first} bytes in gzip, which is more than ${values["first-load"]}.`);
  process.exitCode = 1;
}

/**
 * The element's script, with the WebAssembly module `inside` it or `beside` it.
 * @param {"inside" | "beside"} where
 * @param {string} entry
 * @param {Record<string, string>} apart modules that are other than in a script with everything inside
 */
function elementWith(where, entry = "src/element.js", apart = {}) {
  return bundled({
    entryPoints: [entry], format: "esm", loader: { ".css": "text" },
    plugins: [
      minifiedStyles(),
      instead(Object.fromEntries(Object.keys(apart).map((name) => [`./${name.split(":")[1]}.js`, name]))),
      supply({
        ...apart,
        ...POLICY,
        "just-data:worker": `export default ${JSON.stringify(worker)};`,
        "just-data:module": `export { module } from "./module-${where}.js";`,
        "just-data:wasm": `export default ${JSON.stringify(packed.toString("base64"))};`,
      }),
    ],
  });
}

/**
 * The policy without its texts in some languages, and those texts by their keys.
 * @param {any} policy
 * @param {string[]} away
 */
function parted(policy, away) {
  const taken = Object.fromEntries(away.map((tag) => [tag, {}]));
  const isTexts = (value) => policy.languages[0] in value && Object.keys(value).every((tag) => policy.languages.includes(tag));
  const part = (value, key) => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((one, at) => part(one, `${key}.${at}`));
    if (!isTexts(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, part(one, `${key}.${name}`)]));
    return Object.fromEntries(Object.entries(value).filter(([tag, text]) => {
      if (tag in taken) taken[tag][key] = text;
      return !(tag in taken);
    }));
  };
  return { kept: part(policy, "policy"), taken };
}

/** What the core says about itself. */
async function reference() {
  const { initSync, version, rules, formats } = await import(pathToFileURL(join(core, "just_data.js")));
  initSync({ module: await WebAssembly.compile(module) });
  return { version: version(), rules: rules(), formats: formats() };
}

function hash(content) {
  return `sha384-${createHash("sha384").update(content).digest("base64")}`;
}

/** By name, so that the order says nothing. */
function each(files, say) {
  return Object.keys(files).sort().map((name) => say(name, files[name]));
}

async function written(files) {
  for (const folder of new Set(Object.keys(files).map((name) => name.split("/")[0]).filter((name) => !(name in files)))) {
    await rm(join(out, folder), { recursive: true, force: true });
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(out, name)), { recursive: true });
    await writeFile(join(out, name), content);
    console.log(`${String(Buffer.byteLength(content)).padStart(9)} bytes (${gzipSync(content, { level: 9 }).length} in gzip)  ${name}`);
  }
}

async function bundled(options) {
  const result = await build({ ...common, ...options });
  if (result.warnings.length) throw new Error(`${result.warnings.length} warnings of the bundler`);
  return result.outputFiles[0].text;
}

/** Modules that are made here, by name. */
function supply(modules) {
  return {
    name: "supply",
    setup(bundle) {
      bundle.onResolve({ filter: /^just-data:/ }, ({ path }) => ({ path, namespace: "supplied" }));
      bundle.onLoad({ filter: /.*/, namespace: "supplied" }, ({ path }) => ({ contents: modules[path], resolveDir: join(here, "src"), loader: "js" }));
    },
  };
}

/** Modules that others take the place of. */
function instead(modules) {
  return {
    name: "instead",
    setup(bundle) {
      bundle.onResolve({ filter: /^\./ }, ({ path }) => (path in modules ? { path: modules[path], namespace: "supplied" } : undefined));
    },
  };
}

/** Modules that are files of their own, beside the script that imports them. */
function beside(modules) {
  return {
    name: "beside",
    setup(bundle) {
      bundle.onResolve({ filter: /^\./ }, ({ path }) => (path in modules ? { path: modules[path], external: true } : undefined));
    },
  };
}

/**
 * Style sheets that a script imports arrive as their text, minified. They are for shadow roots, where "rem" is the
 * element's own size; in conditions, which know no variables, it stays what it is.
 */
function minifiedStyles() {
  return {
    name: "minified-styles",
    setup(bundle) {
      bundle.onLoad({ filter: /\.css$/ }, async ({ path }) => ({
        contents: (await bundled({ entryPoints: [path] })).trim().replace(/@(?:media|container)[^{]*|([\d.]+)rem\b/g, (found, amount) => (amount ? `calc(${amount}*var(--just-data-unit))` : found)),
        loader: "text",
      }));
    },
  };
}

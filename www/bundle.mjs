// Makes the page: one static folder with relative addresses, and the same page as one HTML file.
//
//   node bundle.mjs --core DIR --out DIR
//
// --core is a folder with just_data.js and just_data_bg.wasm as `wasm-pack build --target web` writes them.
// --out receives site/ (index.html, just-data.js, just-data.css), just-data.html and SHA256SUMS.
//
// Everything is inside the script: the worker as text, because only a worker from a blob is bound by a policy in a
// <meta> element, and the WebAssembly module as gzip in base64, because `connect-src 'none'` forbids to fetch it.

import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { core: { type: "string" }, out: { type: "string" } } });
if (!values.core || !values.out) {
  console.error("usage: node bundle.mjs --core DIR --out DIR");
  process.exit(64);
}
const [core, out] = [resolve(values.core), resolve(values.out)];

/** The exports of the core that the worker uses; the rest of the glue, which could fetch, is left out. */
const EXPORTS = ["initSync", "check", "sweep", "join", "unread", "write", "rules", "formats", "version"];

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
const script = await bundled({
  entryPoints: ["src/page.js"], format: "esm", loader: { ".css": "text" },
  plugins: [
    minifiedStyles(),
    supply({
      "just-data:worker": `export default ${JSON.stringify(worker)};`,
      "just-data:wasm": `export default ${JSON.stringify(gzipSync(module, { level: 9 }).toString("base64"))};`,
    }),
  ],
});
const style = await bundled({ entryPoints: ["src/page.css"] });
const template = await readFile(join(here, "index.html"), "utf8");

const site = page({
  policy: policy("'self'", "'self'"),
  style: `<link rel="stylesheet" href="just-data.css" integrity="${hash(style)}">`,
  script: `<script type="module" src="just-data.js" integrity="${hash(script)}"></script>`,
});
const single = page({
  policy: policy(`'${hash(script)}'`, `'${hash(style)}'`),
  style: `<style>${style}</style>`,
  script: `<script type="module">${script}</script>`,
});
if (/<\/style/i.test(style) || /<\/script|<!--/i.test(script)) throw new Error("the bundle would end its own element");

const files = {
  "site/index.html": site,
  "site/just-data.js": script,
  "site/just-data.css": style,
  "just-data.html": single,
};
await rm(join(out, "site"), { recursive: true, force: true });
await mkdir(join(out, "site"), { recursive: true });
let sums = "";
for (const [name, text] of Object.entries(files)) {
  await writeFile(join(out, name), text);
  sums += `${createHash("sha256").update(text).digest("hex")}  ${name}\n`;
  console.log(`${String(Buffer.byteLength(text)).padStart(9)} bytes (${gzipSync(text, { level: 9 }).length} in gzip)  ${name}`);
}
await writeFile(join(out, "SHA256SUMS"), sums);

/**
 * The policy of the page. `form-action` and `base-uri` have no fallback in `default-src` and must be named;
 * 'wasm-unsafe-eval' allows WebAssembly and nothing else.
 */
function policy(scripts, styles) {
  const content = [
    "default-src 'none'", `script-src ${scripts} 'wasm-unsafe-eval'`, `style-src ${styles}`, "img-src data:",
    "worker-src blob:", "connect-src 'none'", "frame-src 'none'", "object-src 'none'", "form-action 'none'", "base-uri 'none'",
    "require-trusted-types-for 'script'", "trusted-types just-data",
  ].join("; ");
  return `<meta http-equiv="Content-Security-Policy" content="${content}">`;
}

function page(parts) {
  return template.replace(/<!--(policy|style|script)-->/g, (_, name) => parts[name]);
}

function hash(text) {
  return `sha384-${createHash("sha384").update(text).digest("base64")}`;
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
      bundle.onLoad({ filter: /.*/, namespace: "supplied" }, ({ path }) => ({ contents: modules[path], loader: "js" }));
    },
  };
}

/** Style sheets that a script imports arrive as their text, minified. */
function minifiedStyles() {
  return {
    name: "minified-styles",
    setup(bundle) {
      bundle.onLoad({ filter: /\.css$/ }, async ({ path }) => ({ contents: (await bundled({ entryPoints: [path] })).trim(), loader: "text" }));
    },
  };
}

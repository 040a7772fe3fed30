// What the package `just-data` has beside its scripts: package.json, types and the Custom Elements Manifest. All of it
// comes from the sources: the types from what they declare, the manifest from the comment before the element's class.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const run = (program, ...parameters) => promisify(execFile)(process.execPath, [join(here, "node_modules", program), ...parameters], { cwd: here });

/** @returns {Promise<Record<string, string>>} by name in the package */
export async function packaged() {
  const made = await mkdtemp(join(tmpdir(), "just-data-package-"));
  try {
    await run("typescript/bin/tsc", "--project", "tsconfig.json", "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", "src", "--outDir", made);
    await run("@custom-elements-manifest/analyzer/cem.js", "analyze", "--outdir", relative(here, made), "--quiet");
    return {
      "package.json": await about(),
      "just-data.d.ts": await readFile(join(here, "just-data.d.ts"), "utf8"),
      ...(await types(made)),
      "custom-elements.json": manifest(JSON.parse(await readFile(join(made, "custom-elements.json"), "utf8"))),
      "LICENSE": await readFile(join(here, "../LICENSE"), "utf8"),
      "README.md": await readFile(join(here, "../embed/README.md"), "utf8"),
    };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** The version is that of the crate. */
async function about() {
  const [, version] = (await readFile(join(here, "../Cargo.toml"), "utf8")).match(/^version = "([^"]+)"$/m);
  return text({ ...JSON.parse(await readFile(join(here, "element.json"), "utf8")), version });
}

/** The declarations of the element, and of what they refer to. */
async function types(made) {
  const found = {};
  const waiting = ["element.js"];
  for (let name = waiting.pop(); name; name = waiting.pop()) {
    const file = `types/${name.replace(/\.js$/, "")}.d.ts`;
    if (file in found) continue;
    // Written by hand where there is nothing to make them from.
    const source = name.endsWith(".js") ? join(made, name.replace(/\.js$/, ".d.ts")) : join(here, "src", `${name}.d.ts`);
    found[file] = await readFile(source, "utf8");
    for (const [, other] of found[file].matchAll(/(?:from |import\()"\.\/([\w./-]+)"/g)) waiting.push(other);
  }
  return found;
}

/** Without what is private, and with the place of the script instead of that of its source. */
function manifest(analysed) {
  const [{ declarations }] = analysed.modules;
  const { members, events, ...element } = declarations.find(({ customElement }) => customElement);
  const declaration = {
    ...element,
    members: members.filter(({ privacy }) => privacy !== "private"),
    events: events.filter(({ name }) => name.startsWith("just-data-")),
  };
  const path = "just-data.js";
  const exports = [
    { kind: "js", name: "JustData", declaration: { name: "JustData", module: path } },
    { kind: "custom-element-definition", name: "just-data", declaration: { name: "JustData", module: path } },
  ];
  return text({ schemaVersion: analysed.schemaVersion, modules: [{ kind: "javascript-module", path, declarations: [declaration], exports }] });
}

function text(value) {
  return JSON.stringify(value, null, 2) + "\n";
}

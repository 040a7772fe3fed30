// What the README of embed/ shows is what the tests run, and what it says of the element is what the element has.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { DIST, ROOT } from "./surroundings.mjs";

const readme = await readFile(join(ROOT, "embed/README.md"), "utf8");
const manifest = JSON.parse(await readFile(join(DIST, "element/custom-elements.json"), "utf8"));
const [declaration] = manifest.modules[0].declarations;

describe("embed/README.md", () => {
  test("each block is the file that it names", async () => {
    const blocks = [...readme.matchAll(/^(`{3,4})(\w+)\n([\s\S]*?)\n\1$/gm)].filter(([, , language]) => language !== "sh");
    assert.ok(blocks.length >= 14);
    for (const { 0: whole, 3: text, index } of blocks) {
      const [, path] = readme.slice(0, index).match(/`(embed\/[^`]+)`:\n\n$/) ?? [];
      assert.ok(path, `the file is named before:\n${whole}`);
      assert.equal(text, (await readFile(join(ROOT, path), "utf8")).trimEnd(), path);
    }
  });

  test("every attribute, event, part and custom property is told, in the words of the manifest", () => {
    const { attributes, events, cssParts, cssProperties } = declaration;
    for (const { name, description } of [...attributes, ...events, ...cssParts, ...cssProperties]) {
      assert.ok(description, `${name} is described`);
      const line = readme.split("\n").find((line) => line.startsWith(`| \`${name}\` |`) && line.endsWith(`${description} |`));
      assert.ok(line, name);
    }
  });

  test("every public property and method is told", () => {
    const known = new Set(declaration.attributes.map(({ name }) => name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())));
    for (const { name, kind, static: fixed } of declaration.members) {
      if (!fixed && !known.has(name)) assert.ok(readme.includes(kind === "method" ? `\`${name}(` : `\`${name}\``), name);
    }
  });
});

describe("the package", () => {
  test("names files that are in it, and its types are those of the element", async () => {
    const about = JSON.parse(await readFile(join(DIST, "element/package.json"), "utf8"));
    const named = [about.types, about.customElements, ...Object.values(about.exports).flatMap((one) => (typeof one === "string" ? one : Object.values(one)))];
    for (const name of named) await readFile(join(DIST, "element", name));
    const home = await mkdtemp(join(tmpdir(), "just-data-types-"));
    try {
      await cp(join(DIST, "element"), join(home, "node_modules/just-data"), { recursive: true });
      const options = { strict: true, noEmit: true, target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"], types: [] };
      await writeFile(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
      const compiled = async (text) => {
        await writeFile(join(home, "use.ts"), text);
        return promisify(execFile)(process.execPath, [join(ROOT, "www/node_modules/typescript/bin/tsc"), "--project", home]).then(() => "", ({ stdout }) => stdout);
      };
      const right = `
        import { JustData, type FileReport } from "just-data";
        import "just-data/split";
        const element: JustData = document.createElement("just-data");
        element.maxBytes = 10;
        element.theme = "dark";
        document.addEventListener("just-data-result", ({ detail }) => { const file: FileReport = detail; console.log(file.verdict); });
        document.addEventListener("just-data-done", ({ detail }) => console.log(detail.verdicts.code));
        await element.check([new File([], "x")]);
        export const { files } = element.toJSON();`;
      assert.equal(await compiled(right), "");
      assert.match(await compiled(right.replace('"dark"', '"purple"')), /purple/);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});

// Folders are walked whole: the traversal itself, with folders that no file system here would give.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fromEntry, fromFiles, fromTransfer } from "../../www/src/intake.js";
import { reported } from "../../www/src/language.js";

const names = async (items) => {
  const all = [];
  for await (const { name, file, failure } of items) all.push(failure ? `${name}: ${reported([failure])}` : `${name} ${file.content}`);
  return all;
};

const file = (name, content = name) => ({
  isFile: true, name, file: (resolve) => resolve({ name, content }),
});
const refused = (name, error) => ({ isFile: true, name, file: (_, reject) => reject(new DOMException("no", error)) });

/** Like a browser's: at most 100 entries at each call, nothing at the end. */
const folder = (name, children) => ({
  isFile: false, name,
  createReader() {
    let at = 0;
    return {
      readEntries(resolve) {
        resolve(children.slice(at, at + 100));
        at += 100;
      },
    };
  },
});

test("a folder with more than one portion of entries arrives whole, in the order of names", async () => {
  const inside = Array.from({ length: 345 }, (_, at) => `f${String(at).padStart(3, "0")}`);
  const found = await names(fromEntry(folder("many", inside.map((name) => file(name)))));
  assert.deepEqual(found, inside.map((name) => `many/${name} ${name}`));
});

test("folders in folders, deeper than any stack", async () => {
  let deepest = folder("d", [file("end")]);
  for (let depth = 0; depth < 20_000; depth += 1) deepest = folder("d", [deepest]);
  const found = await names(fromEntry(deepest));
  assert.equal(found.length, 1);
  assert.ok(found[0].endsWith("d/d/end end"));
});

test("what cannot be read comes out with its reason, and the walk goes on", async () => {
  const locked = { isFile: false, name: "locked", createReader: () => ({ readEntries: (_, reject) => reject(new DOMException("no", "NotAllowedError")) }) };
  const found = await names(fromEntry(folder("mixed", [file("a"), refused("b", "NotFoundError"), locked, file("z")])));
  assert.deepEqual(found, [
    "mixed/a a", "mixed/b: It is no longer there.", "mixed/locked: The browser was not allowed to open it.", "mixed/z z",
  ]);
});

test("an input's files keep the folders of their names", async () => {
  const found = await names(fromFiles([{ name: "a", webkitRelativePath: "x/y/a", content: "1" }, { name: "b", webkitRelativePath: "", content: "2" }]));
  assert.deepEqual(found, ["x/y/a 1", "b 2"]);
});

test("a drop is taken inside the event; a handle is used where there is one, an entry or the file where not", async () => {
  let asked = 0;
  const handle = {
    kind: "directory", name: "top",
    async *values() {
      yield { kind: "file", name: "one", getFile: async () => ({ name: "one", content: "1" }) };
      yield { kind: "directory", name: "none", async *values() {} };
      yield { kind: "file", name: "gone", getFile: async () => { throw new DOMException("no", "NotReadableError"); } };
    },
  };
  const items = [
    { kind: "string" },
    { kind: "file", getAsFileSystemHandle: async () => { asked += 1; return handle; }, webkitGetAsEntry: () => null, getAsFile: () => null },
    { kind: "file", getAsFileSystemHandle: async () => { throw new Error("refused"); }, webkitGetAsEntry: () => file("entry"), getAsFile: () => null },
    { kind: "file", webkitGetAsEntry: () => null, getAsFile: () => ({ name: "plain", content: "3" }) },
  ];
  const taken = fromTransfer({ items });
  assert.equal(asked, 1, "before anything is awaited");
  items.length = 0;
  assert.deepEqual(await names(taken), [
    "top/gone: It could not be read: it has changed, or reading it is not permitted.", "top/one 1", "entry entry", "plain 3",
  ]);
});

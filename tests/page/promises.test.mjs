// What the page promises names the test that proves it; and the promise that only the command can keep.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { PROMISES } from "../../www/site/sections.mjs";
import { COMMAND, DIST, ROOT } from "./surroundings.mjs";

test("each promise stands on the page with a test that exists", async () => {
  const page = await readFile(join(DIST, "site/promises.html"), "utf8");
  assert.deepEqual([...new Set(PROMISES.map(({ guideline }) => guideline))].sort(), ["code", "listening", "reporting"]);
  for (const { id, file, test: name } of PROMISES) {
    const source = await readFile(join(ROOT, file), "utf8");
    const defined = file.endsWith(".rs") ? source.includes(`#[test]\nfn ${name}()`) : source.includes(`test("${name}"`);
    assert.ok(defined, `${file} has no test "${name}"`);
    assert.ok(page.includes(`data-say="site.promise.${id}"`) && page.includes(name), id);
  }
});

test("the command knows no way to a network", async () => {
  const NETWORK = ["socket", "bind", "listen", "accept4", "connect", "getaddrinfo", "sendto", "recvfrom", "WSAStartup"];
  const asksFor = (program) => NETWORK.filter((name) => program.includes(`\0${name}\0`) || program.includes(`\0_${name}\0`));
  // Node.js, which does know the network, shows that the names are found where they are.
  assert.ok(asksFor(await readFile(process.execPath)).length >= 2, "the names of what a program asks the system for are found");
  assert.deepEqual(asksFor(await readFile(COMMAND)), []);
});

// Lighthouse on the built page: at least 95 in every category, on each of these pages. It takes minutes and wants a quiet
// machine, so it is no part of `cargo xtask test`: run it in this folder after `cargo xtask dist`.
//
//   node lighthouse.mjs [PAGE...]

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { CHROME, DIST } from "./surroundings.mjs";

const LEAST = 95;
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", webmanifest: "application/manifest+json" };

// As a static host does it: compressed, and kept by the browser.
const server = createServer(async (request, response) => {
  const name = new URL(request.url, "http://site").pathname.slice(1) || "index.html";
  try {
    if (!/^[\w.-]+$/.test(name)) throw new Error("no such file");
    const body = gzipSync(await readFile(join(DIST, "site", name)));
    response.writeHead(200, { "Content-Type": TYPES[name.split(".").pop()] ?? "application/octet-stream", "Content-Encoding": "gzip", "Cache-Control": "max-age=3600" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

let failed = false;
try {
  for (const page of process.argv.length > 2 ? process.argv.slice(2) : ["index.html", "guidelines.html", "binaries.html", "reporting.html"]) {
    const { stdout } = await promisify(execFile)("npx", [
      "--yes", "lighthouse@12.8.2", `http://127.0.0.1:${server.address().port}/${page}`, "--quiet", "--output=json",
      // The network is slowed while the page loads. A simulation afterwards would take the first picture to have waited for
      // every file that a server on this machine had delivered by then.
      "--throttling-method=devtools",
      // It asks for robots.txt from inside the page, whose policy forbids every connection; and that file is the host's.
      "--skip-audits=robots-txt",
      "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
    ], { env: { ...process.env, CHROME_PATH: CHROME }, maxBuffer: 2 ** 28 });
    const { categories, audits } = JSON.parse(stdout);
    for (const { title, score, auditRefs } of Object.values(categories)) {
      const points = Math.round(score * 100);
      console.log(`${points < LEAST ? "BELOW" : "ok   "}  ${page}  ${title}: ${points}`);
      if (points >= LEAST) continue;
      failed = true;
      for (const { id, weight } of auditRefs) {
        if (weight && audits[id].score !== null && audits[id].score < 0.9) console.log(`         ${id}: ${audits[id].displayValue ?? ""} ${audits[id].title}`);
      }
    }
  }
} finally {
  server.close();
}
process.exitCode = failed ? 1 : 0;

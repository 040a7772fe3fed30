// Two servers on the loopback: one that serves the page, and one that only counts what arrives.

import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DIST } from "./surroundings.mjs";

const TYPES = {
  html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json", json: "application/json", svg: "image/svg+xml", png: "image/png", wasm: "application/wasm",
};

/**
 * Serves a folder under a path that is not the root, as many hosts do, and keeps the list of requests.
 * @param {{ folder?: string, headers?: Record<string, string>, base?: string, before?: (name: string) => Promise<void> | null }} [how] `before` holds an answer back
 */
export async function serve({ folder = join(DIST, "site"), headers = {}, base = "/some/project/", before = () => null } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const path = new URL(request.url, "http://site").pathname;
    const name = (path.startsWith(base) ? decodeURIComponent(path.slice(base.length)) : "?").replace(/(^|\/)$/, "$1index.html");
    try {
      if (!/^[\w~-]*(?:[./][\w~-]+)*$/.test(name)) throw new Error("no such file");
      await before(name);
      const body = await readFile(join(folder, name));
      response.writeHead(200, { "Content-Type": TYPES[name.split(".").pop()] ?? "application/octet-stream", ...headers }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  const { close } = await listening(server);
  // Still its address when it is closed.
  return { requests, close, address: `http://127.0.0.1:${server.address().port}${base}` };
}

/** A copy of the site's folder, without the policy that is in its page; whoever asks for it removes it. */
export async function withoutPolicy() {
  const folder = await mkdtemp(join(tmpdir(), "just-data-open-"));
  await cp(join(DIST, "site"), folder, { recursive: true });
  const html = await readFile(join(folder, "index.html"), "utf8");
  const without = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
  if (without === html) throw new Error("the page has no policy to take away");
  await writeFile(join(folder, "index.html"), without);
  return folder;
}

/** Answers everything with 200, and keeps what came: requests, and connections that never became one. */
export async function sink() {
  const arrivals = [];
  const server = createServer((request, response) => {
    arrivals.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "Access-Control-Allow-Origin": "*", "Content-Type": "text/plain" }).end("ok");
  });
  server.on("upgrade", (request, socket) => {
    arrivals.push(`UPGRADE ${request.url}`);
    socket.destroy();
  });
  const { close } = await listening(server);
  return { arrivals, close, port: server.address().port, origin: `http://127.0.0.1:${server.address().port}` };
}

async function listening(server) {
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    /** Ends the server and all its connections: from now on nothing is answered. */
    close: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

// The site as other people's servers give it: with exactly the headers of the samples in embed/hosting, under a path.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openBrowser, Page } from "./browser.mjs";
import { tryChannels } from "./channels.mjs";
import { nifti, picklesSystem, samples } from "./samples.mjs";
import { serve, sink, withoutPolicy } from "./site.mjs";
import { DIST, found, ROOT } from "./surroundings.mjs";

const NGINX = process.env.NGINX ?? found("nginx");
const CADDY = process.env.CADDY ?? found("caddy");
const APACHE = process.env.APACHE ?? found("apache2");

const sample = (name) => readFile(join(ROOT, "embed/hosting", name), "utf8");

/** The headers that every sample adds, in the form of `_headers`. */
async function stated() {
  const lines = (await sample("_headers")).split("\n").filter((line) => line.startsWith("  "));
  return Object.fromEntries(lines.map((line) => line.trim().match(/^([\w-]+): (.*)$/).slice(1)));
}

/** How each server is told to serve a folder at /just-data/: the sample as it is, but for the place of the folder. */
const SERVERS = {
  async nginx({ home, folder, port }) {
    await writeFile(join(home, "just-data.conf"), (await sample("nginx.conf")).replace("/srv/just-data/", `${folder}/`));
    await writeFile(join(home, "nginx.conf"), `
      daemon off; pid ${home}/pid; error_log ${home}/errors; ${process.getuid() === 0 ? "user root;" : ""}
      events {}
      http {
        access_log off;
        client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi; uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
        server { listen 127.0.0.1:${port}; include ${home}/just-data.conf; }
      }`);
    return [NGINX, "-p", home, "-e", join(home, "errors"), "-c", join(home, "nginx.conf")];
  },
  async Caddy({ home, folder, port }) {
    await writeFile(join(home, "just-data.caddy"), (await sample("Caddyfile")).replace("/srv/just-data", folder));
    await writeFile(join(home, "Caddyfile"), `{\n\tadmin off\n\tauto_https off\n}\nhttp://127.0.0.1:${port} {\n\timport ${home}/just-data.caddy\n}\n`);
    return [CADDY, "run", "--config", join(home, "Caddyfile"), "--adapter", "caddyfile"];
  },
  async Apache({ home, folder, port }) {
    await writeFile(join(folder, ".htaccess"), await sample("htaccess"));
    const modules = ["mpm_event", "authz_core", "authz_host", "alias", "dir", "mime", "headers", "filter"];
    await writeFile(join(home, "types"), "text/html html\ntext/css css\n");
    await writeFile(join(home, "apache.conf"), `
      ServerRoot ${home}
      ServerName 127.0.0.1
      PidFile ${home}/pid
      DefaultRuntimeDir ${home}
      Mutex file:${home} default
      Listen 127.0.0.1:${port}
      ErrorLog ${home}/errors
      ${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
      ${process.getuid() === 0 ? "User daemon\nGroup daemon" : ""}
      TypesConfig ${home}/types
      DirectoryIndex index.html
      Alias /just-data ${folder}
      <Directory ${folder}>
        Require all granted
        AllowOverride All
      </Directory>\n`);
    return [APACHE, "-D", "FOREGROUND", "-f", join(home, "apache.conf")];
  },
};

/** A server that serves a copy of this folder, once it answers. */
async function started(name, from) {
  const home = await mkdtemp(join(tmpdir(), "just-data-server-"));
  const folder = join(home, "site");
  await cp(from, folder, { recursive: true });
  // Apache serves as another user than root.
  for (const place of [home, folder]) await chmod(place, 0o755);
  const port = await freePort();
  const [program, ...parameters] = await SERVERS[name]({ home, folder, port });
  const child = spawn(program, parameters, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home } });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const close = async () => {
    child.kill();
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  const address = `http://127.0.0.1:${port}/just-data/`;
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(address).catch(() => null);
    if (answer?.ok) return { address, close };
    if (child.exitCode !== null || tries > 100) {
      await close();
      throw new Error(`${name} does not serve the page (${answer?.status ?? "no answer"}): ${said}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("the samples for servers", () => {
  test("the policy in the headers is that of the page, lets the service worker fetch the site, and says who may show it in a frame", async () => {
    const html = await readFile(join(DIST, "site/index.html"), "utf8");
    const own = html.match(/<meta http-equiv="Content-Security-Policy" content="([^"]*)"/)[1].replaceAll("&#39;", "'");
    assert.ok(own.includes("connect-src 'none'"));
    assert.equal((await stated())["Content-Security-Policy"], `${own.replace("connect-src 'none'", "connect-src 'self'")}; frame-ancestors 'self'`);
  });

  test("each sample adds the same headers", async () => {
    for (const name of ["nginx.conf", "Caddyfile", "htaccess"]) {
      const text = await sample(name);
      for (const [header, value] of Object.entries(await stated())) assert.ok(text.includes(`${header} "${value}"`), `${name}: ${header}`);
    }
  });
});

test("the workflow that publishes runs nothing that a moved tag could change, and may write nothing but the site", async () => {
  const workflow = await readFile(join(ROOT, ".github/workflows/pages.yml"), "utf8");
  const used = [...workflow.matchAll(/uses: (.*)/g)].map(([, action]) => action);
  assert.ok(used.length >= 5);
  for (const action of used) assert.match(action, /^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  assert.match(workflow, /^permissions:\n {2}contents: read\n\n/m);
  assert.deepEqual([...workflow.matchAll(/(\S+): write/g)].map(([, what]) => what), ["pages", "id-token"]);
});

describe("on other people's servers", { timeout: 300_000 }, () => {
  let browser, counting, folder, bare;
  before(async () => {
    browser = await openBrowser();
    counting = await sink();
    folder = await samples();
    bare = await withoutPolicy();
  });
  after(async () => {
    await browser?.close();
    await counting?.close();
    await folder?.remove();
    if (bare) await rm(bare, { recursive: true, force: true });
  });

  /** A check works, the site is kept for use without a network, and no policy is broken on the way. */
  async function checks(address) {
    const page = await new Page(browser, address).open();
    const [model, volume] = await page.check([await folder.put("model.pkl", picklesSystem()), await folder.put("brain.nii", nifti())]);
    assert.deepEqual([model.verdict, volume.verdict], ["code", "just-data"]);
    await page.kept();
    assert.deepEqual(await page.counters(), { requests: 0, blocked: 0 });
  }

  for (const name of Object.keys(SERVERS)) {
    test(`${name}: the headers are those that are stated`, async () => {
      const site = await started(name, join(DIST, "site"));
      try {
        for (const path of ["", "just-data.js", "just-data.css"]) {
          const { headers } = await fetch(site.address + path);
          for (const [header, value] of Object.entries(await stated())) assert.equal(headers.get(header), value, `${path}: ${header}`);
        }
        const types = await Promise.all(["", "just-data.js", "just-data.css"].map(async (path) => (await fetch(site.address + path)).headers.get("content-type")));
        assert.deepEqual(types.map((type) => type.toLowerCase()), ["text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"]);
        await checks(site.address);
      } finally {
        await site.close();
      }
    });

    test(`${name}: nothing arrives anywhere, by the headers alone`, async () => {
      const site = await started(name, bare);
      try {
        const { arrived, said } = await tryChannels(browser, site, counting, name);
        assert.ok(Object.keys(said).length > 30);
        assert.deepEqual([...arrived], []);
      } finally {
        await site.close();
      }
    });
  }

  test("Netlify, Cloudflare Pages: with the headers of the sample", async () => {
    const site = await serve({ headers: await stated() });
    try {
      await checks(site.address);
      const { arrived } = await tryChannels(browser, site, counting, "headers");
      assert.deepEqual([...arrived], []);
    } finally {
      await site.close();
    }
  });

  test("GitHub Pages, object stores: without a header of its own, under a path", async () => {
    const site = await serve();
    try {
      await checks(site.address);
    } finally {
      await site.close();
    }
  });
});

// The published policy: what may not be published, and what is made from it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { faults, OWN, policy, securityMd, securityTxt } from "../../www/policy.mjs";
import { ROOT } from "./surroundings.mjs";

const NOW = new Date("2026-06-01T00:00:00Z");
const own = async () => JSON.parse(await readFile(OWN, "utf8"));

/** What is said of the policy after a change to it. */
async function said(change) {
  const changed = { ...(await own()), expires: "2027-01-01T00:00:00Z" };
  change(changed);
  return faults(changed, NOW);
}

describe("the policy", () => {
  test("this repository's may be published", async () => {
    assert.equal((await policy()).name, "3D Slicer");
    assert.deepEqual(await said(() => {}), []);
  });

  const wrong = {
    "an address without a scheme": [(one) => (one.versions.packages = "download.slicer.org"), /^versions\.packages is "download\.slicer\.org", which is no whole address\.$/],
    "an address that is not encrypted": [(one) => (one.site = "http://data.example.org/"), /^site .* does not begin with https:\/\/\.$/],
    "an address of this machine": [(one) => (one.checker.repository = "https://localhost/x"), /^checker\.repository .* names no host on the internet/],
    "a broken address in a text": [(one) => (one.binaries.source.fr += " [ici](https:/oublié)"), /^binaries\.source links to "https:\/oublié", which names no host on the internet .*\(fr\)\.$/],
    "an address that runs": [(one) => (one.followed.en += " [here](javascript:alert)"), /^followed links to "javascript:alert", which does not begin with https:\/\/ \(en\)\.$/],
    "an obfuscated e-mail": [(one) => (one.reporting.email = "[email protected]"), /^reporting\.email is "\[email protected\]", which somebody obfuscated: nobody can write to it\.$/],
    "an obfuscated e-mail with a no-break space": [(one) => (one.reporting.email = "[email\u00a0protected]"), /obfuscated/],
    "an e-mail in words": [(one) => (one.reporting.email = "security (at) example.org"), /obfuscated/],
    "an obfuscated e-mail in a text": [(one) => (one.about.de += " Schreiben Sie an [email protected]."), /^about holds an obfuscated e-mail address \(de\)\.$/],
    "half an e-mail": [(one) => (one.reporting.email = "security@"), /^reporting\.email is "security@", which is no e-mail address\.$/],
    "a date that has passed": [(one) => (one.expires = "2026-05-31T23:59:59Z"), /^expires is 2026-05-31T23:59:59Z, which has passed/],
    "a date that is none": [(one) => (one.expires = "next year"), /^expires must match format "date-time"\.$/],
    "a missing translation": [(one) => delete one.scope.notes[1].text.ja, /^scope\.notes\.1\.text has no text in ja\.$/],
    "a translation that was not announced": [(one) => (one.languages = ["en", "de", "fr", "es", "ja"]), /has a text in zh-Hans, which is not among the languages\.$/],
    "a guideline twice": [(one) => (one.guidelines[2].id = "code"), /^guidelines must name each of/],
    "a field that nobody knows": [(one) => (one.bounty = 100), /^The policy must NOT have additional properties: "bounty"\.$/],
    "a field that is missing": [(one) => delete one.reporting, /^The policy must have required property 'reporting'\.$/],
    "an advisory without an address": [(one) => one.advisories.push({ id: "A-1", date: "2026-05-01", title: { en: "x" } }), /^advisories\.0 must have required property 'address'\.$/],
  };
  for (const [what, [change, sentence]] of Object.entries(wrong)) {
    test(`${what} is not published`, async () => {
      const found = await said(change);
      assert.ok(found.length >= 1, "something is said");
      for (const one of found) assert.match(one, sentence);
    });
  }

  test("what only looks like an obfuscated address is published", async () => {
    assert.deepEqual(await said((one) => (one.about.en += " Meet us at noon, at the [round table](https://example.org/at) of Slicer.")), []);
  });

  test("a hospital publishes its own, in one language, without touching code; a broken one ends the chore with its sentences", async () => {
    const folder = await mkdtemp(join(tmpdir(), "just-data-policy-"));
    try {
      const mine = JSON.parse(JSON.stringify(await own()), (_, value) => (value && typeof value === "object" && !Array.isArray(value) && value.en && value.de ? { de: value.de } : value));
      Object.assign(mine, { name: "Klinikum am Beispiel", languages: ["de"], expires: "2999-01-01T00:00:00Z", site: "https://daten.klinikum-beispiel.de/" });
      mine.reporting.email = "sicherheit@klinikum-beispiel.de";
      const path = join(folder, "policy.json");
      const run = async (value) => {
        await writeFile(path, JSON.stringify(value));
        return promisify(execFile)(process.execPath, [join(ROOT, "www/policy.mjs"), "--policy", path]);
      };
      assert.match((await run(mine)).stdout, /^The policy of Klinikum am Beispiel may be published/);
      await assert.rejects(run({ ...mine, expires: "2001-01-01T00:00:00Z" }), ({ code, stderr }) => code === 1 && /expires is 2001-01-01T00:00:00Z, which has passed/.test(stderr));
      assert.match(securityTxt(mine), /^Canonical: https:\/\/daten\.klinikum-beispiel\.de\/\.well-known\/security\.txt$/m);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("what is made from the policy", () => {
  test("security.txt is what RFC 9116 asks for", async () => {
    const lines = securityTxt(await own()).trimEnd().split("\n").map((line) => line.match(/^([A-Z][A-Za-z-]*): (\S.*)$/)?.slice(1));
    assert.ok(lines.every(Boolean), "a field in each line");
    const fields = Object.fromEntries(lines);
    assert.equal(Object.keys(fields).length, lines.length);
    assert.equal(fields.Contact, "mailto:slicer%2Bsecurity@discoursemail.com");
    assert.equal(fields["Preferred-Languages"], "en");
    assert.match(fields.Expires, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(fields.Canonical, undefined, "no address is claimed while none is known");
  });

  test("the repository's SECURITY.md is what the policy makes", async () => {
    const [path, made] = [join(ROOT, "SECURITY.md"), securityMd(await own())];
    if (process.env.BLESS) await writeFile(path, made);
    assert.equal(await readFile(path, "utf8"), made, "BLESS=1 writes it anew");
  });
});

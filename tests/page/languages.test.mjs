// Every language says everything, and nothing is said that no catalogue knows.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { LANGUAGES, count, duration, language, list, reported, say, share, size, speak, told } from "../../www/src/language.js";

const WWW = new URL("../../www/", import.meta.url);
const FORMS = /\.(zero|one|two|few|many|other)$/;
const AREAS = ["amount", "answer", "embed", "list", "map", "settings", "site", "verdict"];

const catalogues = Object.fromEntries(await Promise.all(Object.keys(LANGUAGES).map(async (id) =>
  [id, JSON.parse(await readFile(new URL(`src/languages/${id}.json`, WWW), "utf8"))])));
const { en } = catalogues;

const whole = (key) => key.replace(FORMS, "");
const places = (text) => [...text.matchAll(/\{([\w-]+)\}/g)].map(([, name]) => name).sort();
/** Keys that depend on an amount: those that have the form which every language has. */
const plurals = new Set(Object.keys(en).filter((key) => key.endsWith(".other")).map(whole));
const keysOf = (catalogue) => [...new Set(Object.keys(catalogue).map((key) => (plurals.has(whole(key)) ? whole(key) : key)))].sort();

test("the catalogues on the disk are those of the page", async () => {
  const names = (await readdir(new URL("src/languages/", WWW))).map((name) => name.replace(/\.json$/, "")).sort();
  assert.deepEqual(names, Object.keys(LANGUAGES).sort());
});

for (const [id, catalogue] of Object.entries(catalogues)) {
  describe(id, () => {
    test("no key is missing, none is too many, and they are sorted", () => {
      assert.deepEqual(keysOf(catalogue), keysOf(en));
      assert.deepEqual(Object.keys(catalogue), Object.keys(catalogue).toSorted());
      assert.deepEqual(Object.keys(catalogue).filter((key) => !AREAS.includes(key.split(".")[0])), [], "an area that is not known");
    });

    test("every text has the places of the English one, and is not empty", () => {
      for (const key of Object.keys(catalogue)) {
        assert.notEqual(catalogue[key].trim(), "", key);
        const own = places(catalogue[key]);
        const model = places(en[key] ?? en[`${whole(key)}.other`]);
        // "1 file" needs no place for the amount.
        if (/\.(one|two|zero)$/.test(key)) assert.deepEqual(own.filter((name) => name !== "count"), model.filter((name) => name !== "count"), key);
        else assert.deepEqual(own, model, key);
      }
    });

    test("amounts have the forms of the language", () => {
      const forms = new Intl.PluralRules(id).resolvedOptions().pluralCategories;
      for (const key of plurals) {
        const own = Object.keys(catalogue).filter((one) => whole(one) === key && FORMS.test(one)).map((one) => one.match(FORMS)[1]);
        assert.deepEqual(own.filter((form) => !forms.includes(form)), [], key);
        // A form for millions may be told as any other amount.
        assert.deepEqual(forms.filter((form) => form !== "many" && !own.includes(form)), [], key);
      }
    });
  });
}

/** What the source says: whole keys, and patterns with a part that is only known at run time. */
async function spoken() {
  const keys = new Set();
  const patterns = [];
  const sources = (await Promise.all(["src/", "site/"].map(async (folder) => (await readdir(new URL(folder, WWW))).map((name) => folder + name))))
    .flat().filter((name) => /\.m?js$/.test(name));
  for (const name of sources) {
    const text = await readFile(new URL(name, WWW), "utf8");
    const area = `(?:${AREAS.join("|")})`;
    for (const [, key] of text.matchAll(new RegExp(`["'](${area}(?:\\.[a-z0-9-]+)+)["']`, "g"))) keys.add(key);
    for (const [, key] of text.matchAll(new RegExp(`\`(${area}\\.[^\`\\s]*)\``, "g"))) {
      patterns.push(new RegExp(`^${key.split(/\$\{[^}]*\}/).map((piece) => piece.replace(/[.\\]/g, "\\$&")).join("[a-z0-9-]+")}$`));
    }
  }
  return { keys, patterns };
}

test("every key of the source exists, and every key that exists is in the source", async () => {
  const { keys, patterns } = await spoken();
  const known = keysOf(en);
  assert.deepEqual([...keys].filter((key) => !known.includes(key)), [], "said, but in no catalogue");
  assert.deepEqual(patterns.filter((pattern) => !known.some((key) => pattern.test(key))).map(String), [], "said, but in no catalogue");
  assert.deepEqual(known.filter((key) => !keys.has(key) && !patterns.some((pattern) => pattern.test(key))), [], "in the catalogues, but never said");
});

describe("speaking", () => {
  test("the first language that is known, by its nearest relative", () => {
    for (const [wishes, expected] of [
      [["de-AT"], "de"], [["nl", "fr-CA", "en"], "fr"], [["zh-CN"], "zh-Hans"], [["zh"], "zh-Hans"], [["zh-SG"], "zh-Hans"],
      [["zh-TW", "ja"], "ja"], [["zh-Hant"], "en"], [["not a tag", "es-419"], "es"], [[null, "", undefined], "en"], [[], "en"],
    ]) {
      speak(wishes);
      assert.equal(language(), expected, String(wishes));
    }
  });

  test("amounts in the forms and the separators of the language", () => {
    const said = {};
    for (const id of Object.keys(LANGUAGES)) {
      speak([id]);
      said[id] = [say("list.checked", { count: 1 }), say("list.checked", { count: 1204 }), size(1536), duration(200), share(1, 40)];
    }
    assert.deepEqual(said.en, ["1 file checked", "1,204 files checked", "1.5 KiB", "3 min 20 sec", "2.5%"]);
    assert.deepEqual(said.de, ["1 Datei geprüft", "1.204 Dateien geprüft", "1,5 KiB", "3 Min. 20 Sek.", "2,5\u00a0%"]);
    assert.equal(said.fr[2], "1,5 Kio");
    assert.equal(said.ja[1], "1,204 個のファイルを確認");
    speak(["fr"]);
    assert.equal(say("list.checked", { count: 0 }), "0 fichier vérifié");
    assert.equal(say("list.checked", { count: 1_000_000 }).replace(/\s/g, " "), "1 000 000 fichiers vérifiés");
  });

  test("words that are kept are said in the language of the moment; in a report they are English", () => {
    const words = [{ key: "list.failure.crashed", values: { reason: "out of memory" } }, { key: "list.failure.from-here" }];
    speak(["de"]);
    assert.equal(told(words), "Der Prüfer blieb an dieser Datei stehen (out of memory). Nur diese Datei ist betroffen. Die Bytes ab hier wurden nicht durchsucht.");
    assert.equal(reported(words), "The checker stopped on this file (out of memory). Only this file is concerned. The bytes from here on were not searched.");
  });

  test("a value is put in as it is, whatever it looks like", () => {
    speak(["en"]);
    assert.equal(say("list.row.result", { name: "{name} $& <b>" }), "Result for {name} $& <b>");
    assert.throws(() => say("list.no-such-thing"), /nothing to say/);
  });
});

describe("English", () => {
  test("a share never rounds something to nothing, nor nearly all to all", () => {
    speak(["en"]);
    assert.deepEqual([[0, 10], [1, 1e9], [1e9 - 1, 1e9], [10, 10], [1, 2]].map(([part, all]) => share(part, all)), ["0%", "< 0.1%", "> 99.9%", "100%", "50%"]);
  });

  test("amounts", () => {
    speak(["en"]);
    assert.deepEqual([0, 1, 1023, 1024, 1536, 5 * 2 ** 30, 1023.99 * 1024].map(size), ["0 bytes", "1 byte", "1,023 bytes", "1.0 KiB", "1.5 KiB", "5.0 GiB", "1.0 MiB"]);
    assert.deepEqual([0.2, 59, 61, 3660].map(duration), ["1 sec", "59 sec", "1 min 1 sec", "1 hr 1 min"]);
    assert.deepEqual([count(1204), list(["a", "b", "c"])], ["1,204", "a, b, c"]);
  });
});

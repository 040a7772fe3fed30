// Names and texts from files are shown so that they cannot pretend to be something else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, share, size, visible } from "../../www/src/wording.js";

test("control characters get their pictures", () => {
  assert.equal(visible("a\0b\tc\r\n\x1b[31m\x7f"), "a␀b␉c␍␊␛[31m␡");
  assert.equal(visible("\u0085"), "⟨U+0085⟩");
});

test("characters that turn the direction or have no width are written out", () => {
  assert.equal(visible("scan\u202Egnp.exe"), "scan⟨U+202E⟩gnp.exe");
  assert.equal(visible("a\u200bb\ufeffc\u2066d\u2028e\u{e0041}"), "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2066⟩d⟨U+2028⟩e⟨U+E0041⟩");
  assert.equal(visible("\ud800x"), "⟨U+D800⟩x");
});

test("ordinary text of any language stays as it is", () => {
  for (const text of ["Müller", "患者", "צילום", "αβγ 😀.dcm", "a b-c_d.nii.gz"]) assert.equal(visible(text), text);
});

test("a share never rounds something to nothing, nor nearly all to all", () => {
  assert.equal(share(0, 10), "0%");
  assert.equal(share(1, 1e9), "< 0.1%");
  assert.equal(share(1e9 - 1, 1e9), "> 99.9%");
  assert.equal(share(10, 10), "100%");
  assert.equal(share(1, 2), "50%");
});

test("amounts", () => {
  assert.deepEqual([0, 1, 1023, 1024, 1536, 5 * 2 ** 30, 1023.99 * 1024].map(size), ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 KiB", "5.0 GiB", "1.0 MiB"]);
  assert.deepEqual([0.2, 59, 61, 3660].map(duration), ["1 s", "59 s", "1 min 1 s", "1 h 1 min"]);
});

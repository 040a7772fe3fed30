// Names and texts from files are shown so that they cannot pretend to be something else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { visible } from "../../www/src/wording.js";

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

// Is a download the one that its page speaks of? Its checksum is made here, in a worker, and compared with the pasted one.

import { Cancelled, Crew, URGENCY } from "./crew.js";
import { h, refill } from "./dom.js";
import { languages, say, share } from "./language.js";
import { icon } from "./icons.js";
import { visible } from "./wording.js";

const NAMES = { sha256: "SHA-256", sha512: "SHA-512" };

/** @typedef {keyof typeof NAMES} Kind */

/** @param {HTMLElement} place where it is shown */
export function comparesDownloads(place) {
  const tool = new Comparison();
  refill(place, tool.element);
  tool.draw();
  languages.addEventListener("change", () => tool.draw());
}

class Comparison {
  #crew = new Crew();
  /** @type {File | null} */
  #file = null;
  /** What was made of the file. @type {Partial<Record<Kind, string>>} */
  #made = {};
  /** The kind that is being made, and how far. @type {{ kind: Kind, part: number } | null} */
  #making = null;
  /** Why there is no result. @type {"cancelled" | "failed" | null} */
  #without = null;
  #label = h("label", { for: "digest-expected" });
  #expected = h("textarea", { id: "digest-expected", rows: 3, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": "digest-wrong", input: () => this.#look() });
  #wrong = h("p.wrong", { id: "digest-wrong", role: "status" });
  #input = h("input", { type: "file", hidden: true, change: () => this.#take(this.#input.files) });
  #choose = h("button.primary", { type: "button", click: () => this.#input.click() });
  #drop = h("span.quiet");
  #cancel = h("button", { type: "button", click: () => this.#crew.cancel(new Set([this])) });
  #bar = h("progress", { max: 1, value: 0 });
  #result = h("div.result", { role: "status" });
  element = h("div.comparison", {},
    this.#label, this.#expected, this.#wrong,
    h("p.buttons", {}, this.#choose, " ", this.#drop, this.#input, this.#cancel),
    this.#bar, this.#result);

  constructor() {
    // The page counts what its workers ask for, whoever gave them their task.
    for (const name of ["request", "blocked"]) {
      this.#crew.addEventListener(name, (event) =>
        this.element.dispatchEvent(new CustomEvent(`just-data-${name}`, { detail: /** @type {CustomEvent} */ (event).detail, bubbles: true })));
    }
    const over = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      // Where a check listens as well, this place is for downloads.
      event.stopPropagation();
      if (event.type === "drop") this.#take(event.dataTransfer.files);
    };
    for (const name of ["dragover", "drop"]) this.element.addEventListener(name, /** @type {any} */ (over));
  }

  /** Says everything in the language that is spoken. */
  draw() {
    refill(this.#label, say("site.digest.expected"));
    refill(this.#choose, say("site.digest.choose"));
    refill(this.#drop, say("site.digest.drop"));
    refill(this.#cancel, say("site.digest.cancel"));
    this.#show();
  }

  /** @param {FileList | null} files */
  #take(files) {
    if (!files?.length) return;
    this.#file = files[0];
    this.#made = {};
    this.#make(this.#wanted);
    this.#input.value = "";
  }

  /** The checksum that was pasted, without what pages put around it: spaces, line ends, the kind, a name. */
  get #pasted() {
    return this.#expected.value.toLowerCase().match(/(?<![0-9a-f])(?:[0-9a-f]{128}|[0-9a-f]{64})(?![0-9a-f])/)?.[0] ?? "";
  }

  /** @returns {Kind} */
  get #wanted() {
    return this.#pasted.length === 128 ? "sha512" : "sha256";
  }

  /** Another checksum was pasted: the file is read again only for one of another kind. */
  #look() {
    const kind = this.#wanted;
    if (this.#file && !this.#made[kind] && !this.#without && this.#making?.kind !== kind) this.#make(kind);
    else this.#show();
  }

  /** @param {Kind} kind */
  async #make(kind) {
    const blob = /** @type {File} */ (this.#file);
    this.#crew.cancel(new Set([this]));
    const making = { kind, part: 0 };
    this.#making = making;
    this.#without = null;
    this.#show();
    const pulse = (/** @type {number} */ done, /** @type {number} */ total) => {
      making.part = total ? done / total : 0;
      this.#show();
    };
    try {
      const made = await this.#crew.run({ kind, blob }, { urgency: URGENCY.desk, owner: this, pulse });
      if (this.#making === making) this.#made[kind] = made;
    } catch (error) {
      if (this.#making === making) this.#without = error instanceof Cancelled ? "cancelled" : "failed";
    }
    if (this.#making !== making) return;
    this.#making = null;
    this.#show();
  }

  #show() {
    const making = this.#making;
    const name = visible(this.#file?.name ?? "");
    const none = this.#expected.value.trim() !== "" && !this.#pasted;
    refill(this.#wrong, none ? say("site.digest.none") : null);
    this.#expected.setAttribute("aria-invalid", String(none));
    this.#cancel.hidden = this.#bar.hidden = !making;
    if (making) {
      const words = say("site.digest.reading", { name, share: share(making.part, 1) });
      this.#bar.value = making.part;
      this.#bar.setAttribute("aria-label", words);
      refill(this.#result);
    } else if (this.#without) {
      this.#tell("unfinished", say(`site.digest.${this.#without}`, { name }));
    } else {
      this.#answer(name);
    }
  }

  /** @param {string} name */
  #answer(name) {
    const kind = this.#wanted;
    const made = this.#made[kind];
    if (!made) return refill(this.#result);
    const pasted = this.#pasted;
    const sum = h("p", {}, `${NAMES[kind]} `, h("code.sum", {}, made));
    if (!pasted) this.#tell("unfinished", say("site.digest.alone"), sum);
    else if (pasted === made) this.#tell("just-data", say("site.digest.same", { name }), sum);
    else this.#tell("code", say("site.digest.differs", { name }), sum);
  }

  /**
   * @param {"just-data" | "code" | "unfinished"} sign
   * @param {string} words
   * @param {HTMLElement} [sum]
   */
  #tell(sign, words, sum) {
    refill(this.#result, h("p.answer", { "data-sign": sign }, icon(sign), " ", h("strong", {}, words)), sum);
  }
}

// Bytes as people read them: place, hexadecimal, text; and who owns them.

import { h, refill } from "./dom.js";
import { say, size } from "./language.js";
import { place, visible } from "./wording.js";

/** @typedef {import("./contract").MapRow} MapRow */

/**
 * @param {Uint8Array} bytes
 * @param {number} from place of the first byte
 * @param {{ across?: number, marks?: [number, number][], rows?: MapRow[] }} [how] bytes in a line; ranges to mark, as
 *   absolute places; who owns which bytes
 * @returns {HTMLElement}
 */
export function hexLines(bytes, from, { across = 16, marks = [], rows = [] } = {}) {
  const digits = Math.max(4, (from + bytes.length).toString(16).length);
  const end = from + bytes.length;
  const near = marks.filter(([start, behind]) => start < end && behind > from);
  const owners = rows.filter(([start, behind]) => start < end && behind > from);
  const lines = [];
  for (let at = 0; at < bytes.length; at += across) {
    const line = bytes.subarray(at, at + across);
    const hex = h("span.hex");
    const text = h("span.text");
    line.forEach((byte, index) => {
      const here = from + at + index;
      const tag = near.some(([start, behind]) => here >= start && here < behind) ? "mark" : "span";
      const owner = owners.find(([start, behind]) => here >= start && here < behind);
      const wide = index === across / 2 ? ".half" : "";
      const owned = owner ? `.by-${owner[2]}` : "";
      hex.append(h(`${tag}${wide}${owned}`, {}, byte.toString(16).padStart(2, "0")), " ");
      text.append(h(`${tag}${byte >= 0x20 && byte < 0x7f ? "" : ".dim"}`, {}, byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"));
    });
    // What begins in this line, or goes on in the first.
    const begins = owners.filter(([start]) => (at === 0 ? start < from + across : start >= from + at && start < from + at + across));
    const what = rows.length
      ? h("span.what", {}, begins.slice(0, 3).map(([, , owner, words], index) => [
          index ? " · " : "", h(`span.swatch.owner-${owner}`), " ", words ? h("bdi", { lang: "en" }, visible(words)) : say(`map.owner.${owner}.name`)]),
          begins.length > 3 ? " · …" : null)
      : null;
    lines.push(h("div.line", {}, h("span.at", {}, (from + at).toString(16).padStart(digits, "0")), hex, text, what));
  }
  return h(`div.bytes.across-${across}`, { translate: "no", dir: "ltr" }, lines);
}

/** Lines in a window of the hex view. */
const LINES = 12;

/**
 * A window on the bytes of one layer that can be moved.
 */
export class HexWindow {
  #length;
  #read;
  #rows;
  #at = 0;
  #turn = 0;
  /** @type {[number, number][]} */
  #marks = [];
  #body = h("div.window", { tabindex: 0, role: "group", "aria-label": say("map.bytes"), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
  #where = h("span.where");
  #earlier = h("button", { type: "button", click: () => this.#move(-this.#step()) }, say("map.earlier"));
  #later = h("button", { type: "button", click: () => this.#move(this.#step()) }, say("map.later"));
  #go = h("input", {
    type: "text", size: 12, inputmode: "text", autocomplete: "off", spellcheck: "false",
    placeholder: "0x…", "aria-label": say("map.go-to"),
  });

  /**
   * @param {number} length of the layer
   * @param {(offset: number, length: number) => Promise<Uint8Array>} read
   * @param {() => MapRow[]} rows who owns which bytes
   */
  constructor(length, read, rows) {
    this.#length = length;
    this.#read = read;
    this.#rows = rows;
    const form = h("form.go", { submit: (/** @type {Event} */ event) => this.#jump(event) }, this.#go, h("button", { type: "submit" }, say("map.go")));
    this.#body.classList.toggle("short", length <= 16 * LINES);
    this.element = h("div.hexview", {}, h("div.bar", {}, this.#earlier, this.#later, this.#where, form), this.#body);
  }

  /** Told of a place that the person went to here. @type {(offset: number) => void} */
  went = () => {};

  /**
   * @param {number} offset
   * @param {[number, number][]} [marks]
   */
  async show(offset, marks = this.#marks) {
    const turn = ++this.#turn;
    this.#marks = marks;
    const across = this.#across();
    // The last window is full, where there are as many bytes.
    const last = Math.max(0, Math.ceil(this.#length / across) - LINES) * across;
    this.#at = Math.min(Math.max(0, Math.floor(offset / across) * across), last);
    const length = Math.min(across * LINES, this.#length - this.#at);
    this.#earlier.disabled = this.#at === 0;
    this.#later.disabled = this.#at + length >= this.#length;
    // Only what takes its time is announced.
    const slow = setTimeout(() => turn === this.#turn && refill(this.#where, say("map.reading")), 300);
    try {
      const bytes = await this.#read(this.#at, length);
      if (turn !== this.#turn) return;
      refill(this.#where, say("map.window", { from: place(this.#at), to: place(this.#at + bytes.length), size: size(this.#length) }));
      refill(this.#body, hexLines(bytes, this.#at, { across, marks, rows: this.#rows() }));
    } catch {
      if (turn !== this.#turn) return;
      refill(this.#where, place(this.#at));
      refill(this.#body, h("p.quiet", {}, say("map.gone")));
    } finally {
      clearTimeout(slow);
    }
  }

  #across() {
    return this.element.clientWidth && this.element.clientWidth < 560 ? 8 : 16;
  }

  #step() {
    return this.#across() * LINES;
  }

  /** @param {number} bytes */
  #move(bytes) {
    this.show(this.#at + bytes);
    this.went(this.#at);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: this.#across(), ArrowUp: -this.#across(), PageDown: this.#step(), PageUp: -this.#step(),
      Home: -this.#length, End: this.#length,
    };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#move(steps[event.key]);
  }

  /** @param {Event} event */
  #jump(event) {
    event.preventDefault();
    const text = this.#go.value.trim();
    const offset = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
    this.#go.setAttribute("aria-invalid", String(!(offset < this.#length)));
    if (!(offset < this.#length)) return;
    this.show(offset, [[offset, offset + 1]]);
    this.went(offset);
  }
}

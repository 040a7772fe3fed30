// Bytes as people read them: place, hexadecimal, text.

import { h, refill } from "./dom.js";
import { say, size } from "./language.js";
import { place } from "./wording.js";

/**
 * @param {Uint8Array} bytes
 * @param {number} from place of the first byte
 * @param {{ across?: number, marks?: [number, number][] }} [how] bytes in a line; ranges to mark, as absolute places
 * @returns {HTMLElement}
 */
export function hexLines(bytes, from, { across = 16, marks = [] } = {}) {
  const digits = Math.max(4, (from + bytes.length).toString(16).length);
  const lines = [];
  for (let at = 0; at < bytes.length; at += across) {
    const line = bytes.subarray(at, at + across);
    const hex = h("span.hex");
    const text = h("span.text");
    line.forEach((byte, index) => {
      const marked = marks.some(([start, end]) => from + at + index >= start && from + at + index < end);
      const tag = marked ? "mark" : "span";
      const wide = index === across / 2 ? ".half" : "";
      hex.append(h(`${tag}${wide}`, {}, byte.toString(16).padStart(2, "0")), " ");
      text.append(h(`${tag}${byte >= 0x20 && byte < 0x7f ? "" : ".dim"}`, {}, byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"));
    });
    lines.push(h("div.line", {}, h("span.at", {}, (from + at).toString(16).padStart(digits, "0")), hex, text));
  }
  return h(`div.bytes.across-${across}`, { translate: "no", dir: "ltr" }, lines);
}

/** Lines in a window of the hex view. */
const LINES = 10;

/**
 * A window on the bytes of one layer that can be moved.
 */
export class HexWindow {
  #length;
  #read;
  #at = 0;
  #turn = 0;
  /** @type {[number, number][]} */
  #marks = [];
  #body = h("div.window", { tabindex: 0, role: "group", "aria-label": say("map.bytes") });
  #where = h("span.where");
  #earlier = h("button", { type: "button", click: () => this.show(this.#at - this.#step()) }, say("map.earlier"));
  #later = h("button", { type: "button", click: () => this.show(this.#at + this.#step()) }, say("map.later"));
  #go = h("input", {
    type: "text", size: 12, inputmode: "text", autocomplete: "off", spellcheck: "false",
    placeholder: "0x…", "aria-label": say("map.go-to"),
  });

  /**
   * @param {number} length of the layer
   * @param {(offset: number, length: number) => Promise<Uint8Array>} read
   */
  constructor(length, read) {
    this.#length = length;
    this.#read = read;
    const form = h("form.go", { submit: (/** @type {Event} */ event) => this.#jump(event) }, this.#go, h("button", { type: "submit" }, say("map.go")));
    this.element = h("div.hexview", {}, h("div.bar", {}, this.#earlier, this.#later, this.#where, form), this.#body);
  }

  /**
   * @param {number} offset
   * @param {[number, number][]} [marks]
   */
  async show(offset, marks = this.#marks) {
    const turn = ++this.#turn;
    this.#marks = marks;
    const across = this.#across();
    const last = Math.max(0, Math.ceil(this.#length / across) - 1) * across;
    this.#at = Math.min(Math.max(0, Math.floor(offset / across) * across), last);
    const length = Math.min(across * LINES, this.#length - this.#at);
    this.#earlier.disabled = this.#at === 0;
    this.#later.disabled = this.#at + length >= this.#length;
    try {
      const bytes = await this.#read(this.#at, length);
      if (turn !== this.#turn) return;
      refill(this.#where, say("map.window", { from: place(this.#at), to: place(this.#at + bytes.length), size: size(this.#length) }));
      refill(this.#body, hexLines(bytes, this.#at, { across, marks }));
    } catch {
      if (turn !== this.#turn) return;
      refill(this.#where, place(this.#at));
      refill(this.#body, h("p.quiet", {}, say("map.gone")));
    }
  }

  #across() {
    return this.element.clientWidth && this.element.clientWidth < 560 ? 8 : 16;
  }

  #step() {
    return this.#across() * LINES;
  }

  /** @param {Event} event */
  #jump(event) {
    event.preventDefault();
    const text = this.#go.value.trim();
    const offset = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
    this.#go.setAttribute("aria-invalid", String(!(offset < this.#length)));
    if (offset < this.#length) this.show(offset, [[offset, offset + 1]]);
  }
}

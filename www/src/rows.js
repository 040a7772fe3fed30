// Rows of which only those in sight are in the document, so that a list of many thousands costs no more than a short
// one. They lie in normal flow, each as high as its content: what is out of sight is a margin in its place.
//
// One row at a time is in the order of the Tab key; the arrows go from row to row. That row is always in the document,
// so that the focus is never lost, and it stays where it is on the screen while others come and go around it.
//
// Nothing is measured while something is changed, since the browser would have to lay out the page each time: where the
// list is, is looked up before (`look`), and the heights of the rows are what the browser tells afterwards.

import { h } from "./dom.js";

/**
 * What is shown for an item.
 * @typedef {object} Line
 * @property {HTMLElement} element
 * @property {HTMLElement} toggle takes the focus, opens and closes
 * @property {boolean} opened
 * @property {(open: boolean) => void} open
 * @property {() => void} draw
 */

/** Height of a row that was not seen yet, in pixels. */
const GUESS = 94;
/** Rows are made this far beyond what is in sight, in pixels. */
const AHEAD = 500;
/** Rows that Page Up and Page Down go. */
const LEAP = 10;

/** @template {object} T */
export class Rows {
  element = h("ol.files", { role: "list" });
  #make;
  /** @type {T[]} */
  #items = [];
  /** @type {Map<T, number>} */
  #places = new Map();
  /** Where each row starts, in pixels from the start of the list; at the end, the height of all. */
  #starts = new Float64Array(1);
  /** @type {WeakMap<T, number>} */
  #heights = new WeakMap();
  /** Rows in the document, and opened ones out of sight. @type {Map<T, Line>} */
  #lines = new Map();
  /** @type {T | undefined} */
  #current;
  #frame = 0;
  /** Where the list starts, in pixels from the top of the window. */
  #top = 0;
  /** The row that shall stay where it is: the one with the focus, or the first in sight. @type {T | undefined} */
  #held;
  /** Places of the rows in the document. @type {number[]} */
  #wanted = [];
  /** @type {WeakMap<Element, T>} */
  #owners = new WeakMap();
  #observer = new ResizeObserver((entries) => this.#measured(entries));

  /** @param {(item: T) => Line} make */
  constructor(make) {
    this.#make = make;
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.element.addEventListener("focusin", (/** @type {FocusEvent} */ event) => {
      const item = this.#holding(event.target);
      if (item) this.#take(item);
    });
  }

  /** @param {AbortSignal} signal ends it */
  listen(signal) {
    addEventListener("scroll", () => this.#later(), { capture: true, passive: true, signal });
    addEventListener("resize", () => this.#later(), { signal });
  }

  /** Looks where the list is on the screen: to be called before anything is changed. */
  look() {
    const { top, bottom } = this.element.getBoundingClientRect();
    this.#top = top;
    const focused = this.#focused();
    const place = focused && top + this.#starts[/** @type {number} */ (this.#places.get(focused))];
    if (place !== undefined && place > 0 && place < innerHeight) this.#held = focused;
    else this.#held = top < 0 && bottom > 0 ? this.#items[this.#at(-top)] : undefined;
  }

  /** @param {T[]} items in their order */
  show(items) {
    const focused = this.#focused();
    const left = focused && /** @type {number} */ (this.#places.get(focused));
    const before = this.#held && this.#starts[this.#places.get(this.#held) ?? 0];
    this.#items = items;
    this.#places = new Map(items.map((item, index) => [item, index]));
    for (const [item, line] of this.#lines) {
      if (!this.#places.has(item)) this.#drop(item, line);
    }
    if (!this.#current || !this.#places.has(this.#current)) this.#current = items[0];
    this.#measure();
    const after = this.#held && this.#places.get(this.#held);
    const moved = before === undefined || after === undefined ? 0 : this.#starts[after] - before;
    this.#top -= moved;
    this.#place();
    if (moved) this.#scroller().scrollBy({ top: moved, behavior: "instant" });
    // Whoever was in a row that is gone is in the one that took its place.
    if (left !== undefined && focused && !this.#places.has(focused)) this.go(left);
  }

  /** Forgets every row, so that all are made anew. */
  clear() {
    for (const [item, line] of this.#lines) this.#drop(item, line);
  }

  /** @returns {T[]} whose rows are opened */
  get opened() {
    return [...this.#lines].filter(([, line]) => line.opened).map(([item]) => item);
  }

  /**
   * @param {T} item
   * @param {boolean} [open]
   */
  open(item, open = true) {
    if (!this.#places.has(item)) return;
    this.#line(item).open(open);
    this.#lay();
  }

  /**
   * Moves the focus to the row at this place.
   * @param {number} index
   */
  go(index) {
    const place = Math.max(0, Math.min(index, this.#items.length - 1));
    const item = this.#items[place];
    if (!item) return;
    this.#take(item);
    // Near it, so that its row and those around it are made; then exactly.
    this.look();
    const start = this.#top + this.#starts[place];
    if (start < 0 || start > innerHeight) this.#scroller().scrollBy({ top: start - innerHeight / 3, behavior: "instant" });
    this.#lay();
    const line = this.#line(item);
    line.toggle.focus({ preventScroll: true });
    line.element.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#lay();
    });
  }

  /** Looks again what is in sight. */
  #lay() {
    this.look();
    this.#place();
  }

  /** Puts into the document what is in sight. */
  #place() {
    const top = this.#top;
    const wanted = [];
    const last = Math.min(this.#at(innerHeight - top + AHEAD), this.#items.length - 1);
    for (let index = this.#at(-top - AHEAD); index <= last; index += 1) wanted.push(index);
    const own = this.#current && this.#places.get(this.#current);
    if (own !== undefined) {
      if (own < wanted[0]) wanted.unshift(own);
      else if (own > last) wanted.push(own);
    }
    const kept = new Set(wanted.map((index) => this.#items[index]));
    for (const [item, line] of this.#lines) {
      if (kept.has(item)) continue;
      if (line.opened) this.#remove(line);
      else this.#drop(item, line);
    }
    const holder = this.#focused();
    const focused = holder && this.#lines.get(holder);
    let next = this.element.firstElementChild;
    for (const index of wanted) {
      const line = this.#line(this.#items[index]);
      mark(line.element, "aria-posinset", index + 1);
      mark(line.element, "aria-setsize", this.#items.length);
      mark(line.toggle, "tabindex", index === own ? 0 : -1);
      line.draw();
      // A row that is moved loses the focus: the others are moved around it.
      while (next && next !== line.element && line === focused) {
        const behind = next;
        next = next.nextElementSibling;
        this.element.append(behind);
      }
      if (line.element === next) next = next.nextElementSibling;
      else {
        if (!line.element.parentNode) this.#observer.observe(line.element);
        this.element.insertBefore(line.element, next);
      }
    }
    this.#wanted = wanted;
    this.#space();
  }

  /** @param {ResizeObserverEntry[]} entries rows that have another height than before, or are new */
  #measured(entries) {
    let changed = false;
    for (const { target, borderBoxSize: [{ blockSize }] } of entries) {
      const item = this.#owners.get(target);
      if (!item || !blockSize || Math.abs(blockSize - this.#height(item)) < 0.5) continue;
      this.#heights.set(item, blockSize);
      changed = true;
    }
    if (!changed) return;
    this.#measure();
    this.#space();
    this.#later();
  }

  /** The rows that are not there, as margins before those that are. */
  #space() {
    let end = 0;
    for (const index of this.#wanted) {
      const item = this.#items[index];
      const { style } = this.#line(item).element;
      const margin = `${this.#starts[index] - end}px`;
      if (style.marginBlockStart !== margin) style.marginBlockStart = margin;
      end = this.#starts[index] + this.#height(item);
    }
    this.element.style.paddingBlockEnd = `${Math.max(0, this.#starts[this.#items.length] - end)}px`;
  }

  #measure() {
    this.#starts = new Float64Array(this.#items.length + 1);
    this.#items.forEach((item, index) => {
      this.#starts[index + 1] = this.#starts[index] + this.#height(item);
    });
  }

  /** @param {T} item */
  #height(item) {
    return this.#heights.get(item) ?? GUESS;
  }

  /**
   * @param {number} offset in pixels
   * @returns {number} the row that is there, or nearest
   */
  #at(offset) {
    let [low, high] = [0, this.#items.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * @param {T} item
   * @returns {Line}
   */
  #line(item) {
    let line = this.#lines.get(item);
    if (!line) {
      line = this.#make(item);
      this.#lines.set(item, line);
      this.#owners.set(line.element, item);
    }
    return line;
  }

  /**
   * @param {T} item
   * @param {Line} line
   */
  #drop(item, line) {
    this.#remove(line);
    this.#lines.delete(item);
  }

  /** @param {Line} line */
  #remove(line) {
    this.#observer.unobserve(line.element);
    line.element.remove();
  }

  /** @param {T} item is now the one in the order of the Tab key */
  #take(item) {
    for (const [one, tabindex] of /** @type {[T, number][]} */ ([[this.#current ?? item, -1], [item, 0]])) {
      const line = this.#lines.get(one);
      if (line) mark(line.toggle, "tabindex", tabindex);
    }
    this.#current = item;
  }

  /** @returns {T | undefined} whose row has the focus */
  #focused() {
    return this.#holding(/** @type {Document | ShadowRoot} */ (this.element.getRootNode()).activeElement);
  }

  /**
   * @param {any} node
   * @returns {T | undefined}
   */
  #holding(node) {
    const row = node?.closest?.(".slot");
    return row && this.#owners.get(row);
  }

  /** @returns {Element} what scrolls the list */
  #scroller() {
    let at = /** @type {any} */ (this.element);
    while ((at = at.assignedSlot ?? at.parentElement ?? at.getRootNode().host)) {
      if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
    }
    return /** @type {Element} */ (document.scrollingElement);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const item = this.#holding(event.target);
    if (!item) return;
    const line = this.#line(item);
    const at = /** @type {number} */ (this.#places.get(item));
    if (event.key === "Escape" && line.opened) {
      line.open(false);
      line.toggle.focus();
    } else if (event.target !== line.toggle) {
      return;
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      line.open(event.key === "ArrowRight");
    } else {
      /** @type {Record<string, number>} */
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.#items.length - 1, PageDown: at + LEAP, PageUp: at - LEAP };
      if (!(event.key in to)) return;
      this.go(to[event.key]);
    }
    event.preventDefault();
  }
}

/**
 * An attribute that is there already is not set again: the browser would look for what changed.
 * @param {Element} element
 * @param {string} name
 * @param {number} value
 */
function mark(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

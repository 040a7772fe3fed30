// Rows of which only those in sight are in the document, so that a list of many thousands costs no more than a short
// one. They lie in normal flow, each as high as its content: what is out of sight is a margin in its place.
//
// One row at a time is in the order of the Tab key; the arrows go from row to row. That row is always in the document,
// so that the focus is never lost, and it stays where it is on the screen while others come and go around it.

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
  #observer = new ResizeObserver(() => this.#later());

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

  /** @param {T[]} items in their order */
  show(items) {
    const held = this.#held();
    const focused = this.#focused();
    const at = focused ? /** @type {number} */ (this.#places.get(focused)) : 0;
    this.#items = items;
    this.#places = new Map(items.map((item, index) => [item, index]));
    for (const [item, line] of this.#lines) {
      if (!this.#places.has(item)) this.#drop(item, line);
    }
    if (!this.#current || !this.#places.has(this.#current)) this.#current = items[0];
    this.#measure();
    this.#lay();
    if (held) this.#hold(held);
    // Whoever was in a row that is gone is in the one that took its place.
    if (focused && !this.#places.has(focused)) this.go(at);
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
    // Near it, so that its row and those around it are made and measured; then exactly.
    const { top } = this.element.getBoundingClientRect();
    const start = top + this.#starts[place];
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

  /** Puts into the document what is in sight. */
  #lay() {
    // What is measured may move what is in sight; it settles at once, or at the next scroll.
    for (let again = 2; this.#place() && again; again -= 1);
  }

  /** @returns {boolean} whether a row had another height than was thought */
  #place() {
    const { top } = this.element.getBoundingClientRect();
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
      line.element.setAttribute("aria-posinset", String(index + 1));
      line.element.setAttribute("aria-setsize", String(this.#items.length));
      line.toggle.tabIndex = index === own ? 0 : -1;
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
    this.#space(wanted);

    let changed = false;
    for (const index of wanted) {
      const item = this.#items[index];
      const { height } = this.#line(item).element.getBoundingClientRect();
      if (height && Math.abs(height - this.#height(item)) > 0.5) {
        this.#heights.set(item, height);
        changed = true;
      }
    }
    if (changed) {
      this.#measure();
      this.#space(wanted);
    }
    return changed;
  }

  /**
   * The rows that are not there, as margins before those that are.
   * @param {number[]} wanted
   */
  #space(wanted) {
    let end = 0;
    for (const index of wanted) {
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
    if (!line) this.#lines.set(item, (line = this.#make(item)));
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
    if (this.#current) this.#lines.get(this.#current)?.toggle.setAttribute("tabindex", "-1");
    this.#current = item;
    this.#lines.get(item)?.toggle.setAttribute("tabindex", "0");
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
    if (!node || !this.element.contains(node)) return undefined;
    return [...this.#lines].find(([, line]) => line.element.contains(node))?.[0];
  }

  /** @returns {{ item: T, top: number } | undefined} the row that shall not move: that with the focus, or the first in sight */
  #held() {
    const top = (/** @type {T} */ item) => this.#line(item).element.getBoundingClientRect().top;
    const focused = this.#focused();
    if (focused && top(focused) > 0 && top(focused) < innerHeight) return { item: focused, top: top(focused) };
    const list = this.element.getBoundingClientRect();
    if (list.top >= 0 || list.bottom <= 0) return undefined;
    const item = this.#items[this.#at(-list.top)];
    return item && this.#lines.has(item) ? { item, top: top(item) } : undefined;
  }

  /** @param {{ item: T, top: number }} held */
  #hold({ item, top }) {
    const index = this.#places.get(item);
    if (index === undefined) return;
    const moved = this.element.getBoundingClientRect().top + this.#starts[index] - top;
    if (Math.abs(moved) < 1) return;
    this.#scroller().scrollBy({ top: moved, behavior: "instant" });
    this.#lay();
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

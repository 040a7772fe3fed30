// The picture of one layer: all its bytes from left to right, coloured by owner, from gigabytes down to single bytes.
//
// Zoomed and moved with the wheel, two fingers, keys or buttons. Rows that the report summed up are asked for again when
// they are looked at closely; how varied the bytes are is sampled in a worker, roughly at first, then finer.
//
// Events: `select` (a region was chosen), `view` (another part is shown), `enter` (detail: the layer to go into).

import { draw, drawBar, rowsOf } from "./drawing.js";
import { h, refill } from "./dom.js";
import { say } from "./language.js";
import { SEVERITIES, place, visible } from "./wording.js";

/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").MapRow} MapRow */
/** @typedef {import("./contract").Severity} Severity */
/** @typedef {import("./drawing.js").Sample} Sample */
/** @typedef {import("./layer-bytes.js").LayerBytes} LayerBytes */

/** A layer that lies in the one that is shown. @typedef {{ layer: Layer, start: number, end: number, severity: Severity | null }} Inside */

/** The fewest bytes that are shown. */
const CLOSEST = 16;
/** Rows that are asked for of a part. */
const ROWS = 2048;
/** Bytes that are written into their cells at most. */
const VALUES = 64;
/** Columns of the passes over a part, one after the other. */
const PASSES = [48, 384];
/** Quiet time after a movement before anything is asked for, in milliseconds. */
const SETTLED = 150;
/** What one step of a button or key zooms. */
const STEP = 2;
/** How far a pointer may move and still be a click, in pixels. */
const STILL = 5;

export class BytePicture extends EventTarget {
  #layer;
  #rows;
  #findings;
  #inside;
  /** What is drawn of the layers inside. @type {import("./drawing.js").Child[]} */
  #children;
  /** @type {import("./drawing.js").Pin[]} */
  #pins;
  #bytes;
  #from = 0;
  #to;
  /** Rows of a part, finer than those of the report. @type {{ from: number, to: number, rows: MapRow[] } | null} */
  #fine = null;
  /** @type {Sample[]} */
  #samples = [];
  /** What is sampled: the part and the number of columns. */
  #sampled = "";
  /** @type {{ at: number, bytes: Uint8Array } | null} */
  #values = null;
  #row = 0;
  #at = 0;
  #asking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;
  #frame = 0;
  /** @type {Map<number, { x: number, y: number }>} */
  #pointers = new Map();
  #moved = 0;
  #stage = h("div.stage", { role: "slider", tabindex: 0, "aria-label": say("map.name"), "aria-orientation": "horizontal" });
  #overview = h("div.overview", { "aria-hidden": "true" });
  #brush = h("span.brush");
  #frameOfOverview = h("div.overview-frame", { "aria-hidden": "true" }, this.#overview, this.#brush);

  /**
   * @param {Layer} layer
   * @param {Finding[]} findings of this layer
   * @param {Inside[]} inside the layers that lie in it
   * @param {LayerBytes | null} bytes
   * @param {string} help the id of the text that says how it is used
   */
  constructor(layer, findings, inside, bytes, help) {
    super();
    this.#layer = layer;
    this.#rows = /** @type {MapRow[]} */ (layer.map);
    this.#findings = findings;
    this.#inside = inside;
    this.#children = inside.map(({ layer: { name, formats, map = [], len }, start, end, severity }) => ({ start, end, name, format: formats.join(" + "), severity, map, len }));
    this.#pins = [
      ...findings.map(({ offset, length, severity }) => ({ start: offset, end: offset + length, severity, inside: false })),
      ...inside.flatMap(({ start, end, severity }) => (severity && severity !== "note" ? [{ start, end, severity, inside: true }] : [])),
    ];
    this.#bytes = bytes;
    this.#to = layer.len;
    this.#stage.setAttribute("aria-valuemin", "1");
    this.#stage.setAttribute("aria-describedby", help);
    this.element = h("div.picture", {}, this.#frameOfOverview, this.#stage);
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.#stage);
    this.#stage.style.setProperty("height", `${rowsOf(inside.length > 0).height}px`);
  }

  get from() {
    return this.#from;
  }

  get to() {
    return this.#to;
  }

  get zoomed() {
    return this.#from > 0 || this.#to < this.#layer.len;
  }

  get closest() {
    return this.#to - this.#from <= Math.min(CLOSEST, this.#layer.len);
  }

  /** @returns {MapRow[]} the rows of what is shown, as fine as they are known */
  get rows() {
    const fine = this.#fine;
    if (!fine || this.#from < fine.from || this.#to > fine.to) return this.#rows;
    return fine.rows;
  }

  /** @returns {MapRow} the region that is chosen */
  get selected() {
    return this.rows[Math.min(this.#row, this.rows.length - 1)];
  }

  /** The place that was chosen, in the region. */
  get place() {
    return this.#at;
  }

  /** @returns {Layer | null} the layer inside that starts where something was chosen */
  get entrance() {
    const [start, end, owner] = this.selected;
    if (owner !== "nested") return null;
    const here = this.#inside.filter((one) => one.start < end && one.end > start);
    return (here.find((one) => one.start <= this.#at && one.end > this.#at) ?? here[0])?.layer ?? null;
  }

  /** @returns {[number, number][]} what to mark among the bytes */
  get marks() {
    return this.#findings.map(({ offset, length }) => [offset, offset + Math.max(length, 1)]);
  }

  /**
   * Chooses the region that holds this place.
   * @param {number} at
   */
  select(at) {
    const within = this.rows.findIndex(([start, end]) => at >= start && at < end);
    this.#row = Math.max(within, 0);
    this.#at = Math.min(Math.max(at, 0), this.#layer.len - 1);
    this.#chosen();
  }

  /**
   * Shows a part.
   * @param {number} from
   * @param {number} to
   */
  show(from, to) {
    const { len } = this.#layer;
    const span = Math.min(Math.max(Math.round(to - from), CLOSEST), len);
    const around = Math.max(0, span - (to - from)) / 2;
    this.#from = Math.round(Math.min(Math.max(from - around, 0), len - span));
    this.#to = this.#from + span;
    this.#tell();
  }

  /** Shows the chosen region alone, with a little of what is around it. */
  zoomToSelected() {
    const [start, end] = this.selected;
    const around = Math.max(8, (end - start) * 0.04);
    this.show(start - around, end + around);
  }

  /** Shows the whole layer. */
  whole() {
    this.show(0, this.#layer.len);
  }

  /**
   * @param {number} factor above 1 to come closer
   * @param {number} [around] the place that stays where it is; without it, what is chosen, or the middle
   */
  zoom(factor, around) {
    const chosen = this.#at >= this.#from && this.#at < this.#to ? this.#at : (this.#from + this.#to) / 2;
    const still = around ?? chosen;
    const share = (still - this.#from) / (this.#to - this.#from);
    const { len } = this.#layer;
    const span = Math.min(Math.max((this.#to - this.#from) / factor, CLOSEST), len);
    const from = still - share * span;
    this.show(from, from + span);
  }

  /** @param {number} share of the part that is shown, negative to the start */
  move(share) {
    const span = this.#to - this.#from;
    this.show(this.#from + share * span, this.#to + share * span);
  }

  /** @returns {import("./drawing.js").Scene} what is shown */
  get scene() {
    const [start, end] = this.selected;
    return {
      from: this.#from, to: this.#to, rows: this.rows, pins: this.#pins, nests: this.#inside.length > 0,
      children: this.#children.filter((child) => child.end > this.#from && child.start < this.#to),
      samples: this.#samples, bytes: this.#values, selected: [start, end],
    };
  }

  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const width = Math.floor(this.#stage.clientWidth);
      if (!width) return;
      refill(this.#stage, draw(this.scene, width));
      if (!this.#overview.childElementCount) refill(this.#overview, drawBar(this.#rows, this.#layer.len, 1000, 10));
      const { len } = this.#layer;
      this.#brush.style.setProperty("inset-inline-start", `${(this.#from / len) * 100}%`);
      this.#brush.style.setProperty("inline-size", `${((this.#to - this.#from) / len) * 100}%`);
      this.#frameOfOverview.classList.toggle("zoomed", this.zoomed);
    });
  }

  #tell() {
    this.draw();
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#ask(), SETTLED);
    this.dispatchEvent(new Event("view"));
  }

  #chosen() {
    const [start, end, owner, what] = this.selected;
    this.#stage.setAttribute("aria-valuemax", String(this.rows.length));
    this.#stage.setAttribute("aria-valuenow", String(this.#row + 1));
    this.#stage.setAttribute("aria-valuetext", say("map.selected", {
      owner: say(`map.owner.${owner}.name`), what: visible(what), from: place(start), to: place(end),
    }));
    if (this.#at < this.#from || this.#at >= this.#to) {
      const span = this.#to - this.#from;
      this.show(this.#at - span / 2, this.#at + span / 2);
    } else this.draw();
    this.dispatchEvent(new Event("select"));
  }

  /** Asks for what is not known of the part that is shown. One question at a time; the last part counts. */
  async #ask() {
    if (!this.#bytes || this.#asking || !this.element.isConnected) return;
    this.#asking = true;
    try {
      for (let question = this.#question(); question && this.element.isConnected; question = this.#question()) await question();
    } catch {
      // The file is gone, or the worker was stopped: what is known is still shown.
    } finally {
      this.#asking = false;
    }
  }

  /** @returns {(() => Promise<void>) | null} the next thing to find out */
  #question() {
    const bytes = /** @type {LayerBytes} */ (this.#bytes);
    const [from, to] = [this.#from, this.#to];
    const span = to - from;
    const current = () => this.#from === from && this.#to === to;
    if (this.#isSummed(from, to)) {
      return async () => {
        const around = span / 2;
        const [start, end] = [Math.max(0, Math.floor(from - around)), Math.min(this.#layer.len, Math.ceil(to + around))];
        this.#fine = { from: start, to: end, rows: this.#complete(await bytes.regions(start, end, ROWS), start, end) };
        this.select(this.#at);
      };
    }
    if (span <= VALUES && !(this.#values && this.#values.at <= from && this.#values.at + this.#values.bytes.length >= to)) {
      return async () => {
        const start = Math.max(0, from - span);
        this.#values = { at: start, bytes: await bytes.read(start, Math.min(span * 3, this.#layer.len - start)) };
        this.draw();
      };
    }
    const pass = PASSES.find((columns) => !this.#isSampled(from, to, columns));
    if (pass) {
      return async () => {
        const columns = Math.max(1, Math.min(pass, span));
        const sample = Math.min(Math.max(256, Math.ceil(span / columns)), 4096);
        const found = await bytes.variety(from, to, columns, sample);
        this.#sampled = `${from} ${to} ${pass}`;
        if (current()) this.#samples = [...found].map((value, column) => ({ at: from + ((column + 0.5) * span) / columns, value }));
        this.draw();
      };
    }
    return null;
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} columns
   */
  #isSampled(from, to, columns) {
    const [start, end, pass] = this.#sampled.split(" ").map(Number);
    return start === from && end === to && pass >= columns;
  }

  /**
   * Whether rows of this part stand for several regions each, and were not asked for yet.
   * @param {number} from
   * @param {number} to
   */
  #isSummed(from, to) {
    const summed = (/** @type {MapRow[]} */ rows) => rows.some(([start, end, , what]) => what === "several parts" && end > from && start < to);
    if (!summed(this.rows)) return false;
    // What was asked for of a part not much larger is as fine as it gets here.
    return !(this.#fine && this.rows === this.#fine.rows && this.#fine.to - this.#fine.from <= 8 * (to - from));
  }

  /**
   * Rows of the core with what only the whole check knows: files that a search found.
   * @param {MapRow[]} rows
   * @param {number} from
   * @param {number} to
   * @returns {MapRow[]}
   */
  #complete(rows, from, to) {
    let complete = rows;
    for (const { layer, start, end } of this.#inside) {
      if (!layer.in_place || end <= from || start >= to) continue;
      const covered = complete.filter(([s, e]) => e > start && s < end);
      if (covered.every(([, , owner]) => owner === "nested")) continue;
      complete = [
        ...complete.flatMap(([s, e, owner, what]) => (s < start ? [/** @type {MapRow} */ ([s, Math.min(e, start), owner, what])] : [])),
        /** @type {MapRow} */ ([start, end, "nested", "buried file"]),
        ...complete.flatMap(([s, e, owner, what]) => (e > end ? [/** @type {MapRow} */ ([Math.max(s, end), e, owner, what])] : [])),
      ];
    }
    // Around the part, the rows of the report.
    return [
      ...this.#rows.flatMap(([s, e, owner, what]) => (s < from ? [/** @type {MapRow} */ ([s, Math.min(e, from), owner, what])] : [])),
      ...complete,
      ...this.#rows.flatMap(([s, e, owner, what]) => (e > to ? [/** @type {MapRow} */ ([Math.max(s, to), e, owner, what])] : [])),
    ];
  }

  #listen() {
    const stage = this.#stage;
    stage.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    stage.addEventListener("wheel", (/** @type {WheelEvent} */ event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      if (!this.#pointers.size) this.#moved = 0;
      this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    stage.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.#drag(event));
    stage.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => {
      if (this.#pointers.delete(event.pointerId) && !this.#pointers.size && this.#moved < STILL) this.#click(event);
    });
    stage.addEventListener("pointercancel", (/** @type {PointerEvent} */ event) => this.#pointers.delete(event.pointerId));
    stage.addEventListener("dblclick", (/** @type {MouseEvent} */ event) => {
      const child = this.#childAt(event);
      if (child) this.dispatchEvent(new CustomEvent("enter", { detail: child.layer }));
      else this.zoom(4, this.#placeAt(event.clientX));
    });
    // The whole layer above: a click goes there, a drag moves along.
    const go = (/** @type {PointerEvent} */ event) => {
      const box = this.#frameOfOverview.getBoundingClientRect();
      const middle = ((event.clientX - box.left) / box.width) * this.#layer.len;
      const half = (this.#to - this.#from) / 2;
      this.show(middle - half, middle + half);
    };
    this.#frameOfOverview.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (!this.zoomed) return;
      this.#frameOfOverview.setPointerCapture(event.pointerId);
      go(event);
    });
    this.#frameOfOverview.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (this.#frameOfOverview.hasPointerCapture(event.pointerId)) go(event);
    });
  }

  /** @param {number} clientX */
  #placeAt(clientX) {
    const box = this.#stage.getBoundingClientRect();
    const share = Math.min(Math.max((clientX - box.left) / box.width, 0), 1);
    return this.#from + share * (this.#to - this.#from);
  }

  /** @param {MouseEvent} event */
  #childAt(event) {
    const { nested, variety } = rowsOf(this.#inside.length > 0);
    const y = event.clientY - this.#stage.getBoundingClientRect().top;
    if (!this.#inside.length || y < nested || y >= variety) return null;
    const at = this.#placeAt(event.clientX);
    return this.#inside.find(({ start, end }) => at >= start && at < end) ?? null;
  }

  /** @param {PointerEvent} event */
  #click(event) {
    const box = this.#stage.getBoundingClientRect();
    const { owned, nested } = rowsOf(this.#inside.length > 0);
    const each = (this.#to - this.#from) / box.width;
    const at = this.#placeAt(event.clientX);
    const child = this.#childAt(event);
    // A pin is wider than its place; so is a region of less than a pixel.
    const near = event.clientY - box.top < owned ? 9 * each : 3 * each;
    const finding = this.#findings
      .filter(({ offset, severity }) => Math.abs(offset - at) <= near && (severity !== "note" || event.clientY - box.top < owned))
      .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || Math.abs(a.offset - at) - Math.abs(b.offset - at))[0];
    if (child) this.select(Math.max(child.start, Math.min(Math.floor(at), child.end - 1)));
    else if (finding && event.clientY - box.top < nested) this.select(finding.offset);
    else this.select(Math.floor(at));
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const [one, two] = [...this.#pointers.values()];
    const distance = two ? Math.abs(one.x - two.x) : 0;
    this.#moved += Math.abs(event.clientX - before.x) + Math.abs(event.clientY - before.y);
    const width = this.#stage.getBoundingClientRect().width;
    const across = event.clientX - before.x;
    Object.assign(before, { x: event.clientX, y: event.clientY });
    if (two) {
      const now = Math.abs(one.x - two.x);
      if (distance > 8 && now > 8) this.zoom(now / distance, this.#placeAt((one.x + two.x) / 2));
    } else if (this.#moved >= STILL && this.zoomed) this.move(-across / width);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    // Without a key, the wheel scrolls the page, unless the picture has been chosen by a click or by keyboard.
    const root = /** @type {Document | ShadowRoot} */ (this.#stage.getRootNode());
    const wants = event.ctrlKey || event.metaKey || root.activeElement === this.#stage;
    if (!wants) return;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (!this.zoomed) return;
      this.move((event.deltaX / this.#stage.clientWidth) * 0.5);
    } else {
      const closer = event.deltaY < 0;
      if (closer ? this.closest : !this.zoomed) return;
      const lines = event.deltaMode === 1 ? 30 : 1;
      this.zoom(Math.exp((-event.deltaY * lines) / 300), this.#placeAt(event.clientX));
    }
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.rows.length - 1;
    const goTo = (/** @type {number} */ row) => {
      this.#row = Math.min(Math.max(row, 0), last);
      this.#at = this.rows[this.#row][0];
      this.#chosen();
    };
    const rightToLeft = getComputedStyle(this.#stage).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => goTo(this.#row + rightToLeft), ArrowLeft: () => goTo(this.#row - rightToLeft),
      ArrowUp: () => this.zoom(STEP), ArrowDown: () => this.zoom(1 / STEP), "+": () => this.zoom(STEP), "=": () => this.zoom(STEP), "-": () => this.zoom(1 / STEP),
      PageDown: () => this.move(0.8), PageUp: () => this.move(-0.8), Home: () => goTo(0), End: () => goTo(last),
      0: () => this.whole(),
      Enter: () => {
        const layer = this.entrance;
        if (layer) this.dispatchEvent(new CustomEvent("enter", { detail: layer }));
        else this.zoomToSelected();
      },
    };
    if (event.key === "Escape" && this.zoomed) this.whole();
    else if (event.key in keys) keys[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * The layers that lie in a layer, with their places there, and the worst that was found in each or deeper.
 * @param {import("./contract").FileReport} report
 * @param {Layer} layer
 * @returns {Inside[]}
 */
export function insideOf(report, layer) {
  const worst = worstByLayer(report);
  const rows = layer.map ?? [];
  const children = report.layers
    .filter((one) => one.parent === layer.id && one.offset !== null)
    .sort((a, b) => /** @type {number} */ (a.offset) - /** @type {number} */ (b.offset));
  // From the last to the first, so that the place of what follows is known.
  let row = rows.length - 1;
  let next = layer.len;
  let last = layer.len;
  return children.reverse().map((child) => {
    const start = /** @type {number} */ (child.offset);
    if (start < last) [next, last] = [last, start];
    while (row > 0 && rows[row][0] > start) row -= 1;
    const [, to, owner, what] = rows[row] ?? [0, next, "nested", ""];
    const end = child.in_place ? start + child.len : Math.min(owner === "nested" && what !== "several parts" ? to : next, next);
    return { layer: child, start, end: Math.max(end, start + 1), severity: worst.get(child.id) ?? null };
  }).reverse();
}

/**
 * @param {import("./contract").FileReport} report
 * @returns {Map<number, Severity>} the worst in each layer, and in those inside it
 */
function worstByLayer(report) {
  const parents = new Map(report.layers.map(({ id, parent }) => [id, parent]));
  /** @type {Map<number, Severity>} */
  const worst = new Map();
  for (const severity of SEVERITIES) {
    for (const finding of report.findings) {
      if (finding.severity !== severity) continue;
      for (let at = /** @type {number | null | undefined} */ (finding.layer); at !== null && at !== undefined && !worst.has(at); at = parents.get(at)) worst.set(at, severity);
    }
  }
  return worst;
}

// Coverage of one layer: who owns its bytes, as a bar, as a map that can be clicked, and as a list.

import { h, refill } from "./dom.js";
import { HexWindow } from "./hex.js";
import { count, say, share, size } from "./language.js";
import { OWNERS, place, visible } from "./wording.js";

/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").Owner} Owner */
/** @typedef {import("./contract").MapRow} MapRow */
/** @typedef {import("./contract").Finding} Finding */

/** Owners, the most noteworthy first: a cell of the map never hides one behind a lesser one. */
const NOTEWORTHY = /** @type {Owner[]} */ (["unexplained", "slack", "structure", "nested", "opaque"]);

/** Cells of the map at most, in lines. */
const LINES = 16;

/**
 * A bar of the five owners.
 * @param {Layer} layer
 * @returns {HTMLElement}
 */
export function coverageBar(layer) {
  const bar = h("div.coverage-bar", { "aria-hidden": "true" });
  for (const owner of OWNERS) {
    const part = layer.coverage[owner];
    if (!part) continue;
    const piece = h(`span.owner-${owner}`);
    piece.style.setProperty("flex-grow", String(Math.max(part / layer.len, 0.004)));
    bar.append(piece);
  }
  return bar;
}

/**
 * @param {Layer} layer
 * @param {Finding[]} findings of this layer
 * @param {((offset: number, length: number) => Promise<Uint8Array>) | null} read null when the bytes of this layer are not those of the file
 * @returns {{ element: HTMLElement, select(from: number, to: number): void }}
 */
export function coverageOf(layer, findings, read) {
  const legend = h("ul.legend");
  /** @type {Record<string, HTMLElement>} */
  const swatches = {};
  for (const owner of OWNERS) {
    const bytes = layer.coverage[owner];
    swatches[owner] = h(`span.swatch.owner-${owner}`);
    legend.append(
      h(bytes ? "li" : "li.none", { title: say(`map.owner.${owner}.says`) },
        swatches[owner], h("span.name", {}, say(`map.owner.${owner}.name`)), " ",
        h("span.amount", {}, bytes ? `${share(bytes, layer.len)} · ${size(bytes)}` : say("map.none"))),
    );
  }
  const element = h("div.coverage", {}, coverageBar(layer), legend);
  const map = layer.map ?? [];
  if (!layer.len || !map.length) return { element, select() {} };

  const picture = new ByteMap(layer.len, map, findings, swatches);
  const hex = read && new HexWindow(layer.len, read);
  const chosen = h("p.chosen", { "aria-live": "polite" });
  const zoomIn = h("button", { type: "button", click: () => picture.zoom() }, say("map.zoom-in"));
  const zoomOut = h("button", { type: "button", hidden: true, click: () => picture.whole() }, say("map.zoom-out"));
  picture.addEventListener("zoom", () => {
    zoomOut.hidden = !picture.zoomed;
  });
  picture.addEventListener("select", () => {
    const [start, end, owner, what] = picture.selected;
    refill(chosen,
      h("strong", {}, say(`map.owner.${owner}.name`)), what ? [": ", h("bdi", { lang: "en" }, visible(what))] : null,
      h("span.range", {}, ` ${place(start)} – ${place(end)} · ${say("amount.bytes", { count: end - start })}`));
    zoomIn.hidden = end - start >= layer.len;
    hex?.show(picture.place, picture.marks);
  });
  element.append(
    picture.element,
    h("div.picked", {}, chosen, h("div.buttons", {}, zoomIn, zoomOut)),
    hex ? hex.element : h("p.quiet", {}, say("map.not-in-place")),
    listOfRanges(map, (row) => picture.select(row[0], row[0])),
  );
  // The map needs its width before it can be drawn.
  requestAnimationFrame(() => {
    const first = findings[0];
    picture.select(first?.offset ?? 0, first?.offset ?? 0);
  });
  return {
    element,
    select(from) {
      picture.whole();
      picture.select(from, from);
      element.scrollIntoView({ block: "nearest" });
    },
  };
}

/**
 * The same as a table, for those who cannot use the picture, or will not.
 * @param {MapRow[]} map
 * @param {(row: MapRow) => void} choose
 */
function listOfRanges(map, choose) {
  const body = h("tbody");
  const list = h("details.ranges", {},
    h("summary", {}, say("map.ranges", { count: map.length })),
    h("div.scroll", { tabindex: 0, role: "group", "aria-label": say("map.ranges.name") },
      h("table", {},
        h("thead", {}, h("tr", {}, ["from", "bytes", "owner", "what"].map((name) => h("th", { scope: "col" }, say(`map.column.${name}`))))),
        body)));
  list.addEventListener("toggle", () => {
    if (body.childElementCount) return;
    for (const row of map) {
      const [start, end, owner, what] = row;
      body.append(
        h("tr", {},
          h("td", {}, h("button.link", { type: "button", click: () => choose(row) }, place(start))),
          h("td.number", {}, count(end - start)),
          h("td", {}, h(`span.swatch.owner-${owner}`), " ", say(`map.owner.${owner}.name`)),
          h("td", {}, h("bdi", { lang: "en" }, visible(what)))),
      );
    }
  });
  return list;
}

/**
 * The picture: cells from left to right, top to bottom, each an equal part of the layer. A cell has the colour of the
 * owner of most of its bytes; a stripe at its foot says that a more noteworthy one has a part in it. Findings are ringed.
 *
 * Events: `select`, `zoom`.
 */
class ByteMap extends EventTarget {
  #length;
  #map;
  #findings;
  #swatches;
  #from = 0;
  #to;
  #cells = { across: 1, down: 1, each: 1 };
  #canvas = h("canvas.map", {
    tabindex: 0, role: "slider", "aria-label": say("map.name"), "aria-orientation": "horizontal",
  });
  /** The row that is selected, and the place in it that was asked for. */
  #row = 0;
  place = 0;

  /**
   * @param {number} length
   * @param {MapRow[]} map
   * @param {Finding[]} findings
   * @param {Record<string, HTMLElement>} swatches whose colours are used
   */
  constructor(length, map, findings, swatches) {
    super();
    this.#length = length;
    this.#map = map;
    this.#findings = findings;
    this.#swatches = swatches;
    this.#to = length;
    this.#canvas.setAttribute("aria-valuemin", "1");
    this.#canvas.setAttribute("aria-valuemax", String(map.length));
    this.#canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#click(event));
    this.#canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.element = h("div.map-frame", {}, this.#canvas);
    new ResizeObserver(() => this.draw()).observe(this.element);
    const redraw = () => this.element.isConnected && this.draw();
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", redraw);
    }
  }

  get zoomed() {
    return this.#from > 0 || this.#to < this.#length;
  }

  /** @returns {MapRow} */
  get selected() {
    return this.#map[this.#row];
  }

  /** @returns {[number, number][]} what to mark in the bytes: the findings that touch the selected range */
  get marks() {
    return this.#findings.map(({ offset, length }) => [offset, offset + Math.max(length, 1)]);
  }

  /**
   * Selects the range that holds this place; of several in between, the most noteworthy.
   * @param {number} from
   * @param {number} to
   */
  select(from, to) {
    const within = this.#map.flatMap(([start, end], row) => (start <= to && end > from ? [row] : []));
    const found = this.#findings.find(({ offset }) => offset >= from && offset <= to);
    if (within.length) {
      this.#row = within.reduce((best, row) => (this.#rank(row) < this.#rank(best) ? row : best));
      this.place = Math.max(from, this.#map[this.#row][0]);
    }
    if (found) {
      const holding = this.#map.findIndex(([start, end]) => found.offset >= start && found.offset < end);
      this.#row = Math.max(holding, 0);
      this.place = found.offset;
    }
    this.#selected();
  }

  /** Shows the selected range alone. */
  zoom() {
    [this.#from, this.#to] = this.selected;
    this.draw();
    this.dispatchEvent(new Event("zoom"));
  }

  /** Shows the whole layer. */
  whole() {
    this.#from = 0;
    this.#to = this.#length;
    this.draw();
    this.dispatchEvent(new Event("zoom"));
  }

  #selected() {
    const [start, end, owner, what] = this.selected;
    this.#canvas.setAttribute("aria-valuenow", String(this.#row + 1));
    this.#canvas.setAttribute("aria-valuetext", 
      say("map.selected", { owner: say(`map.owner.${owner}.name`), what: visible(what), from: place(start), to: place(end) }));
    if (end <= this.#from || start >= this.#to) this.whole();
    this.draw();
    this.dispatchEvent(new Event("select"));
  }

  /** @param {number} row */
  #rank(row) {
    return NOTEWORTHY.indexOf(this.#map[row][2]);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const box = this.#canvas.getBoundingClientRect();
    const { across, down, each } = this.#cells;
    const column = Math.floor(((event.clientX - box.left) / box.width) * across);
    const line = Math.floor(((event.clientY - box.top) / box.height) * down);
    const start = this.#from + (line * across + column) * each;
    if (start < this.#to) this.select(Math.floor(start), Math.min(Math.ceil(start + each), this.#to) - 1);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.#map.length - 1;
    /** @type {Record<string, number>} */
    const to = {
      ArrowRight: this.#row + 1, ArrowDown: this.#row + 1, ArrowLeft: this.#row - 1, ArrowUp: this.#row - 1,
      PageDown: this.#row + 10, PageUp: this.#row - 10, Home: 0, End: last,
    };
    if (event.key === "Enter") this.zoom();
    else if (event.key === "Escape" && this.zoomed) this.whole();
    else if (event.key in to) {
      this.#row = Math.min(Math.max(to[event.key], 0), last);
      this.place = this.#map[this.#row][0];
      this.#selected();
    } else return;
    event.preventDefault();
  }

  draw() {
    const width = this.element.clientWidth;
    const context = this.#canvas.getContext("2d");
    if (!width || !context) return;
    const length = this.#to - this.#from;
    const across = Math.min(Math.max(Math.floor(width / 11), 16), 72);
    const side = width / across;
    const each = Math.max(1, length / (across * LINES));
    const down = Math.max(1, Math.ceil(length / each / across - 1e-9));
    this.#cells = { across, down, each };
    const scale = globalThis.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(side * down * scale);
    this.#canvas.style.setProperty("height", `${side * down}px`);
    context.scale(scale, scale);

    /** @type {Record<string, string>} */
    const colours = {};
    for (const owner of OWNERS) colours[owner] = getComputedStyle(this.#swatches[owner]).backgroundColor;
    const ink = getComputedStyle(this.#canvas).color;
    const gap = side > 7 ? 1 : 0.5;
    const many = Math.ceil(length / each - 1e-9);
    /** @type {(cell: number) => [number, number]} */
    const corner = (cell) => [(cell % across) * side, Math.floor(cell / across) * side];

    for (const [cell, shares] of this.#shares(many, each).entries()) {
      const [x, y] = corner(cell);
      const most = NOTEWORTHY.reduce((best, owner) => (shares[owner] > shares[best] ? owner : best));
      const worst = NOTEWORTHY.find((owner) => shares[owner] > 0) ?? most;
      context.fillStyle = colours[most];
      context.fillRect(x, y, side - gap, side - gap);
      if (most === "slack" || most === "unexplained") hatch(context, x, y, side - gap, most === "unexplained", ink);
      if (worst !== most) {
        context.fillStyle = colours[worst];
        context.fillRect(x, y + side * 0.62, side - gap, side * 0.38 - gap);
      }
    }

    const [start, end] = this.selected;
    const first = Math.max(0, Math.floor((start - this.#from) / each));
    const last = Math.min(many - 1, Math.max(first, Math.ceil((end - this.#from) / each) - 1));
    context.strokeStyle = ink;
    context.lineWidth = 1.5;
    context.globalAlpha = 0.85;
    outline(context, first, last, across, side, gap);
    context.globalAlpha = 1;

    context.lineWidth = 2;
    for (const { offset, severity } of this.#findings) {
      if (severity === "note" || offset < this.#from || offset >= this.#to) continue;
      const [x, y] = corner(Math.floor((offset - this.#from) / each));
      context.strokeStyle = ink;
      context.fillStyle = "#fff";
      context.beginPath();
      context.arc(x + (side - gap) / 2, y + (side - gap) / 2, Math.max(3, side * 0.36), 0, 2 * Math.PI);
      context.globalAlpha = 0.9;
      context.fill();
      context.globalAlpha = 1;
      context.stroke();
    }
  }

  /**
   * Bytes of each owner in each cell.
   * @param {number} many
   * @param {number} each
   */
  #shares(many, each) {
    const cells = Array.from({ length: many }, () => ({ structure: 0, nested: 0, opaque: 0, slack: 0, unexplained: 0 }));
    for (const [start, end, owner] of this.#map) {
      const from = Math.max(start, this.#from) - this.#from;
      const to = Math.min(end, this.#to) - this.#from;
      if (to <= from) continue;
      const last = Math.min(many - 1, Math.ceil(to / each) - 1);
      for (let cell = Math.floor(from / each); cell <= last; cell += 1) {
        cells[cell][owner] += Math.max(0, Math.min(to, (cell + 1) * each) - Math.max(from, cell * each));
      }
    }
    return cells;
  }
}

/**
 * Stripes, so that these owners can be told without colours.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} side
 * @param {boolean} crossed
 * @param {string} ink
 */
function hatch(context, x, y, side, crossed, ink) {
  context.strokeStyle = ink;
  context.lineWidth = 1;
  context.globalAlpha = 0.4;
  context.beginPath();
  context.moveTo(x, y + side);
  context.lineTo(x + side, y);
  if (crossed) {
    context.moveTo(x, y);
    context.lineTo(x + side, y + side);
  }
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * A line around the cells from first to last, which may begin and end within a line of cells.
 * @param {CanvasRenderingContext2D} context
 * @param {number} first
 * @param {number} last
 * @param {number} across
 * @param {number} side
 * @param {number} gap
 */
function outline(context, first, last, across, side, gap) {
  const [top, left] = [Math.floor(first / across), first % across];
  const [bottom, right] = [Math.floor(last / across), (last % across) + 1];
  const wide = across * side - gap;
  const inset = 0.75;
  context.beginPath();
  if (top === bottom) {
    context.rect(left * side + inset, top * side + inset, (right - left) * side - gap - 2 * inset, side - gap - 2 * inset);
  } else {
    context.moveTo(left * side + inset, top * side + inset);
    context.lineTo(wide - inset, top * side + inset);
    context.lineTo(wide - inset, bottom * side - gap - inset);
    context.lineTo(right * side - gap - inset, bottom * side - gap - inset);
    context.lineTo(right * side - gap - inset, (bottom + 1) * side - gap - inset);
    context.lineTo(inset, (bottom + 1) * side - gap - inset);
    context.lineTo(inset, (top + 1) * side + inset);
    context.lineTo(left * side + inset, (top + 1) * side + inset);
    context.closePath();
  }
  context.stroke();
}

// Draws a part of a layer: findings, owners, what is nested, how varied the bytes are, and places. Plain SVG from plain
// values, for the page and for the picture that is saved; the colours come from a style sheet by class.

import { svg } from "./dom.js";
import { place, visible } from "./wording.js";

/** @typedef {import("./contract").MapRow} MapRow */
/** @typedef {import("./contract").Owner} Owner */
/** @typedef {import("./contract").Severity} Severity */

/**
 * What is drawn.
 * @typedef {object} Scene
 * @property {number} from first byte that is shown
 * @property {number} to behind the last
 * @property {MapRow[]} rows
 * @property {Pin[]} pins
 * @property {Child[]} children
 * @property {boolean} nests whether the layer has a row for what is nested
 * @property {Sample[]} samples
 * @property {{ at: number, bytes: Uint8Array } | null} bytes values to write into the cells
 * @property {[number, number] | null} selected
 */
/** @typedef {{ start: number, end: number, severity: Severity, inside: boolean }} Pin */
/** @typedef {{ start: number, end: number, name: string, format: string, severity: Severity | null, map: MapRow[], len: number }} Child */
/** @typedef {{ at: number, value: number }} Sample */

/** Owners, the most noteworthy first: nothing small ever hides one behind a lesser one. */
export const NOTEWORTHY = /** @type {Owner[]} */ (["unexplained", "slack", "structure", "nested", "opaque"]);
const SEVERE = /** @type {Severity[]} */ (["danger", "warning", "note"]);

/** Heights of the rows, in pixels. */
const PINS = 22;
const OWNED = 60;
const NESTED = 40;
const VARIETY = 34;
const AXIS = 20;
const GAP = 6;

/** Narrower than this, regions share columns. */
const NARROW = 3;
/** The width of such a column. */
const COLUMN = 2;
/** What is in a column of many is at least this part of its height. */
const LEAST = 0.18;
/** The width of a character of a label, about. */
const LETTER = 6.9;

let pictures = 0;

/**
 * @param {boolean} nests
 * @returns {{ pins: number, owned: number, nested: number, variety: number, axis: number, height: number }} tops of the rows
 */
export function rowsOf(nests) {
  const owned = PINS;
  const nested = owned + OWNED + GAP;
  const variety = nested + (nests ? NESTED + GAP : 0);
  const axis = variety + VARIETY + GAP;
  return { pins: 0, owned, nested, variety, axis, height: axis + AXIS };
}

/**
 * @param {Scene} scene
 * @param {number} width in pixels
 * @returns {SVGElement}
 */
export function draw(scene, width) {
  const rows = rowsOf(scene.nests);
  const id = `picture-${(pictures += 1)}`;
  const span = scene.to - scene.from;
  /** @param {number} at */
  const x = (at) => ((Math.min(Math.max(at, scene.from), scene.to) - scene.from) / span) * width;
  return svg("svg", { class: "picture-drawing", viewBox: `0 0 ${width} ${rows.height}`, width, height: rows.height, "aria-hidden": "true", focusable: "false" },
    patterns(id),
    svg("g", { transform: `translate(0 ${rows.owned})` }, owned(scene, x, id), values(scene, x), selection(scene, x)),
    scene.nests ? svg("g", { transform: `translate(0 ${rows.nested})` }, nested(scene, x, width, id)) : null,
    svg("g", { transform: `translate(0 ${rows.variety})` }, variety(scene, x, width)),
    svg("g", { transform: `translate(0 ${rows.axis})` }, axis(scene, x, width)),
    pins(scene, x, rows.owned));
}

/**
 * One bar of owners, without labels.
 * @param {MapRow[]} rows
 * @param {number} len
 * @param {number} width
 * @param {number} height
 */
export function drawBar(rows, len, width, height) {
  /** @param {number} at */
  const x = (at) => (at / len) * width;
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
    bar(rows, 0, len, x, height));
}

/** @param {string} id */
function patterns(id) {
  /** @type {(owner: Owner, size: number, ...marks: Element[]) => SVGElement} */
  const pattern = (owner, size, ...marks) =>
    svg("pattern", { id: `${id}-${owner}`, width: size, height: size, patternUnits: "userSpaceOnUse" }, ...marks);
  const line = (/** @type {string} */ d) => svg("path", { class: "mark", d });
  return svg("defs", {},
    pattern("nested", 6, line("M0 3H6")),
    pattern("opaque", 8, svg("circle", { class: "dot", cx: 2, cy: 2, r: 0.9 }), svg("circle", { class: "dot", cx: 6, cy: 6, r: 0.9 })),
    pattern("slack", 7, line("M-1 8 8 -1M-1 1 1 -1M6 8 8 6")),
    pattern("unexplained", 7, line("M-1 8 8 -1M-1 -1 8 8")));
}

/**
 * The rows of a stretch: wide ones as they are, narrow ones together in columns, the noteworthy in front.
 * @param {MapRow[]} rows
 * @param {number} from
 * @param {number} to
 * @param {(at: number) => number} x
 * @param {number} height
 */
function bar(rows, from, to, x, height) {
  /** @type {Element[]} */
  const wide = [];
  /** @type {Map<number, Record<Owner, number>>} */
  const columns = new Map();
  for (const [start, end, owner] of rows) {
    if (end <= from || start >= to) continue;
    const [left, right] = [x(start), x(end)];
    if (right - left >= NARROW) {
      wide.push(svg("rect", { class: `o-${owner}`, x: left, y: 0, width: right - left, height }));
      continue;
    }
    const column = Math.floor(left / COLUMN);
    let shares = columns.get(column);
    if (!shares) columns.set(column, (shares = { structure: 0, nested: 0, opaque: 0, slack: 0, unexplained: 0 }));
    shares[owner] += Math.min(end, to) - Math.max(start, from);
  }
  const narrow = [...columns].flatMap(([column, shares]) => {
    const present = NOTEWORTHY.filter((owner) => shares[owner]);
    const whole = present.reduce((sum, owner) => sum + shares[owner], 0);
    const parts = present.map((owner) => Math.max(shares[owner] / whole, LEAST));
    const all = parts.reduce((sum, part) => sum + part, 0);
    let y = 0;
    return present.map((owner, index) => {
      const part = (parts[index] / all) * height;
      y += part;
      return svg("rect", { class: `o-${owner}`, x: column * COLUMN, y: y - part, width: COLUMN, height: part });
    });
  });
  return [...wide, ...narrow];
}

/**
 * @param {Scene} scene
 * @param {(at: number) => number} x
 * @param {string} id
 */
function owned({ rows, from, to }, x, id) {
  const shown = rows.filter(([start, end]) => end > from && start < to);
  const wide = shown.filter(([start, end]) => x(end) - x(start) >= NARROW);
  return [
    bar(shown, from, to, x, OWNED),
    wide.filter(([, , owner]) => owner !== "structure").map(([start, end, owner]) =>
      svg("rect", { fill: `url(#${id}-${owner})`, x: x(start), y: 0, width: x(end) - x(start), height: OWNED })),
    wide.map(([start, end]) => svg("rect", { class: "edge", x: x(start), y: 0.5, width: x(end) - x(start), height: OWNED - 1 })),
    wide.map(([start, end, owner, what]) => label(what, x(start), x(end), owner)),
  ];
}

/**
 * @param {string} what
 * @param {number} left
 * @param {number} right
 * @param {Owner} owner
 */
function label(what, left, right, owner) {
  const text = fitted(what, right - left - 14);
  if (!text) return null;
  const width = text.length * LETTER + 8;
  return svg("g", {},
    svg("rect", { class: "plate", x: left + 4, y: OWNED - 21, width, height: 17, rx: 3 }),
    svg("text", { class: `label on-${owner}`, x: left + 8, y: OWNED - 8.5, lang: "en" }, text));
}

/**
 * @param {string} words
 * @param {number} room
 * @returns {string} as much of it as there is room for, or nothing
 */
function fitted(words, room) {
  const text = visible(words);
  const most = Math.floor(room / LETTER);
  if (text.length <= most) return text;
  return most >= 5 ? `${text.slice(0, most - 1)}…` : "";
}

/**
 * The bytes themselves, where each has a cell of its own.
 * @param {Scene} scene
 * @param {(at: number) => number} x
 */
function values({ bytes, from, to }, x) {
  const cell = x(from + 1);
  if (!bytes || cell < 17) return null;
  return [...bytes.bytes].map((byte, index) => {
    const at = bytes.at + index;
    if (at < from || at >= to) return null;
    return svg("g", {},
      svg("rect", { class: "plate", x: x(at) + 1, y: 5, width: cell - 2, height: 19, rx: 2 }),
      svg("text", { class: "value", x: x(at) + cell / 2, y: 19, "text-anchor": "middle" }, byte.toString(16).padStart(2, "0")));
  });
}

/**
 * @param {Scene} scene
 * @param {(at: number) => number} x
 */
function selection({ selected, from, to }, x) {
  if (!selected || selected[1] <= from || selected[0] >= to) return null;
  const width = Math.max(x(selected[1]) - x(selected[0]), 3);
  return [
    svg("rect", { class: "chosen-outer", x: x(selected[0]), y: 0, width, height: OWNED }),
    svg("rect", { class: "chosen-inner", x: x(selected[0]), y: 0, width, height: OWNED }),
  ];
}

/**
 * @param {Scene} scene
 * @param {(at: number) => number} x
 * @param {number} width
 * @param {string} id
 */
function nested({ children, from, to }, x, width, id) {
  const shown = children.filter(({ start, end }) => end > from && start < to);
  /** @type {Set<number>} */
  const taken = new Set();
  return [
    svg("rect", { class: "bed", x: 0, y: 0, width, height: NESTED }),
    shown.map((child) => {
      const [left, right] = [x(child.start), x(child.end)];
      if (right - left < NARROW) {
        const column = Math.floor(left / COLUMN);
        if (taken.has(column)) return null;
        taken.add(column);
        return svg("rect", { class: child.severity ? `s-${child.severity}` : "o-nested", x: column * COLUMN, y: 3, width: COLUMN, height: NESTED - 6 });
      }
      const inner = (/** @type {number} */ at) => child.start + (at / Math.max(child.len, 1)) * (child.end - child.start);
      const scaled = child.map.map(([start, end, owner, what]) => /** @type {MapRow} */ ([inner(start), inner(end), owner, what]));
      const text = fitted(child.name, right - left - 12 - (child.severity ? 14 : 0));
      return svg("g", {},
        svg("rect", { class: "child", x: left + 0.5, y: 0.5, width: Math.max(right - left - 1, 1), height: NESTED - 1, rx: 3 }),
        svg("g", { transform: `translate(0 ${NESTED - 15})` }, right - left > 8 ? bar(scaled, from, to, (at) => Math.min(Math.max(x(at), left + 3), right - 3), 10) : null),
        child.severity && right - left > 12 ? sign(child.severity, left + 9, 11, 4.5) : null,
        text ? svg("text", { class: "name", x: left + (child.severity ? 18 : 6), y: 15 }, text) : null);
    }),
  ];
}

/**
 * @param {Scene} scene
 * @param {(at: number) => number} x
 * @param {number} width
 */
function variety({ samples, from, to }, x, width) {
  const y = (/** @type {number} */ value) => (1 - value / 8) * (VARIETY - 4) + 2;
  const shown = samples.filter(({ at }) => at >= from && at <= to);
  const bed = svg("rect", { class: "bed", x: 0, y: 0, width, height: VARIETY });
  if (!shown.length) return bed;
  const points = [{ at: from, value: shown[0].value }, ...shown, { at: to, value: shown[shown.length - 1].value }];
  const line = points.map(({ at, value }, index) => `${index ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return [bed, svg("path", { class: "varied", d: `${line}L${width} ${VARIETY}L0 ${VARIETY}Z` }), svg("path", { class: "varied-line", d: line })];
}

/**
 * @param {Scene} scene
 * @param {(at: number) => number} x
 * @param {number} width
 */
function axis({ from, to }, x, width) {
  const most = Math.max(1, Math.floor(width / 110));
  const step = 2 ** Math.max(0, Math.ceil(Math.log2((to - from) / most)));
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    if (x(at) > width - 60 && at > from) break;
    marks.push(
      svg("path", { class: "tick", d: `M${x(at).toFixed(1)} 0V5` }),
      svg("text", { class: "place", x: Math.max(x(at), 0.5), y: 16 }, place(at)));
  }
  return marks;
}

/**
 * A pin for each finding; those that stand close together share one.
 * @param {Scene} scene
 * @param {(at: number) => number} x
 * @param {number} foot
 */
function pins({ pins, from, to }, x, foot) {
  /** @type {{ at: number, severity: Severity, inside: boolean }[]} */
  const shown = [];
  const inView = pins.filter(({ start, end }) => Math.max(end, start + 1) > from && start < to).sort((a, b) => a.start - b.start);
  for (const { start, severity, inside } of inView) {
    const at = x(start);
    const last = shown[shown.length - 1];
    if (last && at - last.at < 9) {
      if (SEVERE.indexOf(severity) < SEVERE.indexOf(last.severity)) Object.assign(last, { severity, inside });
    } else shown.push({ at, severity, inside });
  }
  return shown.map(({ at, severity, inside }) =>
    svg("g", {},
      svg("path", { class: `stem s-${severity}-line`, d: `M${at.toFixed(1)} ${PINS - 8}V${foot + (inside ? OWNED + GAP : OWNED)}` }),
      sign(severity, at, PINS - 12, 7)));
}

/**
 * The sign of a severity: an octagon, a triangle, a ring.
 * @param {Severity} severity
 * @param {number} x
 * @param {number} y
 * @param {number} r
 */
function sign(severity, x, y, r) {
  if (severity === "note") return svg("circle", { class: "s-note", cx: x, cy: y, r: r * 0.6 });
  const [corners, turn] = severity === "danger" ? [8, Math.PI / 8] : [3, -Math.PI / 2];
  const points = Array.from({ length: corners }, (_, corner) => {
    const angle = turn + (corner * 2 * Math.PI) / corners;
    return `${(x + r * Math.cos(angle)).toFixed(1)},${(y + r * Math.sin(angle)).toFixed(1)}`;
  });
  return svg("polygon", { class: `s-${severity}`, points: points.join(" ") });
}


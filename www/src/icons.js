// The signs of the page. Each verdict has a shape of its own, so that it is never told by colour alone.

import { svg } from "./dom.js";

/** @type {Record<string, () => SVGElement[]>} */
const SHAPES = {
  // An octagon with a bar, as on a road.
  code: () => [
    svg("path", { class: "solid", d: "M7.6 1.5h8.8l6.1 6.1v8.8l-6.1 6.1H7.6l-6.1-6.1V7.6z" }),
    svg("path", { class: "cut", d: "M6.6 12h10.8" }),
  ],
  // A triangle with an exclamation mark.
  caution: () => [
    svg("path", { class: "solid", d: "M12 1.8 23 21.4H1z" }),
    svg("path", { class: "cut", d: "M12 9v5.4M12 17.6v.2" }),
  ],
  // A ring that is not closed.
  unfinished: () => [
    svg("path", { class: "line", d: "M12 2.5a9.5 9.5 0 1 1-8.9 6.2" }),
    svg("path", { class: "line", d: "M9.3 9.4a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2.9-1.2 1.8v.3M12 17.3v.2" }),
  ],
  // A disc with a tick.
  "just-data": () => [
    svg("circle", { class: "solid", cx: 12, cy: 12, r: 10.5 }),
    svg("path", { class: "cut", d: "m7 12.4 3.4 3.4L17 8.9" }),
  ],
  waiting: () => [svg("circle", { class: "line faint", cx: 12, cy: 12, r: 9.5 })],
  busy: () => [
    svg("circle", { class: "line faint", cx: 12, cy: 12, r: 9.5 }),
    svg("path", { class: "line turn", d: "M12 2.5a9.5 9.5 0 0 1 9.5 9.5" }),
  ],
  chevron: () => [svg("path", { class: "line", d: "m9 6 6 6-6 6" })],
};

/**
 * @param {keyof typeof SHAPES} name
 * @returns {SVGElement} decoration: the words beside it say the same
 */
export function icon(name) {
  return svg("svg", { class: `icon icon-${name}`, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, SHAPES[name]());
}

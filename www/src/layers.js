// The tree of layers: the file, and what was found inside it.

import { coverageBar } from "./coverage.js";
import { h } from "./dom.js";
import { say, size } from "./language.js";
import { visible } from "./wording.js";

/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").FileReport} FileReport */

/** Layers of one parent that are shown at once. */
const PART = 50;
/** A tree up to this size is opened whole. */
const SMALL = 60;

/**
 * @param {FileReport} report
 * @param {(layer: Layer) => void} choose
 * @returns {{ element: HTMLElement, mark(layer: Layer): void }}
 */
export function layerTree(report, choose) {
  /** @type {Map<number | null, Layer[]>} */
  const inside = new Map();
  for (const layer of report.layers) {
    const siblings = inside.get(layer.parent);
    if (siblings) siblings.push(layer);
    else inside.set(layer.parent, [layer]);
  }
  const parents = new Map(report.layers.map((layer) => [layer.id, layer.parent]));
  const tellTale = ancestry(report, parents);
  /** @type {Map<number, HTMLButtonElement>} */
  const buttons = new Map();
  /** @type {Map<number, number>} */
  const findings = new Map();
  for (const { layer, severity } of report.findings) {
    if (severity !== "note") findings.set(layer, (findings.get(layer) ?? 0) + 1);
  }

  /**
   * @param {Layer[]} layers
   * @returns {HTMLElement}
   */
  const branch = (layers) => {
    const list = h("ul.layers");
    let shown = 0;
    const more = h("button.link", { type: "button", click: () => grow() });
    const grow = () => {
      const next = layers.slice(shown, shown + PART);
      shown += next.length;
      list.append(...next.map(node));
      more.textContent = say("answer.more", { count: layers.length - shown });
      if (shown < layers.length) list.append(h("li.more", {}, more));
      else more.parentElement?.remove();
    };
    grow();
    return list;
  };

  /**
   * @param {Layer} layer
   * @returns {HTMLElement}
   */
  const node = (layer) => {
    const children = inside.get(layer.id) ?? [];
    const found = findings.get(layer.id) ?? 0;
    const button = h("button.layer", { type: "button", "aria-pressed": "false", click: () => choose(layer) },
      h("span.layer-name", {}, h("bdi", {}, visible(nameOf(layer)) || say("answer.layer.unnamed"))),
      h("span.layer-facts", {},
        h("span.format", {}, layer.formats.join(" + ") || say("answer.layer.unknown")), " · ", size(layer.len),
        layer.stops.length ? h("span.mark", {}, ` · ${say(`verdict.stop.${layer.stops[0].kind}`)}`) : null,
        found ? h("span.mark.found", {}, ` · ${say("answer.layer.findings", { count: found })}`) : null),
      coverageBar(layer));
    buttons.set(layer.id, button);
    const item = h("li", {}, button);
    if (children.length) {
      const open = report.layers.length <= SMALL || tellTale.has(layer.id);
      const fold = h("details.inside", { open },
        h("summary", {}, say("answer.layer.inside", { count: children.length })));
      const show = () => fold.open && fold.childElementCount === 1 && fold.append(branch(children));
      fold.addEventListener("toggle", show);
      show();
      item.append(fold);
    }
    return item;
  };

  return {
    element: branch(inside.get(null) ?? []),
    mark(layer) {
      for (const [id, button] of buttons) button.setAttribute("aria-pressed", String(id === layer.id));
    },
  };
}

/**
 * @param {Layer} layer
 * @returns {string} its name; of the file itself without the folders, which its row shows
 */
export function nameOf(layer) {
  return layer.parent === null ? layer.name.slice(layer.name.lastIndexOf("/") + 1) : layer.name;
}

/**
 * @param {FileReport} report
 * @param {Map<number, number | null>} parents
 * @returns {Set<number>} the layers around the first findings: the ones that are opened
 */
function ancestry(report, parents) {
  const all = new Set([0]);
  for (const { layer, severity } of report.findings.slice(0, 100)) {
    if (severity === "note") continue;
    for (let at = parents.get(layer); at !== null && at !== undefined && !all.has(at); at = parents.get(at)) all.add(at);
  }
  return all;
}

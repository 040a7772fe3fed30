// Who owns the bytes of one layer: as a bar, as a picture to go into, as bytes, and as a list.

import { h, refill } from "./dom.js";
import { HexWindow } from "./hex.js";
import { count, say, share, size } from "./language.js";
import { BytePicture } from "./map.js";
import { savePicture } from "./poster.js";
import { OWNERS, place, visible } from "./wording.js";

/** @typedef {import("./contract").FileReport} FileReport */
/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./contract").MapRow} MapRow */
/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./map.js").Inside} Inside */
/** @typedef {import("./layer-bytes.js").LayerBytes} LayerBytes */

/** Several results may be open at once, and each has a picture. */
let pictures = 0;

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
 * @param {object} about
 * @param {Layer} about.layer
 * @param {Finding[]} about.findings of this layer
 * @param {Inside[]} about.inside the layers in it
 * @param {LayerBytes | null} about.bytes null where the file cannot be read
 * @param {(layer: Layer) => void} about.enter goes into a layer inside
 * @param {() => import("./poster.js").Caption} about.caption what stands on a picture that is saved
 * @returns {{ element: HTMLElement, select(from: number, to: number): void }}
 */
export function coverageOf({ layer, findings, inside, bytes, enter, caption }) {
  const legend = h("ul.legend", {}, OWNERS.map((owner) => {
    const amount = layer.coverage[owner];
    return h(amount ? "li" : "li.none", { title: say(`map.owner.${owner}.says`) },
      h(`span.swatch.owner-${owner}`), h("span.name", {}, say(`map.owner.${owner}.name`)), " ",
      h("span.amount", {}, amount ? `${share(amount, layer.len)} · ${size(amount)}` : say("map.none")));
  }));
  const element = h("div.coverage", {}, legend);
  const map = layer.map ?? [];
  if (!layer.len || !map.length) return { element, select() {} };

  const help = `map-keys-${(pictures += 1)}`;
  const picture = new BytePicture(layer, findings, inside, bytes, help);
  const hex = bytes && new HexWindow(layer.len, (offset, length) => bytes.read(offset, length), () => picture.rows);
  const chosen = h("p.chosen", { "aria-live": "polite" });
  const button = (/** @type {string} */ words, /** @type {() => void} */ click, /** @type {string} */ sign) =>
    h("button.tool", { type: "button", click, "aria-label": words, title: words }, h("span", { "aria-hidden": "true" }, sign));
  const closer = button(say("map.closer"), () => picture.zoom(4), "+");
  const farther = button(say("map.farther"), () => picture.zoom(1 / 4), "−");
  const left = button(say("map.left"), () => picture.move(-0.6), "←");
  const right = button(say("map.right"), () => picture.move(0.6), "→");
  const zoomIn = h("button", { type: "button", click: () => picture.zoomToSelected() }, say("map.zoom-in"));
  const zoomOut = h("button", { type: "button", click: () => picture.whole() }, say("map.zoom-out"));
  const into = h("button", { type: "button", click: () => picture.entrance && enter(picture.entrance) });
  const part = h("span.in-view");
  const crumbs = h("p.view-line", {}, part);

  const view = () => {
    const { from, to } = picture;
    refill(part, picture.zoomed
      ? say("map.part", { from: place(from), to: place(to), bytes: say("amount.bytes", { count: to - from }), share: share(to - from, layer.len) })
      : say("map.all", { size: size(layer.len) }));
    closer.disabled = picture.closest;
    farther.disabled = zoomOut.disabled = !picture.zoomed;
    left.disabled = from === 0;
    right.disabled = to === layer.len;
  };
  picture.addEventListener("view", view);
  picture.addEventListener("enter", (event) => enter(/** @type {CustomEvent<Layer>} */ (event).detail));
  picture.addEventListener("select", () => {
    const [start, end, owner, what] = picture.selected;
    refill(chosen,
      h(`span.swatch.owner-${owner}`), " ", h("strong", {}, say(`map.owner.${owner}.name`)), what ? [": ", h("bdi", { lang: "en" }, visible(what))] : null,
      h("span.range", {}, ` ${place(start)} – ${place(end)} · ${say("amount.bytes", { count: end - start })}`));
    zoomIn.disabled = end - start >= layer.len;
    const { entrance } = picture;
    into.hidden = !entrance;
    if (entrance) refill(into, h("span", {}, say("map.enter")), h("bdi", {}, visible(entrance.name)));
    hex?.show(picture.place, picture.marks);
  });
  if (hex) hex.went = (offset) => { if (offset < picture.from || offset >= picture.to) picture.show(offset - (picture.to - picture.from) / 2, offset + (picture.to - picture.from) / 2); };
  const saved = (/** @type {"png" | "svg"} */ kind) => () => savePicture(picture.scene, layer, caption(), kind);
  element.append(
    crumbs,
    picture.element,
    h("div.picture-tools", {},
      h("div.buttons", {}, farther, closer, left, right, zoomIn, zoomOut),
      h("div.buttons", {},
        h("button", { type: "button", click: saved("png") }, say("map.save", { format: "PNG" })),
        h("button", { type: "button", click: saved("svg") }, say("map.save", { format: "SVG" })))),
    h("p.quiet.how", { id: help }, say("map.keys")),
    h("div.picked", {}, chosen, into),
    bytes && !bytes.lieInFile ? h("p.quiet", {}, say("map.decoded")) : "",
    hex ? hex.element : h("p.quiet", {}, say("map.gone")),
    listOfRanges(map, (row) => picture.select(row[0])),
  );
  // The picture needs its width before it can be drawn.
  requestAnimationFrame(() => {
    picture.whole();
    picture.select(findings.find(({ severity }) => severity !== "note")?.offset ?? 0);
  });
  return {
    element,
    select(from, to) {
      // So that what is shown stands out, and what is around it is still seen.
      const span = Math.max((to - from) * 8, 256);
      picture.show(from - span / 2, to + span / 2);
      picture.select(from);
      picture.element.scrollIntoView({ block: "nearest" });
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
        h("thead", {}, h("tr", {}, ["from", "bytes", "owner", "what"].map((column) => h("th", { scope: "col" }, say(`map.column.${column}`))))),
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

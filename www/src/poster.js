// The picture of a file, to keep and to share: the verdict, what is shown of the bytes, and what the colours mean. It
// names neither the file nor what is inside it: names may be those of patients.

import { draw, rowsOf } from "./drawing.js";
import { svg } from "./dom.js";
import { icon } from "./icons.js";
import { language, say, share, size } from "./language.js";
import { save } from "./save.js";
import { OWNERS, place } from "./wording.js";

/** @typedef {import("./contract").Layer} Layer */
/** @typedef {import("./drawing.js").Scene} Scene */

/**
 * @typedef {object} Caption
 * @property {import("./contract").Verdict} verdict
 * @property {string} answer the sentence about the file
 * @property {string} format
 * @property {string} version
 * @property {HTMLElement} styled an element in whose colours it is painted
 */

const WIDTH = 1200;
const MARGIN = 48;
/** Pixels of the bitmap for one of the drawing. */
const SCALE = 2;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";

/**
 * @param {Scene} scene
 * @param {Layer} layer
 * @param {Caption} caption
 * @param {"png" | "svg"} kind
 */
export async function savePicture(scene, layer, caption, kind) {
  const text = new XMLSerializer().serializeToString(poster(scene, layer, caption));
  const name = "just-data-picture";
  if (kind === "svg") {
    save(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`, `${name}.svg`, "image/svg+xml");
    return;
  }
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * SCALE;
  canvas.height = image.height * SCALE;
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) save(blob, `${name}.png`, "image/png");
}

/**
 * @param {Scene} scene
 * @param {Layer} layer
 * @param {Caption} caption
 * @returns {SVGElement}
 */
function poster(scene, layer, { verdict, answer, format, version, styled }) {
  const inner = WIDTH - 2 * MARGIN;
  // The names of layers are those of their formats here.
  const nameless = { ...scene, selected: null, children: scene.children.map((child) => ({ ...child, name: child.format })) };
  const lines = wrapped(answer, 92).slice(0, 3);
  const top = 126 + lines.length * 26;
  const picture = draw(nameless, inner);
  const height = top + 30 + rowsOf(scene.nests).height + 92;
  const part = scene.from > 0 || scene.to < layer.len
    ? say("map.part", { from: place(scene.from), to: place(scene.to), bytes: say("amount.bytes", { count: scene.to - scene.from }), share: share(scene.to - scene.from, layer.len) })
    : "";
  const sign = icon(verdict);
  for (const [name, value] of Object.entries({ x: MARGIN, y: 40, width: 46, height: 46 })) sign.setAttribute(name, String(value));
  let x = MARGIN;
  const legend = OWNERS.filter((owner) => layer.coverage[owner] || scene.children.some(({ map }) => map.some((row) => row[2] === owner))).map((owner) => {
    const words = [say(`map.owner.${owner}.name`), layer.coverage[owner] ? share(layer.coverage[owner], layer.len) : ""].join(" ").trim();
    const at = x;
    x += 44 + words.length * 8.2;
    return svg("g", { transform: `translate(${at} ${height - 62})` },
      svg("rect", { class: `o-${owner}`, width: 16, height: 16, rx: 3 }),
      svg("rect", { fill: owner === "structure" ? "none" : `url(#${patternsOf(picture)}-${owner})`, width: 16, height: 16, rx: 3 }),
      svg("text", { class: "said", x: 23, y: 13 }, words));
  });
  return svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, lang: language(), role: "img" },
    svg("title", {}, `${say(`verdict.${verdict}.name`)}: ${answer}`),
    svg("style", {}, styleOf(styled)),
    svg("rect", { class: "paper", width: WIDTH, height }),
    sign,
    svg("text", { class: `verdict v-${verdict}`, x: MARGIN + 62, y: 75 }, say(`verdict.${verdict}.name`)),
    lines.map((line, index) => svg("text", { class: "answer", x: MARGIN, y: 122 + index * 26 }, line)),
    svg("text", { class: "said", x: MARGIN, y: top + 6 }, [format, size(layer.len), part].filter(Boolean).join(" · ")),
    svg("g", { transform: `translate(${MARGIN} ${top + 24})` }, picture),
    legend,
    svg("text", { class: "said quiet", x: MARGIN, y: height - 18 }, say("map.poster", { version })));
}

/** @param {SVGElement} drawing */
function patternsOf(drawing) {
  return /** @type {Element} */ (drawing.querySelector("pattern")).id.replace(/-[a-z]+$/, "");
}

/**
 * The classes of the drawing, with the colours of the moment written out: a saved picture has no page around it.
 * @param {HTMLElement} styled
 */
function styleOf(styled) {
  const probe = document.createElement("span");
  probe.hidden = true;
  styled.append(probe);
  const colour = (/** @type {string} */ name) => {
    probe.style.setProperty("color", `var(--${name})`);
    return getComputedStyle(probe).color;
  };
  const owners = OWNERS.map((owner) => `.o-${owner}{fill:${colour(`owner-${owner}`)}}`).join("");
  const [ink, quiet, paper, sunk, edge, danger, warning] = ["ink", "quiet", "paper", "sunk", "edge", "code", "caution"].map(colour);
  const verdicts = ["code", "caution", "unfinished", "just-data"].map((verdict) =>
    `.v-${verdict}{fill:${colour(verdict)}}.icon-${verdict}{color:${colour(verdict)}}`).join("");
  const cut = colour("cut");
  probe.remove();
  return `text{font-family:${FONT};fill:${ink}}.paper{fill:${paper}}.verdict{font-size:32px;font-weight:700}.answer{font-size:19px}
.said{font-size:15px}.quiet{fill:${quiet}}${owners}${verdicts}.solid{fill:currentColor}.cut{fill:none;stroke:${cut};stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.line{fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round}.mark{stroke:${ink};stroke-opacity:.45;fill:none}.dot{fill:${ink};fill-opacity:.35}
.edge{fill:none;stroke:${paper};stroke-opacity:.6}.plate{fill:${paper};fill-opacity:.9}.label,.name,.value{font-size:11.5px}.value{font-family:ui-monospace,monospace}
.place{font-size:11px;fill:${quiet}}.tick{stroke:${quiet}}.bed{fill:${sunk}}.child{fill:${paper};stroke:${edge}}.varied{fill:${quiet};fill-opacity:.3}.varied-line{fill:none;stroke:${quiet};stroke-width:1.2}
.s-danger{fill:${danger}}.s-warning{fill:${warning}}.s-note{fill:${quiet}}.stem{stroke-width:1.6}.s-danger-line{stroke:${danger}}.s-warning-line{stroke:${warning}}.s-note-line{stroke:${quiet}}`;
}

/**
 * @param {string} text
 * @param {number} most characters in a line, about
 * @returns {string[]}
 */
function wrapped(text, most) {
  // Scripts without spaces may break anywhere, and their characters are wide.
  const wide = /[\u3000-\u9fff\uff00-\uffef]/.test(text);
  const words = wide ? [...text] : text.split(" ");
  const room = wide ? most / 2 : most;
  const lines = [""];
  for (const word of words) {
    const last = lines.length - 1;
    const longer = lines[last] + (lines[last] && !wide ? " " : "") + word;
    if (longer.length > room && lines[last]) lines.push(word);
    else lines[last] = longer;
  }
  return lines;
}

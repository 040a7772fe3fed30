// How findings, stops and layers are told, wherever they are.

import { h } from "./dom.js";
import { language, parts, say, told } from "./language.js";
import { SEVERITIES, visible } from "./wording.js";

/** @typedef {import("./contract").Finding} Finding */
/** @typedef {import("./contract").Layer} Layer */

/**
 * @param {Finding[]} findings
 * @returns {Finding[]} worst first
 */
export function ordered(findings) {
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

/**
 * @param {import("./contract").Stop} stop
 * @returns {import("./dom.js").Child} its kind and its reason
 */
export function stopped({ kind, message, words }) {
  const name = say(`verdict.stop.${kind}`);
  // Some reasons say no more than their kind, or begin with it.
  if (kind === "unknown-format" || kind === "cancelled") return sentence(name);
  const reason = visible(message).replace(/^(could not be read|encrypted|not decoded): /i, "");
  return parts("verdict.stop.because", { stop: name, reason: words ? told(words) : english(sentence(reason)) });
}

/**
 * @param {Layer} layer
 * @param {Map<string, string>} formats
 */
export function formatNames(layer, formats) {
  const names = layer.formats.map((id) => formats.get(id) ?? id);
  return names.length > 1 ? new Intl.ListFormat(language(), { type: "conjunction" }).format(names) : (names[0] ?? "");
}

/**
 * @param {import("./contract").FileReport} report
 * @param {Map<string, string>} formats
 * @returns {string} what the file is; of one that little more than wraps another, what that one is, and in what
 */
export function kindOfFile({ layers }, formats) {
  const names = [];
  for (let at = /** @type {Layer | undefined} */ (layers[0]); at; at = wrapped(at, layers)) {
    const name = formatNames(at, formats);
    if (!name) break;
    names.push(name);
  }
  return names.reduceRight((content, container) => content ? say("answer.fact.wrapped", { content, container }) : container, "");
}

/**
 * @param {Layer} layer
 * @param {Layer[]} layers
 * @returns {Layer | undefined} what most of the layer holds, where it is one thing
 */
function wrapped({ id, len, coverage }, layers) {
  if (coverage.nested * 2 < len) return undefined;
  const children = layers.filter(({ parent }) => parent === id);
  return children.length === 1 ? children[0] : undefined;
}

/**
 * @param {Layer} layer
 * @param {Map<number, Layer>} byId
 * @returns {Layer[]} from the file to this layer
 */
export function lineage(layer, byId) {
  const line = [];
  for (let at = /** @type {Layer | undefined} */ (layer); at; at = at.parent === null ? undefined : byId.get(at.parent)) line.unshift(at);
  return line;
}

/**
 * @param {Layer} layer
 * @param {Map<number, Layer>} byId
 * @returns {string} the names from the file to this layer
 */
export function path(layer, byId) {
  return lineage(layer, byId).map(({ name }) => name).join(" › ");
}

/**
 * The address of a rule's description.
 * @param {string} page that describes all rules; empty for the present one
 * @param {string} id of the rule
 */
export function ruleAddress(page, id) {
  return `${page}#${encodeURIComponent(id)}`;
}

/**
 * @param {string} address from the core, never from a file
 * @returns {Node}
 */
export function link(address) {
  if (!/^https:\/\//.test(address)) return document.createTextNode(address);
  return h("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, address.replace(/^https:\/\//, ""));
}

/**
 * @param {string} text of the core
 * @returns {HTMLElement}
 */
export function english(text) {
  return h("span", { lang: "en" }, text);
}

/** @param {string} text */
export function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

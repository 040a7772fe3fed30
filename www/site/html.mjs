// HTML from plain values, for the build: whatever is no piece of HTML already is text, and is escaped.

/** A piece of HTML that was made here. */
class Html {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

const VOID = new Set(["br", "hr", "img", "input", "link", "meta"]);

/**
 * @param {string} tag name, then classes after dots: "p.message.wide"
 * @param {Record<string, any>} [attributes] `true` is an empty attribute; false and null are none
 * @param {...any} children
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const all = classes.length ? { class: classes.join(" "), ...attributes } : attributes;
  const given = Object.entries(all).filter(([, value]) => value !== false && value != null);
  const open = `<${name}${given.map(([key, value]) => (value === true ? ` ${key}` : ` ${key}="${escaped(value)}"`)).join("")}>`;
  return new Html(VOID.has(name) ? open : `${open}${fragment(children)}</${name}>`);
}

/** Children one after the other. */
export function fragment(...children) {
  const shown = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  return new Html(shown.map((child) => (child instanceof Html ? child.text : escaped(child))).join(""));
}

/** HTML that was written by hand in this repository. */
export function raw(text) {
  return new Html(text);
}

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);
}

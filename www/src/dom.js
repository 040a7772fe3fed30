// Elements from plain values. Text is only ever a text node: nothing here parses HTML.

/**
 * @typedef {Node | string | number | null | undefined | false | Child[]} Child
 */

/**
 * @param {string} tag name, then classes after dots: "p.message.wide"
 * @param {Record<string, any>} [attributes] a function is a listener, `true` an empty attribute, `false` and null none
 * @param {...Child} children
 * @returns {any} the element; `any`, so that callers may use the members of its own kind
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  return fill(attribute(element, attributes), ...children);
}

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(attribute(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes), ...children);
}

/**
 * Puts these children in place of those that are there.
 * @template {Node & { replaceChildren(): void }} E
 * @param {E} element
 * @param {...Child} children
 * @returns {E}
 */
export function refill(element, ...children) {
  element.replaceChildren();
  return fill(element, ...children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, any>} attributes
 * @returns {E}
 */
function attribute(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  return element;
}

/**
 * @template {Node} E
 * @param {E} element
 * @param {...Child} children
 * @returns {E}
 */
function fill(element, ...children) {
  for (const child of /** @type {any[]} */ (children).flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

// Elements. Every text goes through here, as text: nothing that came from outside becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/** Without what has no picture of its own: controls, and marks that turn the reading order around. */
export function clean(text) {
  return String(text).replace(/[^\P{C}\n\t]/gu, "\ufffd");
}

/** An element with attributes (`onclick` and the like are listeners) and children; null is left out. */
export function el(name, attributes = {}, ...children) {
  return fitted(document.createElement(name), attributes, children);
}

/** As `el`, of a drawing. */
export function svg(name, attributes = {}, ...children) {
  return fitted(document.createElementNS(SVG, name), attributes, children);
}

/** What came from outside, kept from turning around what stands beside it. */
export function foreign(text, attributes = {}) {
  return el("bdi", attributes, text);
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/** Set an element's text, only where it is another: a screen reader speaks what is set. */
export function say(element, text) {
  const wanted = clean(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

export function byId(id) {
  return document.getElementById(id);
}

function fitted(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : clean(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : document.createTextNode(clean(child))));
}

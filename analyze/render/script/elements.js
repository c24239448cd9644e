// Elements. Texts of the capture become text nodes: nothing here makes markup of a string.
const kSvg = ["http", "//www.w3.org/2000/svg"].join(":");  // a name: a page that is searched for addresses has none

// Children: elements and texts; null and false are left out. "on…" attributes are handlers.
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter(c => c !== null && c !== undefined && c !== false));
  return element;
}
const make = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const draw = (name, attributes, ...children) => fill(document.createElementNS(kSvg, name), attributes, children);

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

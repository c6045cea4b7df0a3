// Makes elements: texts stay texts, whatever is in them.

/**
 * An element with children. A text among them becomes text and never markup; `undefined` is left out.
 *
 * @param {string} name a tag, with classes behind dots: `button.small`
 * @param {Record<string, unknown>} [properties] attributes by name; functions are listeners: `onclick`; `undefined` and `false` are left out
 * @param {...(Node | string | undefined)} children
 */
export function element(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElement(tag), classes, properties, children);
}

/** The same for drawings: an element of SVG. */
export function drawing(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), classes, properties, children);
}

function fill(made, classes, properties, children) {
  if (0 < classes.length) made.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** The element of an id, which the page has. */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

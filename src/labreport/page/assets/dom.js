const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an element. Children that are strings become text nodes, so data can never become markup;
 * null and false are left out. An attribute `onclick: f` listens; one that is null or false is absent.
 */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Return an element of SVG; the rest as in `el`. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

export const byId = (id) => document.getElementById(id);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== false));
  return element;
}

/** Return a button that does something, for its visible name. */
export function button(name, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, name);
}

/** Return a button that copies a text, and says so. */
export function copyButton(text, what) {
  const own = button("Copy", copy, { class: "quiet copy", "aria-label": `Copy ${what}` });
  async function copy() {
    const done = await copied(text);
    own.textContent = done ? "Copied" : "Press Ctrl+C";
    announce(done ? `Copied ${what}` : "Select the text and press Ctrl+C");
    setTimeout(() => { own.textContent = "Copy"; }, 1500);
  }
  return own;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // a browser may refuse this to a page from the disk
  }
}

/** Return a heading that the eye does not need. */
export const heading = (text) => el("h2", { class: "hidden" }, text);

/** Tell a screen reader what a change on the screen tells the eye. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Return some elements, of which the ones after the first `shown` wait behind a button. */
export function abridged(elements, shown, what) {
  if (elements.length <= shown + 1) return elements;
  const rest = elements.slice(shown);
  const more = button(`${rest.length} more ${what}`, () => {
    more.replaceWith(...rest);
    (rest[0].querySelector("a, button") ?? rest[0]).focus();
  }, { class: "quiet more" });
  return [...elements.slice(0, shown), more];
}

/** Return a text in which names in backticks, as docstrings write them, are code. */
export function prose(text) {
  return text.split(/`+([^`]+)`+/).map((part, at) => (at % 2 ? el("code", {}, part) : part));
}

/** Return a number with few digits, as a reader wants it beside others. */
export function short(number) {
  if (typeof number !== "number" || Number.isInteger(number)) return String(number);
  return String(Number(number.toPrecision(4))).replace("e-", "e−").replace(/^-/, "−");
}

/** Return a count with commas between thousands; the browser's own way takes 40 ms at the first call. */
export const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

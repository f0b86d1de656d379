import {copyButton, el} from "./dom.js";

/** Return source code with its line numbers; `lines` are lists of tokens, each a class and a text. */
export function source(lines, first) {
  const rows = lines.map((tokens) => el("span", { class: "row" },
    tokens.map(([kind, text]) => (kind ? el("span", { class: `tok-${kind}` }, text) : text)), "\n"));
  const style = `--first: ${first - 1}; --digits: ${String(first + lines.length).length}`;
  return el("pre", { class: "source", style, tabindex: 0, role: "region", "aria-label": "Source code" },
    el("code", {}, rows));
}

/** Return the source of a function, under its place. */
export function sourceOf(code) {
  const text = code.lines.map((tokens) => tokens.map((token) => token[1]).join("")).join("\n");
  return el("div", { class: "listing" },
    el("div", { class: "bar" }, el("code", {}, `${code.file}:${code.line}`), copyButton(text, "the code")),
    source(code.lines, code.line));
}

/** Return the entries of some functions, each of which opens its source. */
export function listings(keys, codes, open = false) {
  return keys.filter((key) => Object.hasOwn(codes, key)).map((key) => listing(codes[key], open));
}

function listing(code, open) {
  const details = el("details", { class: "function", open },
    el("summary", {}, el("code", {}, code.name), el("span", { class: "muted" }, ` ${code.file}`)));
  // a long list of functions is quick to open since the source is made when it is asked for
  const fill = () => { if (details.open && details.children.length === 1) details.append(sourceOf(code)); };
  details.addEventListener("toggle", fill);
  fill();
  return details;
}

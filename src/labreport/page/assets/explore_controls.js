import {el} from "./dom.js";

/** Return a menu with its label. */
export function menu(label, options, chosen, onchoose) {
  const select = el("select", { onchange: () => onchoose(select.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return el("label", { class: "explore-field" }, label, select);
}

/** Return a box to tick with its label. */
export function tick(label, checked, ontick, mark = null) {
  const box = el("input", { type: "checkbox", checked, onchange: () => ontick(box.checked) });
  return el("label", { class: "explore-tick" }, box, mark, label);
}

/** Return two fields for the ends of a range; an empty one leaves that end open. */
export function rangeFields(name, [least, greatest], onrange) {
  const field = (end, hint) => el("input", {
    type: "number", step: "any", placeholder: rounded(hint), "aria-label": `${name}, ${end}`, oninput: tell,
  });
  const [from, to] = [field("from", least), field("to", greatest)];
  function tell() {
    const [low, high] = [from, to].map((input) => (input.value === "" ? null : input.valueAsNumber));
    // while a number is being typed, the ends may be the wrong way round
    onrange(low !== null && high !== null && low > high ? [high, low] : [low, high]);
  }
  function set([low, high]) {
    for (const [input, value] of [[from, low], [to, high]]) input.value = value === null ? "" : rounded(value);
  }
  return { element: el("span", { class: "explore-range" }, from, " – ", to), set };
}

function rounded(number) {
  const short = Number(number.toPrecision(6));
  return short !== 0 && Math.abs(short) < 1e-3 ? short.toExponential() : String(short);
}

/** Return a group of fields under a name. */
export function group(name, ...children) {
  return el("fieldset", { class: "explore-group" }, el("legend", {}, name), children.flat());
}

/** Return the mark of a curve beside its name: a piece of its line. */
export function swatch(colour = "currentColor", dash = "solid") {
  const mark = el("span", { class: "explore-swatch", "aria-hidden": "true" });
  paint(mark, colour, dash);
  return mark;
}

/** Give a mark another colour and dash. */
export function paint(mark, colour, dash) {
  mark.style.borderTop = `3px ${typeof dash === "string" ? dash : "dashed"} ${colour}`;
}

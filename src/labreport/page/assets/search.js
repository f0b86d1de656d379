import {announce, byId, el} from "./dom.js";
import {go, hashOf} from "./route.js";
import {model, nameOf, thingsByKey, titleOf, whereOf} from "./store.js";
import {focusThing, markFound} from "./viewer.js";

const FEW = 5;
const SNIPPET = 32;
const DIGITS = 8;

/**
 * What can be found: as it is shown, as it is compared, and with other ways to write it, which are found, too.
 * @typedef {{text: string, folded: string, findable: string, note: string, hash: string, boxes?: Array, page?: number}} Entry
 */

/** What can be found, by group: made when someone first searches. */
let groups = null;
let found = [];
let active = -1;

/** Forget what can be found: the model is another. */
export function resetSearch() {
  groups = null;
}

/** Return a text without ligatures and other forms of letters: what is compared, and shown as found. */
const plainText = (text) => text.normalize("NFKC");

/** Return a plain text as it is compared, letter by letter: no capitals, one kind of blank and minus. */
function fold(plain) {
  // "İ" alone would become two letters, and the places of those after it others
  return plain.replaceAll("İ", "I").toLowerCase().replace(/[\u2212\u2013]/g, "-").replace(/\s/g, " ");
}

/** Return the words of a query; there are none among blanks, which "´" has in it, too, and "10^3" is written 10³. */
const wordsIn = (query) => fold(plainText(query)).replaceAll("^", "").split(" ").filter(Boolean);

function entryOf(text, hash, note = "", others = []) {
  const plain = plainText(text);
  const folded = fold(plain);
  return { text: plain, folded, findable: [folded, ...others].join("\n"), note, hash };
}

function prepared() {
  const things = model.things.filter((thing) => thing.at.length > 0);
  const of = (kind, name, note = whereOf, others = () => []) => things.filter((thing) => thing.kind === kind)
    .map((thing) => entryOf(name(thing), `#${thing.id}`, note(thing), others(thing)));
  return [
    ["Values", of("value", valueText, (thing) => `${lastOf(thing.keys[0] ?? "")} ${whereOf(thing)}`, typedForms)],
    ["Claims", of("claim", (thing) => `${thing.sentence} (${thing.name})`)],
    ["Questions", of("answer", (thing) => `Answer to ${thing.question}`, whereOf, ({ question }) => [fold(question)])],
    ["Figures", of("figure", (thing) => titleOf(thing) || thing.alt || thing.key)],
    ["Tables", of("table", (thing) => titleOf(thing) || nameOf(thing))],
    ["Experiments", Object.entries(model.experiments).map(([name, { question }]) =>
      entryOf(`${name}: ${question}`, hashOf({ experiment: name })))],
    ["Keys", [...thingsByKey].filter(([, [thing]]) => thing.at.length > 0).map(([key, [thing, ...more]]) =>
      entryOf(key, `#${thing.id}`, more.length > 0 ? `${more.length + 1} places` : whereOf(thing)))],
    ["Code", Object.entries(model.code).map(([key, { name, file }]) => entryOf(name, hashOf({ code: key }), file))],
  ];
}

/** Return the end of a key, which tells equal numbers apart. */
const lastOf = (key) => key.split(".").slice(-2).join(".");

function valueText({ text, value }) {
  if (typeof value !== "number") return text;
  const digits = String(Number(value.toPrecision(DIGITS)));
  return digits === text ? text : `${text}  (${digits})`;
}

/** Return how a value may be typed: with all its digits, without blanks ("66%"), with e for a power of ten. */
function typedForms({ text, value }) {
  const printed = fold(plainText(text));
  return [fold(String(value)), printed.replaceAll(" ", ""), printed.replace(/ ?× ?10(?=-?\d)/, "e")];
}

/** Return the best entries of each group that hold all words of a query. */
function search(words) {
  groups ??= prepared();
  if (words.length === 0) return [];
  const whole = words.join(" ");
  const named = groups.map(([title, entries]) => {
    const hits = entries.filter(({ findable }) => words.every((word) => findable.includes(word)));
    return [title, hits.sort((a, b) => rank(a, whole) - rank(b, whole))];
  });
  const filled = named.filter(([, hits]) => hits.length > 0);
  // who types "Figure 7" looks for it rather than for what mentions it
  filled.sort(([, [a]], [, [b]]) => rank(a, whole) - rank(b, whole));
  return [...filled, ["Text", textHits(whole)]].filter(([, hits]) => hits.length > 0);
}

/** Rank an entry: what is called just so, what begins so, what has it anywhere. */
function rank({ folded, findable }, whole) {
  if (findable.split("\n").includes(whole)) return -1;
  if (folded.startsWith(whole)) return /^\w/.test(folded.slice(whole.length)) ? 1 : 0;
  return findable.includes(whole) ? 2 : 3;
}

function textHits(whole) {
  return model.pages.flatMap((page, at) => hitsOn(pageText(page), whole, at + 1));
}

const texts = new WeakMap();

/** Return a page's lines as one text, in which a sentence is found across lines. */
function pageText(page) {
  if (!texts.has(page)) {
    const lines = [];
    let text = "";
    for (const [x, y, width, height, printed] of page.text) {
      const line = plainText(printed);
      // a word that was divided at the end of a line is found as one
      if (/\p{L}-$/u.test(text) && /^\p{Ll}/u.test(line)) text = text.slice(0, -1);
      else if (text) text += " ";
      lines.push({ x, y, width, height, start: text.length, length: line.length });
      text += line;
    }
    texts.set(page, { text, folded: fold(text), lines });
  }
  return texts.get(page);
}

function hitsOn(page, whole, number) {
  const hits = [];
  for (let at = page.folded.indexOf(whole); at >= 0; at = page.folded.indexOf(whole, at + whole.length)) {
    const boxes = boxesOf(page, at, at + whole.length);
    const [from, to] = [Math.max(0, at - SNIPPET), at + whole.length + SNIPPET];
    const text = `${from > 0 ? "…" : ""}${page.text.slice(from, to)}${to < page.text.length ? "…" : ""}`;
    hits.push({ text, folded: fold(text), note: `p. ${number}`, hash: hashOf({ page: number, y: boxes[0][1] }), boxes, page: number });
  }
  return hits;
}

/** Return where characters of a page's text stand: of each line the part, by its share of the characters. */
function boxesOf({ lines }, from, to) {
  return lines.flatMap(({ x, y, width, height, start, length }) => {
    const [begin, end] = [Math.max(from - start, 0), Math.min(to - start, length)];
    const letter = width / length;
    return begin < end ? [[x + begin * letter, y, (end - begin) * letter, height]] : [];
  });
}

/** Return a text in which the words that were looked for are marked. */
function marked({ text, folded }, words) {
  const parts = [];
  let done = 0;
  while (done < text.length) {
    const [at, word] = words.map((candidate) => [folded.indexOf(candidate, done), candidate])
      .filter(([place]) => place >= 0).sort((a, b) => a[0] - b[0] || b[1].length - a[1].length)[0] ?? [text.length, ""];
    parts.push(text.slice(done, at), at < text.length && el("mark", {}, text.slice(at, at + word.length)));
    done = at + word.length;
  }
  return parts;
}

function render(query, more = null) {
  const words = wordsIn(query);
  found = [];
  active = -1;
  const lists = search(words).map(([title, hits]) => {
    const shown = hits.slice(0, title === more ? 200 : FEW);
    const options = shown.map((hit) => option(hit, words));
    if (shown.length < hits.length && title !== more) options.push(moreOption(title, hits.length, query));
    return el("div", { role: "group", "aria-labelledby": `results-${title}` },
      el("div", { class: "group", id: `results-${title}`, role: "presentation" }, title, el("span", { class: "count" }, String(hits.length))), options);
  });
  const nothing = el("div", { class: "nothing", role: "option", "aria-disabled": "true" }, "Nothing found");
  byId("results").replaceChildren(...(lists.length > 0 ? lists : [nothing]));
  setResults(words.length > 0);
  announce(lists.length > 0 ? `${found.length} results shown` : "Nothing found");
}

function option(hit, words) {
  const choose = () => chosen(hit);
  const own = el("div", { role: "option", id: `option-${found.length}`, "aria-selected": "false", onclick: choose },
    el("span", { class: "what" }, marked(hit, words)), el("span", { class: "where" }, hit.note));
  found.push({ own, choose });
  return own;
}

function moreOption(title, count, query) {
  const choose = () => { render(query, title); activate(0); };
  const own = el("div", { role: "option", id: `option-${found.length}`, class: "all", "aria-selected": "false", onclick: choose },
    `All ${count} in ${title.toLowerCase()}`);
  found.push({ own, choose });
  return own;
}

function chosen(hit) {
  setResults(false);
  go(hit.hash);
  markFound(hit.page, hit.boxes ?? []);
  byId("search").blur();
  focusThing(hit.hash.slice(1));
}

function activate(at) {
  found[active]?.own.setAttribute("aria-selected", "false");
  active = found.length === 0 ? -1 : (at + found.length) % found.length;
  const own = found[active]?.own;
  own?.setAttribute("aria-selected", "true");
  own?.scrollIntoView({ block: "nearest" });
  byId("search").setAttribute("aria-activedescendant", own?.id ?? "");
}

function setResults(open) {
  byId("results").hidden = !open;
  byId("search").setAttribute("aria-expanded", String(open));
  if (!open) byId("search").setAttribute("aria-activedescendant", "");
}

const SEARCH_KEYS = {
  ArrowDown: () => activate(active + 1),
  ArrowUp: () => activate(active < 0 ? -1 : active - 1),
  Enter: () => found[Math.max(active, 0)]?.choose(),
  Escape: () => { setResults(false); byId("search").blur(); },
};

/** Listen to the search field: once. */
export function startSearch() {
  const input = byId("search");
  input.addEventListener("input", () => render(input.value));
  input.addEventListener("focus", () => { if (input.value) render(input.value); });
  input.addEventListener("keydown", (event) => {
    if (!(event.key in SEARCH_KEYS) || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    SEARCH_KEYS[event.key]();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#finder")) setResults(false);
  });
}

import {byId, el, svg} from "./dom.js";
import {go} from "./route.js";
import {clipped, nameOf, thingById, thingsByPage, verdictIn} from "./store.js";

/** What of a thing may be clicked on: itself, or a mark beside it where its inside must stay selectable text. */
const PLACES = { value: whole, figure: whole, claim: whole, excerpt: corner, table: corner, answer: bar };
const ICONS = { excerpt: "M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5", table: "M2 3h12v10H2zM2 6.5h12M6.5 3v10" };
const REACH = 1.5;
/** How far from a value, in pixels, a finger still means it. */
const TOUCH = 8;
/** How far left of text the bar of an answer begins. */
const BAR = 16;

/** The ids of things that say something else than before the report was built again. */
export const changedThings = new Set();

/** Return the buttons of a page's things, in order of the text; one of them is in the order of tabs. */
export function overlay(page, size) {
  const buttons = (thingsByPage.get(page) ?? []).flatMap((thing) => marks(thing, page, size));
  const first = buttons.find((mark) => mark.tagName === "BUTTON");
  if (first) first.tabIndex = 0;
  return el("div", { class: "things", role: "group", "aria-label": `Explained on page ${page}` }, buttons);
}

/** Return a thing's button at its first place on a page, and what shows the others. */
function marks(thing, page, size) {
  const boxes = thing.at.filter((box) => box[0] === page).map((box) => PLACES[thing.kind](box, size));
  const attributes = (box) => ({
    class: ["thing", thing.kind, thing.verdict, thing.said && "said", changedThings.has(thing.id) && "changed"].filter(Boolean).join(" "),
    "data-thing": thing.id, style: styleOf(box),
  });
  const shown = thing.kind === "excerpt" || thing.kind === "table" ? boxes.slice(0, 1) : boxes;
  return shown.map((box, at) => at === 0
    ? el("button", { type: "button", ...attributes(box), "aria-label": labelOf(thing), tabindex: -1 },
      thing.kind === "answer" && el("span", {}, thing.question), thing.kind in ICONS && icon(ICONS[thing.kind]))
    : el("span", { ...attributes(box), "aria-hidden": "true" }));
}

const icon = (path) => svg("svg", { class: "icon", viewBox: "0 0 16 16" }, svg("path", { d: path }));

function labelOf(thing) {
  switch (thing.kind) {
    case "value": return thing.column ? `${nameOf(thing)}, ${thing.column}` : nameOf(thing);
    case "claim": return `Claim, ${verdictIn(thing.verdict, thing.said)}: ${clipped(thing.sentence, 90)}`;
    case "answer": return `Answer to ${thing.question}`;
    default: return `${thing.kind === "excerpt" ? "Code" : thing.kind === "table" ? "Table" : "Figure"}: ${nameOf(thing)}`;
  }
}

/** Return the style that puts an element at a box of a page, at any zoom. */
export function styleOf([x, y, width, height]) {
  return `--x:${x};--y:${y};--w:${width};--h:${height}`;
}

function whole([, x, y, width, height]) {
  return [x - 1, y - 1, width + 2, height + 2];
}

/** Return the place beside a box; beside the text where lines of code, in one wide column, are short. */
function corner([, x, y, width], { width: all, text }) {
  const right = x + width > all / 2 ? Math.max(x + width, ...text.map((line) => line[0] + line[2])) : x + width;
  return [Math.min(right + 4, all - 16), y, 14, 11];
}

/** Return the place left of a box and of all text beside it: a box begins where its first or last lines do. */
function bar([, x, y, , height], { text }) {
  const beside = text.filter((line) => line[1] < y + height && y < line[1] + line[3]);
  const fromRight = beside.sort((a, b) => b[0] + b[2] - a[0] - a[2]);
  const left = fromRight.reduce((free, [from, , width]) => (from + width > free - BAR ? Math.min(from, free) : free), x);
  return [Math.max(left - BAR, 1), y, BAR / 2, height];
}

/** Return the innermost thing at a point of a page, in points, or null: a value, though a claim's last line is as small. */
export function thingAt(page, x, y, tolerance = REACH) {
  const found = [];
  for (const thing of thingsByPage.get(page) ?? []) {
    if (thing.kind === "answer") continue;
    const isValue = thing.kind === "value";
    for (const [on, left, top, width, height] of thing.at) {
      const away = Math.max(left - x, x - left - width, top - y, y - top - height, 0);
      if (on === page && away <= (isValue ? tolerance : 0)) found.push({ thing, isValue, away, area: width * height });
    }
  }
  return found.sort((a, b) => b.isValue - a.isValue || a.away - b.away || a.area - b.area)[0]?.thing ?? null;
}

/** Let clicks, hovering and arrow keys work on all pages' things. */
export function listenForThings(pages) {
  pages.addEventListener("click", (event) => {
    const thing = clicked(event);
    if (!thing) return;
    go(`#${thing.id}`);
    if (isByKey(event)) byId("pane-details").focus(); // which a reader without a mouse could hardly get to
  });
  pages.addEventListener("pointermove", (event) => hover(pages, event));
  pages.addEventListener("pointerleave", () => light(pages, null));
  pages.addEventListener("keydown", move);
  pages.addEventListener("focusin", ({ target }) => {
    if (!target.matches("button.thing")) return;
    rove(target);
    if (target.matches(":focus-visible")) mark(pages, "focused", target.dataset.thing);
  });
  pages.addEventListener("focusout", () => mark(pages, "focused", null));
}

// Enter and Space click without a place
const isByKey = (event) => event.detail === 0;

function clicked(event) {
  const own = event.target.closest("button.thing");
  if (own && isByKey(event)) return thingById.get(own.dataset.thing);
  // who selects text wants no panel
  if (event.target.closest("a") || !getSelection().isCollapsed) return null;
  return under(event) ?? (own ? thingById.get(own.dataset.thing) : null);
}

function under(event) {
  if (event.target.closest(".excerpt, .table, .answer")) return null;
  const page = event.target.closest(".page");
  if (page === null) return null;
  const frame = page.getBoundingClientRect();
  const unit = frame.width / Number(page.style.getPropertyValue("--w"));
  const tolerance = event.pointerType === "touch" ? Math.max(REACH, TOUCH / unit) : REACH;
  return thingAt(Number(page.dataset.page), (event.clientX - frame.left) / unit, (event.clientY - frame.top) / unit, tolerance);
}

function hover(pages, event) {
  if (event.pointerType === "touch") return;
  const own = event.target.closest(".thing");
  light(pages, under(event)?.id ?? own?.dataset.thing ?? null);
}

let lit = null;

function light(pages, id) {
  if (id === lit) return;
  pages.classList.toggle("pointing", id !== null);
  lit = id;
  mark(pages, "hover", id);
}

const DIRECTIONS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Go from thing to thing by the arrow keys, on to the next page, too. */
function move(event) {
  if (!event.target.matches("button.thing") || event.ctrlKey || event.altKey || event.metaKey) return;
  const next = neighbour(event.target, event.key);
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function neighbour(own, key) {
  const here = [...own.closest(".things").querySelectorAll("button.thing")];
  if (key === "Home") return here[0];
  if (key === "End") return here.at(-1);
  if (!(key in DIRECTIONS)) return null;
  const all = [...own.closest("#pages").querySelectorAll("button.thing")];
  return all[all.indexOf(own) + DIRECTIONS[key]];
}

function rove(own) {
  for (const other of own.closest(".things").querySelectorAll('button.thing[tabindex="0"]')) other.tabIndex = -1;
  own.tabIndex = 0;
}

/** Show which thing is open, on all its places; none for null. */
export function markOpen(pages, id) {
  mark(pages, "open", id);
}

/** Let all places of a thing, and of no other, have a class. */
function mark(pages, name, id) {
  for (const place of pages.querySelectorAll(`.thing.${name}`)) place.classList.remove(name);
  if (id) for (const place of pages.querySelectorAll(`[data-thing="${id}"]`)) place.classList.add(name);
}

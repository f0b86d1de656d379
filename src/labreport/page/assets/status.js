import {announce, button, byId, copyButton, el} from "./dom.js";

/**
 * How the builds go, as the server tells it; a total of 0 is unknown.
 * @typedef {{doing: string, done: number, total: number, label: string}} Work
 * @typedef {{page: string, building: ?string, work: Work[], said: string, errors: string[], notices: string[]}} State
 */

const LOST = "The page stays as it was, and tries to connect again. If the watch has ended, start it again and open "
  + "the address that it prints.";

let pill = null;
let box = null;
let state = null;
let openedItself = false;

/** Put the pill into the bar, which says how the builds go, and the box that it opens. */
export function startStatus() {
  pill = button("", () => openStatus(box.hidden), { class: "pill", "aria-expanded": "false", "aria-controls": "build" });
  pill.append(el("span", { class: "lamp", "aria-hidden": "true" }), el("span", { class: "words" }, "Connecting"));
  box = el("section", { id: "build", "aria-label": "Build", hidden: true },
    el("div", { class: "failures", role: "alert" }), el("div", { class: "works" }), el("ul", { class: "notices" }),
    el("p", { class: "said" }));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it would close the panel, too
    openStatus(false);
    pill.focus();
  });
  byId("live").replaceChildren(pill, box);
}

function openStatus(open, itself = false) {
  openedItself = open && itself;
  box.hidden = !open;
  pill.setAttribute("aria-expanded", String(open));
}

/** Show how the builds go. @param {State} told */
export function showStatus(told) {
  label(told.building !== null ? "building" : told.errors.length > 0 ? "failed" : "idle", wordsOf(told));
  if (isNew(told, "errors")) {
    part("failures", failuresOf(told.errors));
    if (told.errors.length > 0) openStatus(true, true);
    else if (openedItself) openStatus(false);
  }
  if (isNew(told, "work")) part("works", told.work.map(workOf));
  if (isNew(told, "notices")) part("notices", told.notices.map((notice) => el("li", {}, notice)));
  part("said", [told.said || "Nothing was built yet."]);
  state = told;
}

/** Show that nobody tells any more how the builds go. */
export function showLost() {
  label("lost", "Not connected");
  part("works", []);
  part("said", [LOST]);
  state = state && { ...state, work: [] };
}

function label(kind, words) {
  if (kind === "lost" && pill.dataset.state !== kind) announce("The watch does not answer any more");
  pill.dataset.state = kind;
  pill.querySelector(".words").textContent = words;
}

// what has not changed stays: somebody may be reading or copying it
const isNew = (told, name) => JSON.stringify(told[name]) !== JSON.stringify(state?.[name]);

const part = (name, content) => box.querySelector(`.${name}`).replaceChildren(...content);

function wordsOf({ building, work, errors, notices }) {
  const [first] = work;
  if (first) return first.doing + (first.total > 0 ? ` ${first.done}/${first.total}` : "");
  if (building !== null) return "Building";
  if (errors.length > 0) return "Build failed";
  return notices.length > 0 ? `Up to date, ${notices.length} notice${notices.length === 1 ? "" : "s"}` : "Up to date";
}

function workOf({ doing, done, total, label: what }) {
  const bar = total > 0 ? el("progress", { max: total, value: done, "aria-label": doing }) : null;
  const count = total > 0 ? `${done} of ${total}` : "";
  return el("div", { class: "work" },
    el("span", {}, what ? `${doing}: ${what}` : doing), el("span", { class: "muted" }, count), bar);
}

/** Return each error with its lines; a line that is not indented begins one. */
function failuresOf(lines) {
  const errors = [];
  for (const line of lines) {
    if (line.startsWith(" ") && errors.length > 0) errors.at(-1).push(line);
    else errors.push([line]);
  }
  return errors.map(([first, ...rest]) => el("div", { class: "failure" },
    el("pre", { tabindex: 0 }, el("b", {}, first), rest.map((line) => `\n${line}`)),
    copyButton([first, ...rest].join("\n"), "the error")));
}

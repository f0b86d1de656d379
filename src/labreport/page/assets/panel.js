import {openExplore} from "./explore.js";
import {byId, el, grouped, heading} from "./dom.js";
import {codeDetails, detailsOf, experimentDetails} from "./details.js";
import {changesList, claimsList, contentsList} from "./lists.js";
import {hashOf, noted} from "./route.js";
import {captionParts, model, nameOf, thingById, titleOf, whereOf} from "./store.js";

const TABS = ["details", "claims", "changes", "explore", "contents"];

/** Whether the panel is wide since a plot needs room, not since the reader wants it so. */
let widened = false;

/** Make the panel's lists anew for the model that is shown. */
export function fillPanel() {
  byId("pane-claims").replaceChildren(...claimsList());
  byId("pane-changes").replaceChildren(...changesList());
  byId("pane-contents").replaceChildren(...contentsList());
  byId("pane-explore").replaceChildren(...figuresToExplore());
  welcome();
}

/** Show in the panel all that is known of a thing. */
export function show(id) {
  put(detailsOf(thingById.get(id)));
}

/** Show an experiment, or a function, in the panel. */
export function showExperiment(name) {
  put(experimentDetails(name));
}

export function showCode(key) {
  put(codeDetails(key));
}

/** Show in the panel what this page is, while nothing is open. */
export function welcome() {
  const of = (kind) => {
    const things = model.things.filter((thing) => thing.kind === kind);
    const inNotebooks = things.filter((thing) => thing.document !== "report").length;
    return [things.filter((thing) => thing.at.length > 0).length, inNotebooks];
  };
  byId("pane-details").replaceChildren(
    el("h2", { class: "kicker" }, "This report explains itself"),
    el("p", { class: "lead" }, "Select a number, a sentence with a line under it, a figure, a table or code, and read here where it comes from."),
    ...model.notes.map((note) => el("p", { class: "note" }, note)),
    el("ul", { class: "counts" }, [
      [[model.pages.length, 0], "page"], [of("value"), "value"], [of("claim"), "claim"], [of("figure"), "figure"],
    ].map(([[count, others], what]) => el("li", {}, el("b", {}, grouped(count)), ` ${what}${count === 1 ? "" : "s"}`,
      others > 0 && `, ${grouped(others)} more in notebooks`))),
    el("h3", {}, "By keyboard"),
    el("dl", { class: "keys" }, [
      ["/", "search"], ["Tab", "to the next page's values"], ["← →", "from value to value"], ["Enter", "explain, in the panel"],
      ["Esc", "back to the page"], ["+ − 0", "zoom"],
    ].map(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])));
}

function put(nodes) {
  const pane = byId("pane-details");
  pane.replaceChildren(...nodes);
  showTab("details");
  byId("panes").scrollTop = 0;
}

/** Open the panel at a tab. */
export function showTab(name) {
  if (widened && name !== "explore") {
    setWide(false);
    widened = false;
  }
  for (const tab of TABS) {
    byId(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
    byId(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    byId(`pane-${tab}`).hidden = tab !== name;
  }
  setPanel(true);
}

/** Open or close the panel. */
export function setPanel(open) {
  document.body.classList.toggle("with-panel", open);
  byId("panel-toggle").setAttribute("aria-expanded", String(open));
}

/** Give the panel more of the window, or its usual share. */
export function setWide(wide) {
  document.body.classList.toggle("wide-panel", wide);
  byId("panel-wide").setAttribute("aria-pressed", String(wide));
}

const isWide = () => document.body.classList.contains("wide-panel");

export const panelIsOpen = () => document.body.classList.contains("with-panel");

/** Show a figure's data as a plot to look around in. */
export function showExplore(id) {
  const thing = thingById.get(id);
  const plot = el("div", { class: "plot" });
  const [label, said] = captionParts(titleOf(thing));
  byId("pane-explore").replaceChildren(
    el("p", { class: "kicker" }, el("a", { href: "#explore" }, "Explore"), " · ", el("a", { href: `#${id}` }, whereOf(thing))),
    el("h2", { class: "name" }, label || nameOf(thing)), label && el("p", {}, said), plot);
  showTab("explore");
  widened ||= !isWide();
  setWide(true);
  openExplore(thing, plot);
}

/** Show which figures' data can be looked around in. */
export function listExplore() {
  byId("pane-explore").replaceChildren(...figuresToExplore());
  showTab("explore");
}

function figuresToExplore() {
  const all = model.things.filter((thing) => thing.kind === "figure" && thing.explore && Object.hasOwn(model.data, thing.data));
  // a notebook may show again what the report shows
  const figures = all.filter((thing) => all.find((other) => other.key === thing.key) === thing);
  if (figures.length === 0) return [heading("Explore"), el("p", { class: "muted" }, "No figure of this report gives its data to look around in.")];
  return [
    heading("Explore"),
    el("p", { class: "muted" }, "Figures whose data can be filtered and looked at point by point."),
    ...figures.map((thing) => el("a", { class: "entry", href: hashOf({ explore: thing.id }) },
      el("span", { class: "what" }, nameOf(thing)), el("span", { class: "where" }, whereOf(thing)))),
  ];
}

/** Listen to the panel's own controls: once. */
export function startPanel() {
  const tabs = byId("tabs");
  for (const name of TABS) {
    byId(`tab-${name}`).addEventListener("click", () => {
      if (name === "explore") listExplore();
      else showTab(name);
      if (name !== "details") noted(`#${name}`);
    });
  }
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = TABS.findIndex((name) => byId(`tab-${name}`) === document.activeElement);
    const next = byId(`tab-${TABS[(at + step + TABS.length) % TABS.length]}`);
    next.click();
    next.focus();
  });
  byId("panel-toggle").addEventListener("click", () => setPanel(!panelIsOpen()));
  byId("panel-wide").addEventListener("click", () => {
    setWide(!isWide());
    widened = false;
  });
  byId("panel-close").addEventListener("click", () => setPanel(false));
}

import {byId} from "./dom.js";
import {startLive} from "./live.js";
import {mount} from "./mount.js";
import {listExplore, setPanel, show, showCode, showExperiment, showExplore, showTab, startPanel, welcome} from "./panel.js";
import {go, targetOf} from "./route.js";
import {startSearch} from "./search.js";
import {model, thingById, thingsByPage} from "./store.js";
import {startTheme} from "./theme.js";
import {unpackText} from "./unpack.js";
import {focusThing, jump, markFound, pageInView, printPages, setOpen, startViewer, zoomBy} from "./viewer.js";

const LISTS = ["claims", "changes", "contents"];
let openId = null;

/** Show what the address names; an address of another build may name what is not there. */
function follow() {
  const { id, page, y, experiment, code, explore } = targetOf(location.hash);
  openThing(thingById.has(id) ? id : null);
  if (page) jump({ page, y });
  else if (Object.hasOwn(model.experiments, experiment)) showExperiment(experiment);
  else if (Object.hasOwn(model.code, code)) showCode(code);
  else if (thingById.has(explore)) showFigure(explore);
  else if (id === "explore") listExplore();
  else if (LISTS.includes(id)) showTab(id);
}

function showFigure(id) {
  openId = id;
  showExplore(id);
  setOpen(id);
  jump(id);
}

function openThing(id) {
  if (id === null && openId !== null) welcome();
  openId = id;
  setOpen(id);
  if (id === null) return;
  show(id);
  jump(id);
}

/** Go to the printed value before or after the one that is open, or the first of the page in view. */
function step(by) {
  const values = model.things.filter((thing) => thing.kind === "value" && thing.at.length > 0);
  const here = thingById.get(openId);
  const at = here?.kind === "value" ? values.indexOf(here) + by
    : values.indexOf((thingsByPage.get(pageInView()) ?? []).find((thing) => thing.kind === "value"));
  const next = values[Math.max(0, Math.min(at, values.length - 1))];
  if (next) go(`#${next.id}`);
}

function close() {
  markFound(null, []);
  const id = openId;
  if (id === null) return setPanel(false);
  go("#");
  focusThing(id);
}

const SHORTCUTS = {
  "/": () => byId("search").focus(),
  "+": () => zoomBy(1),
  "=": () => zoomBy(1),
  "-": () => zoomBy(-1),
  0: () => zoomBy(0),
  Escape: close,
};

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && event.key === "p") {
    event.preventDefault();
    printPages();
    return;
  }
  const typing = event.target.matches("input, select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
  // what is open above the page has keys of its own
  if (!(event.key in SHORTCUTS) || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  SHORTCUTS[event.key]();
}

async function start() {
  const unshown = byId("unshown");
  try {
    await begin();
  } catch (problem) {
    unshown.style.animation = "none";
    byId("pages").replaceChildren(unshown);
    console.warn(problem);
  }
}

async function begin() {
  startTheme();
  startPanel();
  setPanel(matchMedia("(min-width: 60rem)").matches);
  startSearch();
  await mount(JSON.parse(await unpackText("lr-model")));
  startViewer();
  follow();
  addEventListener("hashchange", follow);
  addEventListener("keydown", onKey);
  byId("next").addEventListener("click", () => step(1));
  byId("previous").addEventListener("click", () => step(-1));
  startLive();
}

start();

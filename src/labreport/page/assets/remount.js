import {byId} from "./dom.js";
import {mount} from "./mount.js";
import {changedThings} from "./overlay.js";
import {panelIsOpen, setPanel, showTab} from "./panel.js";
import {go, hashOf, targetOf} from "./route.js";
import {identity, markOf, model, thingById, thingLike} from "./store.js";
import {drawInView, focusThing, place, restore} from "./viewer.js";

/** How long a change waits for the browser, which takes no picture of a window that it does not draw. */
const PATIENCE_MS = 1000;

/**
 * Show a report in place of the one that is shown: at the same place, with the same thing open, and with a mark on
 * what it says otherwise. `adopt` puts the pictures of its pages into the document.
 * @returns {Promise<number>} how many values and verdicts are other ones
 */
export async function remount(taken, adopt) {
  const keep = [keptPlace(), keptPanel(), keptFocus()];
  markChanged(model, taken);
  await inOnePicture(async () => {
    adopt();
    await mount(taken);
    for (const again of keep) again();
    await drawInView();
  });
  return changedThings.size;
}

/** Do what changes the whole window without showing it half done, where the browser can. */
async function inOnePicture(change) {
  let done = null;
  const once = () => (done ??= change());
  if (document.startViewTransition && !document.hidden) {
    const transition = document.startViewTransition(once);
    transition.ready.catch(() => {}); // the next one began meanwhile, or somebody turned to another tab
    const patience = new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); });
    await Promise.race([transition.updateCallbackDone, patience]);
  }
  await once();
}

// Each of these takes note of something, and returns what brings it back when another report is shown.

function keptPlace() {
  const before = place();
  return () => restore(before);
}

/** The address names what is open by ids, which are others in another report. */
function keptPanel() {
  const { id, explore } = targetOf(location.hash);
  const named = thingById.get(id ?? explore);
  const known = named && identity(named);
  const [open, tab] = [panelIsOpen(), document.querySelector('#tabs [aria-selected="true"]').id.slice("tab-".length)];
  const [panes, pages] = [byId("panes"), byId("pages")];
  const scrolled = panes.scrollTop;
  return () => {
    const { scrollTop, scrollLeft } = pages;
    const now = known && thingLike(known);
    const hash = !known ? location.hash : now === null ? "" : explore ? hashOf({ explore: now.id }) : `#${now.id}`;
    history.replaceState(null, "", hash || location.pathname);
    go(location.hash);
    showTab(tab);
    setPanel(open);
    panes.scrollTop = scrolled;
    pages.scrollTo({ top: scrollTop, left: scrollLeft, behavior: "instant" });
  };
}

function keptFocus() {
  const own = document.activeElement;
  const thing = thingById.get(own?.dataset.thing);
  if (thing) {
    const known = identity(thing);
    return () => focusThing(thingLike(known)?.id);
  }
  const at = inPanel().indexOf(own);
  return () => inPanel()[at]?.focus({ preventScroll: true });
}

const inPanel = () => [...byId("panes").querySelectorAll("a, button, summary, [tabindex]")];

/** Take note of which values and verdicts a report has in another way than the one before. */
function markChanged(before, after) {
  const old = said(before);
  changedThings.clear();
  for (const [mark, { id, what }] of said(after)) {
    if (old.has(mark) && old.get(mark).what !== what) changedThings.add(id);
  }
}

/** Return what each thing of a report says, by what tells it from others. */
function said({ things }) {
  const counts = new Map();
  const found = new Map();
  for (const thing of things) {
    const mark = `${markOf(thing)}\n${thing.expression}`; // one key may be printed in several formats
    counts.set(mark, (counts.get(mark) ?? 0) + 1);
    found.set(`${mark}\n${counts.get(mark)}`, { id: thing.id, what: thing.text ?? thing.verdict });
  }
  return found;
}

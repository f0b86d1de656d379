import {button, el} from "./dom.js";
import {model} from "./store.js";
import {loadECharts} from "./explore_chart.js";
import {LinesPlot} from "./explore_lines.js";
import {ParallelPlot} from "./explore_parallel.js";

let closeExplored = () => {};

/** Show the data of a figure in a container as a plot to look into; what was there before is closed. */
export async function openExplore(thing, container) {
  closeExplored();
  const section = el("section", { class: "explore", "aria-label": `Explore ${thing.key}` });
  let isOpen = true;
  closeExplored = () => { isOpen = false; };
  container.replaceChildren(el("p", { class: "muted" }, "Preparing the plot …"));
  const echarts = await loadECharts();
  if (!isOpen) return; // another figure was asked for meanwhile
  container.replaceChildren(section);
  const Plot = thing.explore.kind === "parallel" ? ParallelPlot : LinesPlot;
  const plot = new Plot(echarts, section, thing, model.data[thing.data]);
  closeExplored = () => plot.close();
  section.firstChild.append(fullWindowButton(section));
}

/** Return a button that shows a section in the whole window, and puts it back. */
function fullWindowButton(section) {
  const dialog = el("dialog", { class: "explore-full", "aria-label": section.getAttribute("aria-label") });
  const toggle = () => (dialog.open ? dialog.close() : open());
  const own = button("Whole window", toggle, { class: "quiet explore-window" });
  const place = document.createComment("");
  function open() {
    section.before(place, dialog);
    dialog.append(section);
    dialog.showModal();
    own.textContent = "Back to the page";
    own.focus();
  }
  // the keys of the page behind it, Escape among them, do nothing there now
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => {
    place.replaceWith(section);
    dialog.remove();
    own.textContent = "Whole window";
    own.focus();
  });
  return own;
}

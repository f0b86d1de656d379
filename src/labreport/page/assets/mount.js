import {byId} from "./dom.js";
import {fillPanel} from "./panel.js";
import {resetSearch} from "./search.js";
import {setModel, takeRest} from "./store.js";
import {unpackText} from "./unpack.js";
import {layPages} from "./viewer.js";

/** So long a browser gets to show what was put into the page. */
const FRAME_MS = 20;

/** Show a report, whose blocks are in this document. */
export async function mount(taken) {
  setModel(taken);
  byId("quick").hidden = !taken.quick;
  await layPages(); // the first page is what a reader waits for
  await new Promise((resolve) => { setTimeout(resolve, FRAME_MS); });
  takeRest(JSON.parse(await unpackText("lr-rest")));
  fillPanel();
  resetSearch();
}

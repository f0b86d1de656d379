import {announce} from "./dom.js";
import {remount} from "./remount.js";
import {showLost, showStatus, startStatus} from "./status.js";
import {unpackText} from "./unpack.js";

const MARK = 'meta[name="labreport-live"]';
const BLOCKS = 'script[type="application/octet-stream"]';
/** What holds this page's own code: the policy names its scripts by their digests. */
const CODE = ['meta[http-equiv="Content-Security-Policy"]', "style"];

let events = null;
let seen = null;
let renewal = Promise.resolve();

/** Follow the builds if `labreport watch` serves this page, which has put a mark with its digest there. */
export function startLive() {
  const mark = document.querySelector(MARK);
  if (mark === null) return;
  seen = mark.content;
  startStatus();
  document.addEventListener("visibilitychange", connect);
  connect();
}

// a browser has few connections to one server: only tabs that somebody looks at take one
function connect() {
  events?.close();
  if (document.hidden) return;
  events = new EventSource("events");
  events.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  events.addEventListener("error", showLost);
}

function hear(state) {
  showStatus(state);
  if (state.page === "" || state.page === seen) return;
  seen = state.page;
  renewal = renewal.then(renew, renew); // one after the other
}

/** Show the page as the server has it now, in place. */
async function renew() {
  const text = await servedText();
  if (text === null) {
    seen = null; // the server has gone, which is shown already; it is asked again once it tells something
    return;
  }
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const [mark, theirs] = [document.querySelector(MARK), fresh.querySelector(MARK)];
  if (theirs === null || theirs.content === mark.content) return;
  if (CODE.some((name) => document.querySelector(name).outerHTML !== fresh.querySelector(name).outerHTML)) {
    location.reload(); // labreport itself is another one
    return;
  }
  const model = JSON.parse(await unpackText("lr-model", fresh));
  mark.content = theirs.content;
  const changed = await remount(model, () => adopt(fresh));
  announce(`The report is updated${changed > 0 ? `: ${changed} changed` : ""}`);
}

async function servedText() {
  try {
    const answer = await fetch(location.pathname);
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

/** Take over the data of another page. */
function adopt(fresh) {
  for (const block of document.querySelectorAll(BLOCKS)) block.remove();
  document.body.append(...fresh.querySelectorAll(BLOCKS));
  document.title = fresh.title;
  document.querySelector("#bar h1").replaceWith(fresh.querySelector("#bar h1"));
}

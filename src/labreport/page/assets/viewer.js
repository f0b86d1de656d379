import {byId, el} from "./dom.js";
import {listenForThings, markOpen, overlay, styleOf} from "./overlay.js";
import {hashOf} from "./route.js";
import {model, thingById} from "./store.js";
import {unpackText} from "./unpack.js";

const PIXELS_PER_POINT = 96 / 72;
const WIDEST_FIT = 1.5;
const CUTTING = 800;
const PHONE = 500;
const MARKS = 44;
const ZOOMS = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 4];
const FONT = "12px sans-serif";

/** How large pages are shown: a factor of their printed size, or null for the width of the window. */
let zoom = null;
let unit = PIXELS_PER_POINT;
let open = null;
let watcher = null;
let printing = false;

/** Put frames for all pages of the model; what is in them comes as they come near, the rest when there is time. */
export async function layPages() {
  watcher?.disconnect();
  const frames = model.pages.map(frameOf);
  byId("pages").replaceChildren(...frames);
  fit();
  centre();
  document.querySelectorAll("svg.glyphs").forEach((glyphs) => glyphs.remove());
  await drawGlyphs("lr-glyphs");
  const [first, ...others] = frames;
  await draw(first);
  await drawGlyphs("lr-more-glyphs");
  watcher = new IntersectionObserver(watch, { root: byId("pages"), rootMargin: "150% 0px" });
  for (const frame of frames) watcher.observe(frame);
  fillInTime(others);
}

function frameOf(size, at) {
  const number = at + 1;
  return el("section", {
    class: "page", "data-page": number, "aria-label": `Page ${number}`, style: styleOf([0, 0, size.width, size.height]),
  });
}

async function drawGlyphs(block) {
  const glyphs = await pictureOf(block);
  glyphs.setAttribute("class", "glyphs");
  document.body.append(glyphs);
}

function watch(entries) {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) draw(target);
    else if (!printing) pictureIn(target)?.remove(); // a picture is large, and soon drawn again
    target.classList.toggle("near", isIntersecting);
  }
}

async function draw(frame) {
  frame.classList.add("near");
  await drawPicture(frame);
}

async function drawPicture(frame) {
  fill(frame);
  if (pictureIn(frame)) return;
  const picture = await pictureOf(`lr-page-${frame.dataset.page}`).catch(damaged);
  if (!pictureIn(frame) && (frame.classList.contains("near") || printing)) frame.prepend(picture);
}

// icons are pictures, too, but lie deeper
const pictureIn = (frame) => frame.querySelector(":scope > svg, :scope > .damaged");

/** Return what stands in the place of a picture that cannot be read, beside which the others are shown. */
function damaged(problem) {
  console.warn(problem);
  return el("p", { class: "damaged" }, "This sheet cannot be shown, since the file is damaged. The same report is in report.pdf.");
}

async function pictureOf(id) {
  const parsed = new DOMParser().parseFromString(await unpackText(id), "image/svg+xml");
  if (parsed.querySelector("parsererror")) throw new Error(`block "${id}" is no picture`);
  const picture = document.importNode(parsed.documentElement, true);
  picture.setAttribute("aria-hidden", "true");
  return picture;
}

/** Put text, links and things on a page, once. */
function fill(frame) {
  if (frame.querySelector(".text")) return;
  const number = Number(frame.dataset.page);
  const page = model.pages[number - 1];
  frame.append(
    el("div", { class: "text" }, page.text.flatMap((line) => [lineOf(line), el("br")])),
    el("div", { class: "links" }, page.links.map(linkOf)),
    overlay(number, page));
  if (open) markOpen(frame, open);
}

// the browser finds text (Ctrl+F) only where it has been put
function fillInTime(frames) {
  const later = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));
  later(() => {
    const [next, ...others] = frames;
    if (next === undefined || !next.isConnected) return;
    fill(next);
    fillInTime(others);
  });
}

let pen = null;

/** Return a line of invisible text, stretched to the width at which it is printed, so that it can be selected. */
function lineOf([x, y, width, height, text]) {
  if (pen === null) {
    pen = document.createElement("canvas").getContext("2d");
    pen.font = FONT;
  }
  const natural = (pen.measureText(text).width / 12) * height;
  const stretch = natural > 0 ? (width / natural).toFixed(4) : 1;
  return el("span", { role: "presentation", style: `--x:${x};--y:${y};--h:${height};--stretch:${stretch}` }, text);
}

function linkOf([x, y, width, height, target]) {
  const style = styleOf([x, y, width, height]);
  if ("uri" in target) {
    return el("a", { style, href: target.uri, rel: "noopener noreferrer", target: "_blank", "aria-label": target.uri });
  }
  return el("a", { style, href: hashOf(target), "aria-label": `To page ${target.page}` });
}

/** Draw what is in the window now, without waiting for the browser to say what that is. */
export async function drawInView() {
  const pages = byId("pages");
  const [top, bottom] = [pages.scrollTop, pages.scrollTop + pages.clientHeight];
  const seen = [...pages.children].filter((frame) => frame.offsetTop < bottom && frame.offsetTop + frame.offsetHeight > top);
  await Promise.all(seen.map(draw));
}

/** Show a place of the report: a thing by its id, or `{page, y}`; the window moves only if it has to. */
export function jump(target) {
  const thing = typeof target === "string" ? thingById.get(target) : null;
  const [page, , y, , height] = thing ? thing.at[0] ?? [] : [target.page, 0, target.y ?? 0, 0, 0];
  const frame = frameAt(page);
  if (!frame) return;
  draw(frame);
  const pages = byId("pages");
  const top = frame.offsetTop + y * unit;
  const inView = top >= pages.scrollTop + 24 && top + Math.min(height * unit, 200) <= pages.scrollTop + pages.clientHeight - 24;
  if (!thing) pages.scrollTop = target.y ? top - 48 : frame.offsetTop - 16;
  else if (!inView) pages.scrollTop = top - pages.clientHeight / 3;
  if (thing) toSide(frame, thing.at[0]);
}

/** Let a thing that lies beside the window, at a large zoom, come into it. */
function toSide(frame, [, x, , width]) {
  const pages = byId("pages");
  const left = frame.offsetLeft + x * unit;
  if (left < pages.scrollLeft || left + width * unit > pages.scrollLeft + pages.clientWidth) pages.scrollLeft = left - 48;
}

const frameAt = (page) => byId("pages").querySelector(`[data-page="${page}"]`);

/** Mark which thing is open; null for none. */
export function setOpen(id) {
  open = id;
  markOpen(byId("pages"), id);
}

/** Give a thing the focus of the keyboard, where it is printed first. */
export function focusThing(id) {
  const frame = frameAt(thingById.get(id)?.at[0]?.[0]);
  if (!frame) return;
  fill(frame);
  frame.querySelector(`button[data-thing="${id}"]`)?.focus({ preventScroll: true });
}

/** Mark text that was looked for, on the page where it stands; `boxes` are in points. */
export function markFound(page, boxes) {
  for (const old of byId("pages").querySelectorAll(".found")) old.remove();
  frameAt(page)?.append(...boxes.map((box) => el("span", { class: "found", style: styleOf(box) })));
}

function fit() {
  const pages = byId("pages");
  unit = zoom === null ? fitting(pages.clientWidth) : zoom * PIXELS_PER_POINT;
  pages.style.setProperty("--u", `${unit}px`);
  byId("zoom-now").textContent = `${Math.round((unit / PIXELS_PER_POINT) * 100)} %`;
}

/** Return the size at which pages fit a width: where there is little of it, without their margins. */
function fitting(width) {
  const cut = width < CUTTING;
  const needed = Math.max(...model.pages.map(cut ? textWidth : (page) => page.width));
  const beside = width < PHONE ? 0 : MARKS; // what stands in the margin is worth less than legible text
  return cut ? width / (needed + beside) : Math.min((width - 64) / needed, WIDEST_FIT * PIXELS_PER_POINT);
}

/** Return how wide a page is if its margins, equal on both sides, are cut as far as its text allows. */
function textWidth(page) {
  const margins = page.text.map(([x, , width]) => Math.min(x, page.width - x - width));
  return page.width - 2 * Math.max(0, Math.min(...margins, page.width / 4) - 6);
}

/** Zoom by one step, or to the window's width for 0, and keep what is in the middle there. */
export function zoomBy(direction) {
  const now = unit / PIXELS_PER_POINT;
  const steps = direction > 0 ? ZOOMS.filter((step) => step > now * 1.01) : ZOOMS.filter((step) => step < now * 0.99);
  const step = direction > 0 ? steps[0] ?? ZOOMS.at(-1) : steps.at(-1) ?? ZOOMS[0];
  const width = byId("pages").clientWidth;
  // in a small window nobody wants a page smaller than that
  const isBack = direction < 0 && width < CUTTING && step * PIXELS_PER_POINT < fitting(width);
  const next = direction === 0 || isBack ? null : step;
  resized(() => { zoom = next; });
}

/** Do what changes the size of pages, and keep what is in the middle of the window there. */
export function resized(change = () => {}) {
  const pages = byId("pages");
  const middle = pages.clientHeight / 2;
  const here = placeAt(pages.scrollTop + middle);
  const across = (pages.scrollLeft + pages.clientWidth / 2) / pages.scrollWidth;
  change();
  fit();
  pages.scrollTop = topOf(here) - pages.clientHeight / 2;
  if (zoom === null) centre();
  else pages.scrollLeft = across * pages.scrollWidth - pages.clientWidth / 2;
}

function centre() {
  const pages = byId("pages");
  pages.scrollLeft = (pages.scrollWidth - pages.clientWidth) / 2;
}

function placeAt(top) {
  const frames = [...byId("pages").children];
  const frame = frames.findLast((candidate) => candidate.offsetTop <= top) ?? frames[0];
  return { page: Number(frame.dataset.page), y: (top - frame.offsetTop) / unit };
}

function topOf({ page, y }) {
  return (frameAt(page)?.offsetTop ?? byId("pages").scrollHeight) + y * unit;
}

/** Return the page that is read now. */
export function pageInView() {
  const pages = byId("pages");
  return placeAt(pages.scrollTop + pages.clientHeight / 3).page;
}

function countPages() {
  byId("page-now").textContent = `${pageInView()} / ${model.pages.length}`;
}

/** Return where the reader is, in a form that holds for the next build of the report, too. */
export function place() {
  const pages = byId("pages");
  return { ...placeAt(pages.scrollTop), left: pages.scrollLeft, zoom };
}

/** Bring the reader to a place. */
export function restore(taken) {
  zoom = taken.zoom;
  fit();
  byId("pages").scrollTop = topOf({ page: Math.min(taken.page, model.pages.length), y: taken.y });
  byId("pages").scrollLeft = taken.left;
}

/** Listen to what concerns the pages as a whole: once, whatever report is shown. */
export function startViewer() {
  const pages = byId("pages");
  listenForThings(pages);
  for (const [id, direction] of [["zoom-out", -1], ["zoom-in", 1], ["zoom-fit", 0]]) {
    byId(id).addEventListener("click", () => zoomBy(direction));
  }
  pages.addEventListener("scroll", countPages, { passive: true });
  addEventListener("afterprint", clearPrinted);
  countPages();
  let width = pages.clientWidth;
  new ResizeObserver(() => {
    if (pages.clientWidth !== width) resized();
    width = pages.clientWidth;
  }).observe(pages);
}

/** Print all pages, which must be drawn before. */
export async function printPages() {
  printing = true;
  await Promise.all([...byId("pages").children].map(drawPicture));
  document.body.classList.add("drawn");
  print();
}

function clearPrinted() {
  printing = false;
  document.body.classList.remove("drawn");
  for (const frame of byId("pages").querySelectorAll(".page:not(.near)")) pictureIn(frame)?.remove();
}

import {el, grouped, short, svg} from "./dom.js";

const WIDTH = 360;
const MARGIN = 12;
const RADIUS = 2.25;
const TALLEST = 64;

/**
 * Return a sample as a strip of points, stacked where they coincide, with its mean and one standard deviation to
 * either side; `mark` is the number that the report prints.
 */
export function strip(sample, mark = null) {
  const values = sample.values;
  if (values.every((value) => value === 0 || value === 1)) return share(sample);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = scale(low, high);
  const points = stacked(values, x);
  const height = Math.max(22, ...points.map((point) => point.up + 2 * RADIUS)) + 8;
  const summary = summaryOf(sample);
  return el("figure", { class: "strip" },
    svg("svg", { viewBox: `0 0 ${WIDTH} ${height + 20}`, role: "img", "aria-label": summary },
      spreadOf(sample, x, height),
      svg("g", { class: "points" }, points.map((point) =>
        svg("circle", { cx: point.x.toFixed(1), cy: (height - RADIUS - 2 - point.up).toFixed(1), r: RADIUS }))),
      svg("line", { class: "axis", x1: MARGIN, x2: WIDTH - MARGIN, y1: height, y2: height }),
      markOn(mark, x, height, low, high),
      ticks(low, high).map((tick) => svg("text", { class: "tick", x: x(tick), y: height + 14 }, short(tick)))),
    el("figcaption", { class: "muted" }, summary));
}

/** Return a sample of yes and no as its share, which a mean of ones and zeros is. */
function share({ values, n, mean }) {
  const yes = values.filter((value) => value === 1).length;
  const summary = `${grouped(yes)} of ${grouped(n)}, ${short(100 * mean)} %`;
  return el("figure", { class: "strip" },
    svg("svg", { viewBox: `0 0 ${WIDTH} 14`, role: "img", "aria-label": summary },
      svg("rect", { class: "all", width: WIDTH, height: 14, rx: 3 }),
      svg("rect", { class: "share", width: (WIDTH * mean).toFixed(1), height: 14, rx: 3 })),
    el("figcaption", { class: "muted" }, summary));
}

/** Return what a sample comes to, in words. */
export function summaryOf(sample) {
  const sorted = [...sample.values].sort((a, b) => a - b);
  const spread = sample.std === null || sample.std === undefined ? "" : `, std ${short(sample.std)}`;
  const shown = sorted.length < sample.n ? ` (${grouped(sorted.length)} of them drawn)` : "";
  return `n = ${grouped(sample.n)}${shown}, mean ${short(sample.mean)}${spread}, median ${short(median(sorted))}, `
    + `from ${short(sorted[0])} to ${short(sorted.at(-1))}`;
}

function median(sorted) {
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function scale(low, high) {
  const span = high - low || 1;
  return (value) => high === low ? WIDTH / 2 : MARGIN + ((value - low) / span) * (WIDTH - 2 * MARGIN);
}

/** Return the points, those of one bin above each other; where a stack would be too tall, they overlap. */
function stacked(values, x) {
  const bins = new Map();
  for (const value of values) {
    const bin = Math.round(x(value) / (2 * RADIUS));
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  const step = Math.min(2 * RADIUS, TALLEST / Math.max(...bins.values()));
  return [...bins].flatMap(([bin, count]) =>
    Array.from({ length: count }, (_, at) => ({ x: bin * 2 * RADIUS, up: at * step })));
}

function spreadOf({ mean, std }, x, height) {
  if (!Number.isFinite(std)) return null;
  const inside = (value) => Math.min(WIDTH, Math.max(0, x(value)));
  const [left, right] = [inside(mean - std), inside(mean + std)];
  return svg("g", { class: "spread" },
    svg("rect", { x: left, y: 0, width: right - left, height }),
    svg("line", { x1: x(mean), x2: x(mean), y1: 0, y2: height }));
}

function markOn(mark, x, height, low, high) {
  if (typeof mark !== "number" || mark < low || mark > high) return null;
  const at = x(mark);
  return svg("path", { class: "mark", d: `M${at} ${height}l-4 6h8z` });
}

function ticks(low, high) {
  return low === high ? [low] : [low, high];
}

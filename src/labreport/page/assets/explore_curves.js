import {levelOf, quantile} from "./explore_data.js";

const LEAST_POOLED = 5; // curves that are worth a median

/**
 * Return the curves of a figure's data, each with the levels that tell it apart.
 * @typedef {{levels: Map<string, string>, points: [number, number][], bands: {points: number[][]}[]}} Curve
 * @returns {Curve[]} points in order of x; bands as [x, low, high]
 */
export function curvesOf(columns, { x, by, bands }, y) {
  return rowsByCurve(columns, x, by).map(({ levels, rows }) => ({
    levels,
    points: rows.flatMap((row) => point(columns, [x, y], row)),
    bands: (bands[y] ?? []).map(([low, high]) => rows.flatMap((row) => point(columns, [x, low, high], row))),
  }));
}

/** Return curves pooled over one column: the median at each x, and from the 10th to the 90th percentile. */
export function pooledCurves(curves, over) {
  const pools = new Map();
  for (const { levels, points } of curves) {
    const rest = new Map([...levels].filter(([name]) => name !== over));
    const key = JSON.stringify([...rest]);
    if (!pools.has(key)) pools.set(key, { levels: rest, members: [] });
    pools.get(key).members.push(points);
  }
  return [...pools.values()].map(({ levels, members }) => {
    const samples = [...samplesByX(members)].sort(([a], [b]) => a - b);
    return {
      levels,
      points: samples.map(([x, values]) => [x, quantile(values, 0.5)]),
      bands: [samples.map(([x, values]) => [x, quantile(values, 0.1), quantile(values, 0.9)])],
    };
  });
}

/** Return the columns over which curves can be pooled: numbers of repeats or runs. */
export const poolable = (columns, by) => by.map((name) => columns.get(name))
  .filter(({ isNumeric, levels }) => isNumeric && levels.length >= LEAST_POOLED).map(({ name }) => name);

/** Return the rows that make one curve each, in order of x. */
function rowsByCurve(columns, x, by) {
  const found = new Map();
  const xs = columns.get(x).cells;
  for (const row of xs.keys()) {
    const key = by.map((name) => levelOf(columns.get(name), row)).join();
    if (!found.has(key)) {
      const levels = new Map(by.map((name) => [name, String(columns.get(name).cells[row])]));
      found.set(key, { levels, rows: [] });
    }
    found.get(key).rows.push(row);
  }
  for (const { rows } of found.values()) rows.sort((a, b) => xs[a] - xs[b]);
  return [...found.values()];
}

function point(columns, names, row) {
  const cells = names.map((name) => columns.get(name).cells[row]);
  return cells.includes(null) ? [] : [cells];
}

function samplesByX(members) {
  const samples = new Map();
  for (const [x, y] of members.flat()) {
    if (!samples.has(x)) samples.set(x, []);
    samples.get(x).push(y);
  }
  for (const values of samples.values()) values.sort((a, b) => a - b);
  return samples;
}

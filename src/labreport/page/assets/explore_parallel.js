import {button, el, grouped} from "./dom.js";
import {LiveChart, shade, tooltipOption} from "./explore_chart.js";
import {group, menu, rangeFields, tick} from "./explore_controls.js";
import {cellText, columnsOf, levelOf, numeral, quantile, shareOf} from "./explore_data.js";
import {rowTable} from "./rowtable.js";

const VERY_MANY = 1000; // rows
const MOST_TICKS = 200; // levels of a column that are offered to tick; beyond, only the axis filters

/**
 * Rows as lines through parallel axes, of which parts can be chosen by mouse and by keyboard.
 * The one truth is `#limits`: by column, a range of numbers or a set of levels; chart and fields follow it.
 */
export class ParallelPlot {
  #data;
  #columns;
  #axes;
  #colour;
  #limits = new Map();
  #fields = new Map();
  #picked = null;
  #order = []; // rows in the order in which their lines are drawn
  #live;
  #table;
  #heads; // columns, those first that are drawn at first
  #ticks;
  #plot = el("div", { class: "explore-plot" });
  #legend = el("div", { class: "explore-legend" });
  #told = el("p", { class: "explore-told", role: "status" });
  #filters = el("div", { class: "explore-filters" });

  constructor(echarts, section, thing, data) {
    this.#data = data;
    this.#columns = columnsOf(data);
    this.#axes = thing.explore.columns;
    this.#colour = thing.explore.colour;
    this.#heads = [...new Set([...thing.explore.columns, ...data.columns])];
    this.#table = rowTable(thing.key, this.#heads, {
      onpick: (row) => this.#pick(row), onpoint: (row) => this.#point(row),
    });
    section.append(
      this.#bar(), this.#legend, this.#plot, this.#told,
      el("details", { class: "explore-more" }, el("summary", {}, "Filter by values"), this.#filters),
      this.#table.element);
    const [option, ondrawn] = [(look) => this.#option(look), () => this.#showLimits()];
    this.#live = new LiveChart(echarts, this.#plot, data.rows.length, option, ondrawn);
    this.#live.chart.on("axisareaselected", (event) => this.#readBrushes(event));
    this.#live.chart.on("click", ({ dataIndex }) => this.#table.pick(this.#order[dataIndex]));
    this.#showAxes();
  }

  close() {
    this.#live.close();
  }

  #bar() {
    const numeric = [...this.#columns.values()].filter((column) => column.isNumeric);
    const colours = numeric.map(({ name }) => [name, name]);
    this.#ticks = this.#heads.map((name) =>
      tick(name, this.#axes.includes(name), (on) => this.#chooseAxis(name, on)));
    return el("div", { class: "explore-bar" },
      menu("Colour", colours, this.#colour, (name) => this.#chooseColour(name)),
      el("details", { class: "explore-choice" }, el("summary", {}, "Axes"), el("div", {}, this.#ticks)),
      button("Reset", () => this.#reset(), { class: "quiet" }));
  }

  #chooseColour(name) {
    this.#colour = name;
    this.#live.draw();
    this.#tell();
  }

  #chooseAxis(name, on) {
    this.#axes = this.#heads.filter((other) => (other === name ? on : this.#axes.includes(other)));
    if (!on) this.#limits.delete(name);
    this.#showAxes();
  }

  #showAxes() {
    this.#fields = new Map(this.#axes.map((name) =>
      [name, filterOf(this.#columns.get(name), this.#limits, (limit) => this.#limit(name, limit))]));
    this.#filters.replaceChildren(...[...this.#fields.values()].map(({ element }) => element));
    for (const [name, field] of this.#fields) field.set(this.#limits.get(name));
    // a line needs two axes: the last two cannot be taken away
    for (const { control } of this.#ticks) control.disabled = control.checked && this.#axes.length === 2;
    this.#plot.style.setProperty("--axes", this.#axes.length);
    this.#live.draw();
    this.#tell();
  }

  #limit(name, limit) {
    if (limit === undefined) this.#limits.delete(name);
    else this.#limits.set(name, limit);
    this.#showLimits();
    this.#tell();
  }

  #reset() {
    this.#limits.clear();
    for (const field of this.#fields.values()) field.set(undefined);
    if (this.#picked !== null) this.#table.pick(this.#picked);
    this.#showLimits();
    this.#tell();
  }

  #pick(row) {
    this.#picked = row;
    this.#live.draw();
  }

  #point(row) {
    const { chart } = this.#live;
    chart.dispatchAction({ type: "downplay", seriesIndex: 0 });
    if (row === null) return;
    chart.dispatchAction({ type: "highlight", seriesIndex: 0, dataIndex: this.#order.indexOf(row) });
  }

  #showLimits() {
    const batch = this.#axes.map((name, at) => (
      { parallelAxisId: idOf(at), intervals: intervalsOf(this.#columns.get(name), this.#limits.get(name)) }));
    // ECharts draws no area on the axis that an action names first: this one names none that there is
    this.#live.chart.dispatchAction({ type: "axisAreaSelect", parallelAxisId: "none", batch });
  }

  #readBrushes({ batch, parallelAxisId, intervals }) {
    if (batch) return; // what `#showLimits` has said itself
    const name = this.#axes[Number(parallelAxisId.slice(AXIS.length))];
    const limit = limitOf(this.#columns.get(name), intervals);
    if (limit === undefined) this.#limits.delete(name);
    else this.#limits.set(name, limit);
    this.#fields.get(name).set(limit);
    this.#tell();
  }

  #chosenRows() {
    const tests = [...this.#limits].map(([name, limit]) => testOf(this.#columns.get(name), limit));
    return this.#data.rows.flatMap((cells, id) => (tests.every((test) => test(id)) ? [{ id, cells }] : []));
  }

  /** Tell which rows are chosen, in words and in the table. */
  #tell() {
    const rows = this.#chosenRows();
    const { cells, name } = this.#columns.get(this.#colour);
    const values = rows.map(({ id }) => cells[id]).filter((cell) => cell !== null).sort((a, b) => a - b);
    const count = [rows, this.#data.rows].map(({ length }) => grouped(length)).join(" of ");
    const summary = values.length === 0 ? "" : ` · ${name}: ${leastToGreatest(values)}`;
    this.#told.textContent = `${count} rows${summary}`;
    const order = this.#heads.map((head) => this.#data.columns.indexOf(head));
    this.#table.show(rows.map(({ id, cells: all }) => ({ id, cells: order.map((at) => all[at]) })));
  }

  #option(look) {
    const by = this.#columns.get(this.#colour);
    const shades = by.cells.map((cell) => (cell === null ? look.faint : shade(shareOf(by, cell), look.dark)));
    const strong = { color: look.ink, width: 3.5, opacity: 1 };
    this.#order = drawingOrder(by.cells, this.#picked);
    this.#legend.replaceChildren(...legendOf(by, look));
    return {
      aria: { enabled: true, label: { description: this.#description() } },
      tooltip: tooltipOption(look, "item", ({ dataIndex }) => this.#tip(this.#order[dataIndex])),
      parallel: parallelLook(look),
      parallelAxis: this.#axes.map((name, at) => axisOf(this.#columns.get(name), at, look)),
      series: [{
        type: "parallel",
        ...opacitiesOf(this.#data.rows.length),
        emphasis: { lineStyle: { width: 3.5, opacity: 1 } },
        data: this.#order.map((row) => ({
          value: this.#axes.map((name) => coordinateOf(this.#columns.get(name), row)),
          lineStyle: row === this.#picked ? strong : { color: shades[row] },
        })),
      }],
    };
  }

  #tip(row) {
    const cells = this.#data.rows[row];
    const isChosen = this.#chosenRows().some(({ id }) => id === row);
    return el("table", {},
      el("caption", {}, `Row ${row + 1} of ${this.#data.rows.length}${isChosen ? "" : ", not selected"}`),
      this.#data.columns.map((name, at) => el("tr", { class: !this.#axes.includes(name) && "muted" },
        el("th", {}, name), el("td", {}, cells[at] === null ? "" : cellText(cells[at])))));
  }

  #description() {
    const axes = this.#axes.join(", ");
    return `Parallel axes: ${axes}. Each of ${this.#data.rows.length} rows is a line; a table follows.`;
  }
}

function leastToGreatest(ascending) {
  const [least, median, greatest] = [0, 0.5, 1].map((share) => numeral(quantile(ascending, share)));
  return `least ${least}, median ${median}, greatest ${greatest}`;
}

const AXIS = "axis";
const idOf = (at) => `${AXIS}${at}`;

/** Return the rows in the order of drawing: small values, which stand out, and the picked row come last. */
function drawingOrder(cells, picked) {
  const rank = (row) => (row === picked ? -Infinity : cells[row] ?? Infinity);
  return cells.map((_, row) => row).sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}

const coordinateOf = (column, row) => (column.isCategory ? levelOf(column, row) : column.cells[row]) ?? "-";

function axisOf(column, at, look) {
  const numbers = { type: column.isLog ? "log" : "value", scale: true };
  const names = { type: "category", data: column.levels, axisTick: { show: false } };
  return {
    dim: at,
    id: idOf(at),
    name: column.name,
    // a narrow page has an axis below another, with its name above
    nameLocation: look.narrow ? "start" : "end",
    ...(column.isCategory ? names : numbers),
  };
}

/** Return how strong lines are: of very many, even faint ones would cover those that are chosen. */
function opacitiesOf(count) {
  const width = 1.2;
  return count > VERY_MANY
    ? { lineStyle: { width, opacity: 0.2 }, activeOpacity: 0.3, inactiveOpacity: 0 }
    : { lineStyle: { width, opacity: 0.6 }, activeOpacity: 0.75, inactiveOpacity: 0.04 };
}

function parallelLook(look) {
  const shared = { bottom: 24, parallelAxisDefault: axisLook(look) };
  if (look.narrow) return { ...shared, layout: "vertical", top: 32, left: 24, right: 24 };
  return { ...shared, layout: "horizontal", top: 48, left: 48, right: 56 };
}

function axisLook(look) {
  // lines run behind the texts
  const text = { color: look.ink, overflow: "truncate", textBorderColor: look.paper, textBorderWidth: 3 };
  const names = { ...text, fontSize: 12, width: look.narrow ? 160 : 96 };
  const above = { align: "left", verticalAlign: "bottom", padding: [0, 0, 4, 0] };
  return {
    nameTextStyle: look.narrow ? { ...names, ...above } : names,
    nameGap: look.narrow ? 0 : 14,
    axisLine: { lineStyle: { color: look.ink, opacity: 0.5 } },
    axisTick: { lineStyle: { color: look.ink, opacity: 0.5 } },
    axisLabel: { ...text, fontSize: 11, width: 88, hideOverlap: true, formatter: axisLabelOf },
    areaSelectStyle: { width: 18, borderColor: look.ink, color: look.faint, opacity: 1 },
  };
}

const axisLabelOf = (value) => (typeof value === "number" ? numeral(value) : value);

function intervalsOf(column, limit) {
  if (limit === undefined) return [];
  if (!column.isCategory) return [[limit[0] ?? column.extent[0], limit[1] ?? column.extent[1]]];
  return [...limit].map((level) => column.levels.indexOf(level)).map((at) => [at - 0.4, at + 0.4]);
}

/** Return the limit that areas on an axis say; undefined if there are none. */
function limitOf(column, intervals) {
  if (intervals.length === 0) return undefined;
  if (!column.isCategory) return intervals[0];
  return new Set(column.levels.filter((_, at) => intervals.some(([low, high]) => low <= at && at <= high)));
}

function testOf(column, limit) {
  const { cells } = column;
  if (column.isCategory) return (row) => limit.has(String(cells[row]));
  const [low, high] = [limit[0] ?? -Infinity, limit[1] ?? Infinity];
  return (row) => cells[row] !== null && low <= cells[row] && cells[row] <= high;
}

/** Return the fields that limit a column: two numbers, or its levels to tick. */
function filterOf(column, limits, onlimit) {
  const { name, levels } = column;
  if (!column.isCategory) {
    const fields = rangeFields(name, column.extent, (range) =>
      onlimit(range.every((end) => end === null) ? undefined : range));
    return { element: group(name, fields.element), set: (limit) => fields.set(limit ?? [null, null]) };
  }
  const boxes = levels.slice(0, MOST_TICKS).map((level) => tick(level, false, (on) => {
    const ticked = new Set(limits.get(name));
    if (on) ticked.add(level);
    else ticked.delete(level);
    onlimit(ticked.size === 0 ? undefined : ticked);
  }));
  const set = (limit) => boxes.forEach((box, at) => {
    box.control.checked = limit?.has(levels[at]) ?? false;
  });
  return { element: group(name, boxes), set };
}

function legendOf({ name, extent, isLog }, look) {
  const bar = el("span", { class: "explore-scale", "aria-hidden": "true" });
  const shades = [0, 0.25, 0.5, 0.75, 1].map((at) => shade(at, look.dark));
  bar.style.background = `linear-gradient(to right, ${shades.join(", ")})`;
  const [low, high] = extent.map((end) => el("span", {}, numeral(end)));
  return [el("span", {}, isLog ? `${name} (log)` : name), low, bar, high];
}

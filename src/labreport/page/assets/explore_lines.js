import {button, el} from "./dom.js";
import {LiveChart, huesOf, tooltipOption} from "./explore_chart.js";
import {group, menu, paint, rangeFields, swatch, tick} from "./explore_controls.js";
import {curvesOf, poolable, pooledCurves} from "./explore_curves.js";
import {columnsOf, numeral} from "./explore_data.js";
import {rowTable} from "./rowtable.js";

const TOLD = 12; // values in the tooltip, those nearest to the pointer
const MANY_CURVES = 24; // curves that are drawn thin
const MOST_POWERS = 10; // of ten, with a label on an axis
const FEW_CURVES = 8; // curves whose bands can be told apart
const DASHES = ["solid", "dashed", "dotted", [10, 3, 2, 3]];
const MOST_LEVELS = 60; // that are offered to tick

/** Curves over a common x: which ones, of what, pooled or each, on which axes, over which range. */
export class LinesPlot {
  #data;
  #columns;
  #settings;
  #y;
  #colourBy;
  #pooled = ""; // the column over which curves are pooled
  #hidden = new Map(); // levels that are switched off, by column
  #logs;
  #range = [null, null];
  #pointerY = 0;
  #curves = [];
  #look;
  #live;
  #table;
  #rangeFields;
  #logTicks;
  #levels; // by column, what offers each of its levels
  #told = el("p", { class: "explore-told", role: "status" });

  constructor(echarts, section, thing, data) {
    this.#data = data;
    this.#columns = columnsOf(data);
    this.#settings = thing.explore;
    this.#y = thing.explore.y[0];
    this.#colourBy = thing.explore.by[0];
    const x = this.#columns.get(thing.explore.x);
    this.#logs = { x: x.isLog, y: this.#columns.get(this.#y).isWide };
    this.#rangeFields = rangeFields(x.name, x.extent, (range) => this.#chooseRange(range));
    this.#table = rowTable(thing.key, data.columns);
    this.#logTicks = new Map(["x", "y"].map((at) =>
      [at, tick(`log ${at}`, false, (on) => this.#chooseLog(at, on))]));
    this.#levels = new Map(thing.explore.by.map((name) => [name, this.#levelsOf(name)]));
    const plot = el("div", { class: "explore-plot" });
    section.append(
      this.#bar(), plot, this.#told,
      el("div", { class: "explore-filters" }, [...this.#levels.values()].map(({ element }) => element)),
      el("details", { class: "explore-more" }, el("summary", {}, "Data as a table"), this.#table.element));
    const { length } = curvesOf(this.#columns, thing.explore, this.#y);
    this.#live = new LiveChart(echarts, plot, length, (look) => this.#option(look));
    this.#live.chart.on("datazoom", () => this.#readZoom());
    this.#live.chart.getZr().on("mousemove", ({ offsetY }) => { this.#pointerY = offsetY; });
    this.#draw();
  }

  close() {
    this.#live.close();
  }

  #bar() {
    const { by, x, y } = this.#settings;
    const named = (names) => names.map((name) => [name, name]);
    const pools = poolable(this.#columns, by);
    const choices = [["", "each"], ...pools.map((name) => [name, `median over ${name}`])];
    return el("div", { class: "explore-bar" },
      y.length > 1 && menu("Show", named(y), this.#y, (name) => this.#chooseY(name)),
      by.length > 1 && menu("Colour", named(by), this.#colourBy, (name) => this.#chooseColour(name)),
      pools.length > 0 && menu("Curves", choices, "", (name) => this.#pool(name)),
      [...this.#logTicks.values()],
      el("span", { class: "explore-field" }, x, this.#rangeFields.element),
      button("Reset", () => this.#reset(), { class: "quiet" }));
  }

  #chooseY(name) {
    this.#y = name;
    this.#logs.y = this.#columns.get(name).isWide;
    this.#draw();
  }

  #chooseLog(at, on) {
    this.#logs[at] = on;
    this.#draw();
  }

  #chooseColour(name) {
    this.#colourBy = name;
    this.#draw();
  }

  #pool(name) {
    this.#pooled = name;
    for (const [column, { element }] of this.#levels) element.hidden = column === name;
    this.#draw();
  }

  #chooseRange(range) {
    this.#range = range;
    this.#draw();
  }

  #reset() {
    this.#hidden.clear();
    for (const { boxes } of this.#levels.values()) boxes.forEach((box) => { box.control.checked = true; });
    this.#range = [null, null];
    this.#rangeFields.set(this.#range);
    this.#draw();
  }

  #readZoom() {
    const [{ startValue, endValue }] = this.#live.chart.getOption().dataZoom;
    const [low, high] = this.#columns.get(this.#settings.x).extent;
    this.#range = [startValue <= low ? null : startValue, endValue >= high ? null : endValue];
    this.#rangeFields.set(this.#range);
    this.#live.chart.setOption({ yAxis: this.#axis("y") });
  }

  #draw() {
    const every = curvesOf(this.#columns, this.#settings, this.#y);
    const isOff = ({ levels }) => [...levels].some(([name, level]) => this.#isHidden(name, level));
    const shown = every.filter((curve) => !isOff(curve));
    this.#curves = this.#pooled === "" ? shown : pooledCurves(shown, this.#pooled);
    for (const [at, label] of this.#logTicks) {
      label.control.checked = this.#logs[at];
      label.hidden = !this.#canBeLog(at);
    }
    this.#live.draw();
    this.#tell(shown.length, every.length);
  }

  #canBeLog(at) {
    return this.#columns.get(at === "x" ? this.#settings.x : this.#y).extent[1] > 0;
  }

  #isHidden(name, level) {
    return this.#hidden.get(name)?.has(level) ?? false;
  }

  #tell(shown, all) {
    const { by, x } = this.#settings;
    const pooled = this.#pooled && `; median, and from the 10th to the 90th percentile, over ${this.#pooled}`;
    const curves = `${shown} of ${all} ${all === 1 ? "curve" : "curves"}`;
    this.#told.textContent = `${this.#y} over ${x}: ${curves}${pooled}`;
    const levelsOf = (row) => by.map((name) => [name, String(this.#columns.get(name).cells[row])]);
    const isShown = (row) => !levelsOf(row).some(([name, level]) => this.#isHidden(name, level));
    this.#table.show(this.#data.rows.flatMap((cells, id) => (isShown(id) ? [{ id, cells }] : [])));
  }

  /** Return boxes that switch the levels of a column on and off, each beside a mark of its curves. */
  #levelsOf(name) {
    const levels = this.#columns.get(name).levels.slice(0, MOST_LEVELS);
    const marks = levels.map(() => swatch());
    const boxes = levels.map((level, at) =>
      tick(level, true, (on) => this.#switch(name, level, on), marks[at]));
    const switchAll = () => this.#switchAll(name, levels, boxes);
    const all = levels.length > FEW_CURVES && button("All or none", switchAll, { class: "quiet" });
    return { element: group(name, boxes, all), boxes, marks };
  }

  #switchAll(name, levels, boxes) {
    const on = this.#hidden.get(name)?.size > 0;
    this.#hidden.set(name, new Set(on ? [] : levels));
    boxes.forEach((box) => { box.control.checked = on; });
    this.#draw();
  }

  #switch(name, level, on) {
    if (!this.#hidden.has(name)) this.#hidden.set(name, new Set());
    if (on) this.#hidden.get(name).delete(level);
    else this.#hidden.get(name).add(level);
    this.#draw();
  }

  #option(look) {
    this.#look = look;
    const styleOf = this.#styles(look);
    const lines = this.#curves.map((curve) => this.#line(curve, styleOf(curve)));
    const bands = this.#curves.flatMap((curve) =>
      curve.bands.map((band) => this.#band(band, styleOf(curve))));
    const tooltip = tooltipOption(look, "axis", (told) => this.#tip(told, styleOf));
    return {
      aria: { enabled: true, label: { description: this.#description() } },
      grid: { left: 8, right: 16, top: 30, bottom: 28, outerBoundsMode: "same", outerBoundsContain: "all" },
      tooltip: { ...tooltip, axisPointer: { lineStyle: { color: look.ink } } },
      xAxis: this.#axis("x"),
      yAxis: this.#axis("y"),
      dataZoom: this.#zooms(look),
      series: [...lines, ...bands],
    };
  }

  #axis(at) {
    const isLog = this.#logs[at];
    if (at === "x") {
      const axis = axisOfLines(this.#look, isLog, this.#wholeX());
      return { ...axis, name: this.#settings.x, nameLocation: "middle", nameGap: 24 };
    }
    const name = { name: this.#y, nameGap: 14, nameTextStyle: { align: "left", color: this.#look.ink } };
    const axis = axisOfLines(this.#look, isLog, this.#visibleY());
    // its ends have some air around what is shown, and are no round numbers
    return { ...axis, ...name, axisLabel: { ...axis.axisLabel, showMinLabel: isLog, showMaxLabel: isLog } };
  }

  /** Return how a curve looks: a colour for one column, a dash for another if that has few levels. */
  #styles(look) {
    const free = this.#settings.by.filter((name) => name !== this.#pooled);
    const colourBy = free.includes(this.#colourBy) ? this.#colourBy : free[0];
    const countOf = (name) => this.#columns.get(name)?.levels.length ?? 1;
    const dashBy = free.find((name) => name !== colourBy && countOf(name) <= DASHES.length);
    const hues = huesOf(countOf(colourBy), look.dark);
    for (const [name, { marks }] of this.#levels) {
      marks.forEach((mark, at) => {
        mark.hidden = name !== colourBy && name !== dashBy;
        paint(mark, name === colourBy ? hues[at] : look.ink, name === dashBy ? DASHES[at] : "solid");
      });
    }
    const levelAt = (curve, name) => this.#columns.get(name)?.levels.indexOf(curve.levels.get(name)) ?? 0;
    return (curve) => ({ colour: hues[levelAt(curve, colourBy)], dash: DASHES[levelAt(curve, dashBy)] });
  }

  #line(curve, { colour, dash }) {
    const isMany = this.#curves.length > MANY_CURVES;
    return {
      type: "line",
      data: curve.points.map(([x, y]) => (this.#isOnAxes(x, y) ? [x, y] : [x, "-"])),
      showSymbol: curve.points.length <= MANY_CURVES && !isMany,
      symbol: "circle",
      symbolSize: 5,
      itemStyle: { color: colour },
      lineStyle: { color: colour, type: dash, width: isMany ? 1 : 2, opacity: isMany ? 0.6 : 1 },
      emphasis: { disabled: true },
    };
  }

  /** Return an area between two bounds; ECharts stacks areas only on linear axes. */
  #band(points, { colour }) {
    const opacity = this.#curves.length > FEW_CURVES ? 0.08 : 0.16;
    const { min } = this.#visibleY();
    const shown = points.filter(([x, , high]) => this.#isOnAxes(x, high))
      .map(([x, low, high]) => [x, this.#logs.y ? Math.max(low, min) : low, high]);
    const upper = shown.map(([x, , high]) => [x, high]).reverse();
    const outline = [...shown.map(([x, low]) => [x, low]), ...upper];
    return {
      type: "custom",
      data: outline.slice(0, 1),
      clip: true,
      silent: true,
      z: 1,
      renderItem: (_, api) => {
        const points = outline.map((at) => api.coord(at));
        return { type: "polygon", shape: { points }, style: { fill: colour, opacity } };
      },
    };
  }

  #isOnAxes(x, y) {
    return (x > 0 || !this.#logs.x) && (y > 0 || !this.#logs.y);
  }

  #wholeX() {
    const { extent: [least, greatest], levels } = this.#columns.get(this.#settings.x);
    return { min: this.#logs.x ? Number(levels.find((level) => level > 0)) : least, max: greatest };
  }

  /** Return the part of the axis of x that is chosen; all of it where nothing is there. */
  #visibleX() {
    const whole = this.#wholeX();
    const [low, high] = this.#range;
    const [min, max] = [Math.max(low ?? whole.min, whole.min), Math.min(high ?? whole.max, whole.max)];
    return min < max ? { min, max } : whole;
  }

  /** Return the ends of the axis of y, for what the visible part of x shows, or for all where that is nothing. */
  #visibleY() {
    const { min, max } = this.#visibleX();
    const points = this.#curves.flatMap(({ points: own, bands }) => [...own, ...bands.flat()]);
    const shown = points.flatMap(([x, ...ys]) => ys.filter((y) => this.#isOnAxes(x, y)).map((y) => [x, y]));
    const inside = shown.filter(([x]) => min <= x && x <= max);
    const values = (inside.length > 0 ? inside : shown).map(([, y]) => y);
    if (values.length === 0) return {};
    const [least, greatest] = [Math.min, Math.max].map((end) => values.reduce((a, b) => end(a, b)));
    return padded(least, greatest, this.#logs.y);
  }

  #zooms(look) {
    const { min, max } = this.#visibleX();
    const shared = { xAxisIndex: 0, filterMode: "none", startValue: min, endValue: max };
    const slider = {
      type: "slider",
      height: 16,
      bottom: 4,
      left: 24,
      right: 24,
      showDetail: false,
      showDataShadow: false,
      brushSelect: false,
      moveHandleSize: 0,
      borderColor: look.faint,
      fillerColor: look.faint,
    };
    // a wheel alone scrolls the page
    return [{ ...shared, ...slider }, { ...shared, type: "inside", zoomOnMouseWheel: "ctrl" }];
  }

  /** Return the values of all curves at the nearest x, or near to it where a curve has no point there. */
  #tip([{ value: [x] }], styleOf) {
    const near = this.#curves.flatMap((curve) => {
      const point = pointNear(curve.points.filter((at) => this.#isOnAxes(...at)), x);
      return point === null ? [] : [{ curve, point }];
    });
    const heightOf = ({ point }) => this.#live.chart.convertToPixel({ yAxisIndex: 0 }, point[1]);
    const distance = (told) => Math.abs(heightOf(told) - this.#pointerY);
    const nearest = near.sort((a, b) => distance(a) - distance(b)).slice(0, TOLD);
    return nearest.length > 0 && el("table", {},
      el("caption", {}, `${this.#settings.x} ${numeral(x)}`),
      nearest.map(({ curve, point }) => {
        const { colour, dash } = styleOf(curve);
        const there = point[0] === x ? "" : ` at ${numeral(point[0])}`;
        return el("tr", {},
          el("th", {}, swatch(colour, dash), this.#nameOf(curve), there), el("td", {}, numeral(point[1])));
      }),
      near.length > TOLD && el("tr", {}, el("th", { colspan: 2 }, `${near.length - TOLD} more`)));
  }

  #nameOf({ levels }) {
    const isNumeric = (name) => this.#columns.get(name).isNumeric;
    const names = [...levels].map(([name, level]) => (isNumeric(name) ? `${name} ${level}` : level));
    return names.join(", ") || this.#y;
  }

  #description() {
    return `${this.#y} over ${this.#settings.x}, ${this.#curves.length} curves; the data follow as a table.`;
  }
}

/** Return the point of a curve nearest to an x; null if the curve begins later or has ended before. */
function pointNear(points, x) {
  if (points.length === 0 || x < points[0][0] || x > points.at(-1)[0]) return null;
  return points.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best));
}

/** Return the ends of an axis with some air around what it shows; none below zero where nothing is. */
function padded(least, greatest, isLog) {
  if (isLog) return { min: least / 1.2, max: greatest * 1.2 };
  const air = (greatest - least || Math.abs(greatest) || 1) * 0.05;
  return { min: least >= 0 ? Math.max(0, least - air) : least - air, max: greatest + air };
}

function axisOfLines(look, isLog, { min, max }) {
  const ticks = isLog && min !== undefined ? { customValues: logTicks(min, max) } : {};
  return {
    type: isLog ? "log" : "value",
    min,
    max,
    axisLine: { show: true, onZero: false, lineStyle: { color: look.ink, opacity: 0.5 } },
    axisTick: { show: true, ...ticks },
    axisLabel: { color: look.ink, fontSize: 11, hideOverlap: true, formatter: numeral, ...ticks },
    nameTextStyle: { color: look.ink, fontSize: 12 },
    splitLine: { lineStyle: { color: look.faint, opacity: 0.5 } },
  };
}

/** Return powers of ten between two numbers: not all of many, and with their double and fivefold if few. */
function logTicks(min, max) {
  const [first, last] = [Math.ceil(Math.log10(min)), Math.floor(Math.log10(max))];
  const stride = Math.ceil((last - first + 1) / MOST_POWERS);
  const steps = last - first < 2 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = first - 1; power <= last; power += Math.max(stride, 1)) {
    // 10 ** -3 times 5 is not exactly 0.005, but the text of it is read as that
    ticks.push(...steps.map((step) => Number(`${step}e${power}`)));
  }
  return ticks.filter((number) => min <= number && number <= max);
}

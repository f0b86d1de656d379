import {el} from "./dom.js";
import {unpackText} from "./unpack.js";

const NARROW_PLOT = 560; // CSS pixels
const MOST_SHAPES = 1500; // of SVG, which stays sharp at any zoom

let echartsLoading = null;

/** Load ECharts, the first time that a plot is asked for. */
export function loadECharts() {
  echartsLoading ??= unpackText("lr-echarts").then((text) => {
    const script = el("script");
    script.textContent = text; // exactly what the policy of the page allows
    document.head.append(script);
    return window.echarts;
  });
  return echartsLoading;
}

/** A chart in an element, which is described anew when its size or the theme changes. */
export class LiveChart {
  #element;
  #option;
  #ondrawn;
  #drawn = "";
  #watching = new AbortController();

  /**
   * @param {number} shapes  how many there will be: many are drawn as pixels, and can still be brushed smoothly
   * @param {(look: Look) => object} option  describes to ECharts what the chart shows
   * @param {() => void} ondrawn  says again what no description holds
   */
  constructor(echarts, element, shapes, option, ondrawn = () => {}) {
    this.#element = element;
    this.#option = option;
    this.#ondrawn = ondrawn;
    const renderer = shapes > MOST_SHAPES ? "canvas" : "svg";
    this.chart = echarts.init(element, null, { renderer, ...sizeOf(element) });
    const follow = () => this.#follow();
    const { signal } = this.#watching;
    const observers = [new ResizeObserver(follow), new MutationObserver(follow)];
    observers[0].observe(element);
    observers[1].observe(document.documentElement, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow, { signal });
    signal.addEventListener("abort", () => observers.forEach((observer) => observer.disconnect()));
  }

  /** Describe all anew: ECharts keeps nothing of what was chosen in the chart. */
  draw() {
    const look = lookOf(this.#element);
    this.#drawn = this.#state();
    this.chart.resize(sizeOf(this.#element));
    this.chart.setOption({ ...commonOption(look), ...this.#option(look) }, { notMerge: true });
    this.#ondrawn();
  }

  close() {
    this.#watching.abort();
    this.chart.dispose();
  }

  #follow() {
    if (this.#element.clientWidth === 0 || this.#drawn === this.#state()) return;
    this.draw();
  }

  #state() {
    return JSON.stringify([lookOf(this.#element), sizeOf(this.#element)]);
  }
}

// a chart in a hidden tab has no size yet, and ECharts complains of that
const sizeOf = (element) => ({ width: element.clientWidth || 600, height: element.clientHeight || 400 });

/**
 * @typedef {{ink: string, faint: string, paper: string, dark: boolean, narrow: boolean, font: string}} Look
 * @returns {Look} the colours and the font of the page around an element, and whether it is narrow
 */
function lookOf(element) {
  const style = getComputedStyle(element);
  const [red, green, blue] = pixelOf(style.color);
  const dark = red + green + blue > 1.5 * 255; // light text stands on a dark page
  return {
    dark,
    ink: `rgb(${red},${green},${blue})`,
    faint: `rgba(${red},${green},${blue},0.22)`,
    paper: dark ? "#1c1f24" : "#ffffff",
    narrow: element.clientWidth < NARROW_PLOT,
    font: style.fontFamily,
  };
}

/** Return a colour of CSS, however it is written, as red, green and blue. */
function pixelOf(colour) {
  const brush = el("canvas", { width: 1, height: 1 }).getContext("2d");
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  return brush.getImageData(0, 0, 1, 1).data;
}

function commonOption(look) {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { color: look.ink, fontFamily: look.font, fontSize: 12 },
  };
}

/** Return a tooltip that shows elements: texts from data never become markup. */
export function tooltipOption(look, trigger, formatter) {
  return {
    trigger,
    formatter,
    confine: true,
    transitionDuration: 0,
    className: "explore-tip",
    backgroundColor: look.paper,
    borderColor: look.faint,
    textStyle: { color: look.ink, fontSize: 12 },
  };
}

// viridis (Smith and van der Walt, 2015): its brightness grows evenly, so it can be read in grey
const VIRIDIS = [
  "#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
];

/** Return the colour of a share from 0 to 1; the small ones stand out from the page most. */
export function shade(share, dark) {
  // the other end of the scale would vanish in the page
  const at = (dark ? 1 - 0.65 * share : 0.7 * share) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const [from, to] = [channels(VIRIDIS[below]), channels(VIRIDIS[below + 1])];
  return `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * (at - below))).join(",")})`;
}

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

const HUES = {
  light: ["#0072b2", "#c44e00", "#00795a", "#a83e85", "#5d4fb8", "#7d6200"],
  dark: ["#56b4e9", "#ff9a57", "#35c79f", "#e79ccb", "#ada2f2", "#e3c44a"],
};

/** Return as many colours that can be told apart as there are levels; of many, the shades of a scale. */
export function huesOf(count, dark) {
  const hues = HUES[dark ? "dark" : "light"];
  if (count <= hues.length) return hues.slice(0, count);
  return Array.from({ length: count }, (_, at) => shade(at / (count - 1), dark));
}

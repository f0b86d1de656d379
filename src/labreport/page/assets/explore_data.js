const FEW_LEVELS = 8; // whole numbers of so few values are told apart like names: depths, sizes of a batch
const WIDE = 100; // the ratio from which curves are read better on a logarithmic axis

/** Return the columns of a figure's data by name, each with what a plot must know of it. */
export function columnsOf({ columns, rows }) {
  return new Map(columns.map((name, at) => [name, columnOf(name, rows.map((cells) => cells[at]))]));
}

function columnOf(name, cells) {
  const present = cells.filter((cell) => cell !== null);
  const isNumeric = present.length > 0 && present.every((cell) => typeof cell === "number");
  const levels = [...new Set(isNumeric ? [...present].sort((a, b) => a - b) : present.map(String))];
  const extent = isNumeric ? [levels[0], levels.at(-1)] : null;
  const isFew = isNumeric && levels.length <= FEW_LEVELS && levels.every(Number.isInteger);
  const isLog = isNumeric && isLogarithmic(extent, present.sort((a, b) => a - b));
  const isCategory = !isNumeric || isFew;
  const isWide = isNumeric && extent[0] > 0 && extent[1] > WIDE * extent[0];
  return { name, cells, isNumeric, isCategory, isLog, isWide, levels: levels.map(String), extent };
}

/** Return whether numbers span more than a decade and lie more evenly on a logarithmic axis. */
function isLogarithmic(extent, ascending) {
  if (extent[0] <= 0 || extent[1] <= 10 * extent[0]) return false;
  const unevenness = (isLog) => Math.abs(shareOf({ extent, isLog }, quantile(ascending, 0.5)) - 0.5);
  return unevenness(true) < unevenness(false);
}

/** Return the place of a cell among the levels of its column; null for a missing one. */
export function levelOf(column, row) {
  const cell = column.cells[row];
  return cell === null ? null : column.levels.indexOf(String(cell));
}

/** Return a quantile of numbers in ascending order, between two of them by a straight line. */
export function quantile(ascending, share) {
  const at = share * (ascending.length - 1);
  const below = Math.floor(at);
  const rest = at - below;
  return rest === 0 ? ascending[below] : ascending[below] * (1 - rest) + ascending[below + 1] * rest;
}

/** Return where a number lies between the ends of its column, from 0 to 1. */
export function shareOf({ extent: [low, high], isLog }, value) {
  if (low === high) return 0;
  const scale = isLog ? Math.log : (number) => number;
  return (scale(value) - scale(low)) / (scale(high) - scale(low));
}

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Return a number as a reader wants it beside others: four digits, a power of ten if it is small or large. */
export function numeral(number) {
  if (Number.isInteger(number) && Math.abs(number) < 1e6) return signed(String(number));
  const [digits, exponent] = Number(number.toPrecision(4)).toExponential().split("e").map(Number);
  if (exponent >= -3 && exponent < 6) return signed(String(Number(number.toPrecision(4))));
  const raised = [...String(Math.abs(exponent))].map((digit) => RAISED[digit]).join("");
  const power = `10${exponent < 0 ? "⁻" : ""}${raised}`;
  return digits === 1 ? power : `${signed(String(digits))} × ${power}`;
}

const signed = (text) => text.replace(/^-/, "−");

/** Return a cell of a table as a reader wants it: a number with few digits. */
export const cellText = (cell) => (typeof cell === "number" ? numeral(cell) : cell);

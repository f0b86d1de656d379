import {button, el, grouped} from "./dom.js";
import {cellText} from "./explore_data.js";

const ROWS_SHOWN = 200;

/**
 * Return a table of rows that sorts by its columns; if somebody is to be told, a row can be picked in it.
 * @param {{onpick: (id: ?number) => void, onpoint: (id: ?number) => void} | null} told  the row's number
 */
export function rowTable(name, columns, told = null) {
  const body = el("tbody", told === null ? {} : { onmouseleave: () => told.onpoint(null) });
  const more = button("", () => { count += ROWS_SHOWN; fill(); }, { class: "quiet more" });
  let [rows, sorting, count, picked] = [[], null, ROWS_SHOWN, null];

  function fill() {
    const ordered = sorting === null ? rows : [...rows].sort(byColumn(sorting));
    body.replaceChildren(...ordered.slice(0, count).map(line));
    more.hidden = rows.length <= count;
    const next = Math.min(ROWS_SHOWN, Math.max(0, rows.length - count));
    more.textContent = `${next} more of ${grouped(rows.length)} rows`;
  }
  function show(taken) {
    [rows, count] = [taken, ROWS_SHOWN];
    heads.forEach((head, at) => head.classList.toggle("number", typeof rows[0]?.cells[at] === "number"));
    fill();
  }
  function line({ id, cells }) {
    const texts = cells.map((cell) =>
      el("td", typeof cell === "number" ? { class: "number", title: String(cell) } : {}, cellText(cell)));
    if (told === null) return el("tr", {}, texts);
    const listening = { onclick: () => pick(id), onmouseenter: () => told.onpoint(id) };
    const attributes = { class: id === picked && "picked", "data-row": id, ...listening };
    return el("tr", attributes, el("td", {}, pickButton(id)), texts);
  }
  function pickButton(id) {
    const isPicked = id === picked;
    // the click of a button goes on to its row
    return el("button", {
      type: "button", "aria-pressed": String(isPicked), "aria-label": `Row ${id + 1} in the plot`,
    }, isPicked ? "●" : "○");
  }
  function pick(id) {
    picked = id === picked ? null : id;
    const focused = body.contains(document.activeElement);
    fill();
    if (focused) body.querySelector(`[data-row="${id}"] button`)?.focus();
    told.onpick(picked);
  }
  const heads = columns.map((column, at) => {
    const head = el("th", { scope: "col" }, button(column, () => {
      const isDown = sorting?.at === at && !sorting.isDown;
      sorting = { at, isDown };
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      fill();
    }));
    return head;
  });
  const element = el("div", { class: "data" },
    el("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": `Data of ${name}` },
      el("table", {}, el("thead", {}, el("tr", {}, told && el("td"), heads)), body)),
    more);
  return { element, pick, show };
}

/** Order rows by a column: numbers before texts, what is missing last in both directions. */
function byColumn({ at, isDown }) {
  const sign = isDown ? -1 : 1;
  return ({ cells: first }, { cells: second }) => {
    const [x, y] = [first[at], second[at]];
    if (x === null || y === null) return (x === null) - (y === null);
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  };
}

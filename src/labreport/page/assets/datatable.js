import {el, grouped} from "./dom.js";
import {rowTable} from "./rowtable.js";

/** Return data as a table that sorts by its columns, and can be taken along as CSV. */
export function dataTable(name, { columns, rows, total }) {
  const table = rowTable(name, columns);
  table.show(rows.map((cells, id) => ({ id, cells })));
  const count = el("span", { class: "muted" }, `${grouped(total)} rows`);
  return el("div", {}, el("div", { class: "bar" }, count, saveLink(name, columns, rows)), table.element);
}

function saveLink(name, columns, rows) {
  const link = el("a", { class: "quiet", download: `${name}.csv`, href: "#" }, "Save as CSV");
  link.addEventListener("click", () => {
    const lines = [columns, ...rows].map((cells) => cells.map(field).join(","));
    const url = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }));
    link.href = url;
    // the browser has begun to read it when this event is over
    setTimeout(() => { URL.revokeObjectURL(url); link.href = "#"; }, 1000);
  });
  return link;
}

function field(cell) {
  const text = cell === null ? "" : String(cell);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

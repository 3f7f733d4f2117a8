// Tables with real headers.

import { el } from "./dom.js";

/** Columns are {name, number}; a row is its cells, the first one its header. Cells are text or nodes. */
export function table(caption, columns, rows, kind = "") {
  return el(
    "table",
    { class: kind },
    el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, columns.map((column) => head(column)))),
    el("tbody", {}, rows.map((cells) => row(columns, cells))),
  );
}

/** One row of `table`. */
export function row(columns, cells, attributes = {}) {
  return el("tr", attributes, cells.map((cell, place) => place === 0
    ? el("th", { scope: "row" }, cell)
    : el("td", { class: columns[place].number ? "number" : null }, cell)));
}

function head(column) {
  return el("th", { scope: "col", class: column.number ? "number" : null }, column.name);
}

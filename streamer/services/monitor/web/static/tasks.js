// All tasks in one table; one of them is chosen.

import { byId, el, foreign, say } from "./dom.js";
import { count, percent, rate, seconds } from "./format.js";

const COLUMNS = [
  ["task"],
  ["tickets", (task) => rate(task.tickets_per_s)],
  ["coverage", (task) => percent(task.coverage.value)],
  ["expected", (task) => percent(task.coverage.reference)],
  ["judge share", (task) => percent(task.judge_share.value)],
  ["fidelity", (task) => `${percent(task.fidelity.value)} of ${count(task.fidelity.of)}`],
  ["p95 workers", (task) => seconds(task.latency.workers?.p95)],
  ["p95 judge", (task) => seconds(task.latency.judge?.p95)],
  ["labels", (task) => count(Object.values(task.labels).reduce((sum, number) => sum + number, 0))],
];

/** The table; `chosen` is told the task's name, at first by itself. */
export class Tasks {
  #rows = new Map();
  #body = el("tbody", { role: "rowgroup" });
  #chosen;
  chosen = null;

  constructor(chosen) {
    this.#chosen = chosen;
    byId("tasks-table").replaceChildren(el("p", { class: "none" }, "No data yet."));
  }

  show(tasks) {
    for (const [name, task] of Object.entries(tasks)) {
      if (!this.#rows.size) this.#begin();
      const cells = this.#rows.get(name) ?? this.#add(name);
      COLUMNS.slice(1).forEach(([, value], place) => say(cells[place], value(task)));
    }
    if (this.chosen === null && this.#rows.size) this.choose([...this.#rows.keys()][0]);
  }

  choose(name) {
    this.chosen = name;
    for (const [other, cells] of this.#rows) {
      const row = cells[0].parentNode;
      row.toggleAttribute("aria-current", other === name);
      row.querySelector("button").setAttribute("aria-pressed", other === name);
    }
    this.#chosen(name);
  }

  #begin() {
    byId("tasks-table").replaceChildren(el("table", { class: "tasks", role: "table" },
      el("caption", { class: "unseen" }, "Each task over the last minute"),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, COLUMNS.map(([name], place) =>
        el("th", { scope: "col", role: "columnheader", class: place ? "number" : null }, name)))),
      this.#body));
  }

  #add(name) {
    const cells = COLUMNS.slice(1).map(([column]) => el("td", { role: "cell", class: "number", "data-name": column }));
    const button = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.choose(name) }, foreign(name));
    this.#body.append(el("tr", { role: "row" }, el("th", { scope: "row", role: "rowheader" }, button), cells));
    this.#rows.set(name, cells);
    return cells;
  }
}

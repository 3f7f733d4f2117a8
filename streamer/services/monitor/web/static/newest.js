// The newest labels, as they are published.

import { byId, el, foreign, say } from "./dom.js";
import { count, probability, seconds, time } from "./format.js";
import { rule, verdict, votes } from "./votes.js";

const KEPT = 60;
const COLUMNS = ["time", "ticket", "task", "label", "confidence", "decided by", "took", "votes", "rule"];

/** The table; `find` is told the id of a ticket that was chosen. */
export class Newest {
  #find;
  #body = el("tbody", { role: "rowgroup" });
  #last = 0;
  #paused = false;
  #held = [];
  #anew = false;
  #told = { skipped: 0, trouble: null };

  constructor(find) {
    this.#find = find;
    byId("newest-table").append(
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, COLUMNS.map((name) =>
        el("th", { scope: "col", role: "columnheader" }, name)))),
      this.#body);
    byId("newest-pause").addEventListener("click", () => this.#pause());
  }

  /** `whole`: these are all that there are, and their numbers may have begun anew. */
  take({ whole, newest }) {
    const rows = whole ? newest.rows : newest.rows.filter((row) => row.number > this.#last);
    this.#last = newest.last;
    this.#anew ||= whole;
    this.#held = whole ? rows : [...rows, ...this.#held].slice(0, KEPT);
    if (!this.#paused) this.#release(!whole);
    this.#told = newest;
    this.#note();
  }

  #release(fresh) {
    if (this.#anew) this.#body.replaceChildren();
    this.#add(this.#held, fresh);
    this.#held = [];
    this.#anew = false;
  }

  #add(rows, fresh) {
    const shown = rows.slice(0, KEPT).map((row) => this.#row(row, fresh));
    this.#body.prepend(...shown);
    while (this.#body.children.length > KEPT) this.#body.lastChild.remove();
    const any = this.#body.children.length > 0;
    byId("newest-table").hidden = !any;
    byId("newest-none").hidden = any;
  }

  #note() {
    const { skipped, trouble } = this.#told;
    const parts = [];
    if (trouble !== null) parts.push(`labels can’t be read now: ${trouble}`);
    if (skipped) parts.push(`${count(skipped)} more came too fast to be shown`);
    if (this.#paused) parts.push(`paused, ${count(this.#held.length)} wait`);
    say(byId("newest-note"), parts.join(" · "));
  }

  #pause() {
    this.#paused = !this.#paused;
    byId("newest-pause").setAttribute("aria-pressed", this.#paused);
    if (!this.#paused) this.#release(true);
    this.#note();
  }

  #row(row, fresh) {
    const cell = (kind, ...children) => el("td", { role: "cell", class: kind }, ...children);
    const { label } = row;
    const id = el("button", { type: "button", class: "plain id", title: "Show its whole way",
      onclick: () => this.#find(row.ticket_id) }, foreign(row.ticket_id));
    const rest = label === null
      ? [cell("label soft", row.why), cell("sure"), cell("by"), cell("took"), cell("votes"), cell("rule")]
      : [cell("label", foreign(label.label)), cell("sure number", probability(label.confidence)), cell("by", verdict(label)),
        cell("took number", seconds(row.took_s)), cell("votes wide", votes(label)), cell("rule wide soft", rule(label.rule))];
    return el("tr", { role: "row", class: fresh ? "fresh" : null }, cell("time soft", time(row.at_ms)), cell("ticket", id),
      cell("task", foreign(row.task)), rest);
  }
}

// The published labels now, against what is to be expected.

import { bar } from "./bar.js";
import { byId, el, fill, foreign } from "./dom.js";
import { count, percent, points } from "./format.js";
import { table } from "./table.js";

const FEW = 10;
const COLUMNS = [
  { name: "label" },
  { name: "now" },
  { name: "share", number: true },
  { name: "expected", number: true },
  { name: "apart", number: true },
];

export class Distribution {
  #note = el("p", { class: "soft" });
  #place = el("div");
  #more = el("button", { type: "button", class: "plain", onclick: () => this.#toggle() });
  #all = false;
  #task = null;

  constructor() {
    byId("distribution").append(this.#note, this.#place, this.#more);
    this.#more.hidden = true;
  }

  show(task) {
    this.#task = task;
    const published = Object.values(task.distribution).reduce((sum, number) => sum + number, 0);
    const reference = task.reference ?? {};
    const names = [...new Set([...Object.keys(task.distribution), ...Object.keys(reference)])];
    const shares = names.map((name) => ({ name, now: published ? (task.distribution[name] ?? 0) / published : null,
      expected: task.reference ? reference[name] ?? 0 : null }));
    shares.sort((one, other) => (other.now ?? other.expected) - (one.now ?? one.expected) || one.name.localeCompare(other.name));
    fill(this.#note, published ? `${count(published)} published` : "No data yet",
      task.reference_from === null ? ", nothing to compare with yet" : [", the mark is ", foreign(task.reference_from)]);
    const shown = this.#all ? shares : shares.slice(0, FEW);
    const most = Math.max(...shares.map((share) => Math.max(share.now ?? 0, share.expected ?? 0)), 1e-9);
    fill(this.#place, shown.length ? table("Labels published now, against their expected shares", COLUMNS,
      shown.map((share) => row(share, most)), "shares") : []);
    this.#more.hidden = shares.length <= FEW;
    this.#more.textContent = this.#all ? "Show the most frequent alone" : `Show all ${shares.length}`;
  }

  #toggle() {
    this.#all = !this.#all;
    this.show(this.#task);
  }
}

function row({ name, now, expected }, most) {
  const apart = now === null || expected === null ? null : now - expected;
  return [foreign(name), bar(now, expected, most), percent(now), percent(expected), points(apart)];
}

// How often each two workers name the same label, and how often each gives none.

import { byId, el, fill, foreign } from "./dom.js";
import { count, percent, points } from "./format.js";

export function agreement(task) {
  const place = holder();
  const pairs = new Map(Object.entries(task.agreement));
  const workers = [...new Set([...Object.keys(task.abstaining), ...[...pairs.keys()].flatMap((pair) => pair.split("/"))])].sort();
  if (!workers.length) {
    fill(place, el("p", { class: "none" }, "No data yet."));
    return;
  }
  const between = (one, other) => pairs.get(`${one}/${other}`) ?? pairs.get(`${other}/${one}`) ?? null;
  fill(place,
    el("p", { class: "soft" }, "Of the tickets on which both voted; below, the distance from the calibration."),
    el("table", { class: "matrix" },
      el("caption", { class: "unseen" }, "Agreement of the workers"),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "worker"),
        workers.map((worker) => el("th", { scope: "col", class: "number" }, foreign(worker))),
        el("th", { scope: "col", class: "number" }, "abstains"))),
      el("tbody", {}, workers.map((one) => el("tr", {}, el("th", { scope: "row" }, foreign(one)),
        workers.map((other) => (one === other ? el("td", { class: "self" }, "–") : cell(between(one, other)))),
        cell(task.abstaining[one] ?? null))))));
}

function holder() {
  const section = byId("agreement");
  return section.querySelector("div") ?? section.appendChild(el("div", { class: "scroll", tabindex: 0, role: "region",
    "aria-label": "Agreement of the workers, a table" }));
}

function cell(share) {
  if (share === null || !share.of) return el("td", {}, el("span", { class: "soft" }, "no data"));
  const apart = share.reference === null ? null : el("small", {}, points(share.value - share.reference));
  return el("td", { title: `${count(share.hits)} of ${count(share.of)}` }, percent(share.value), apart ? el("br") : null, apart);
}

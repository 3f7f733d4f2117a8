// How the labels of the chosen task came about.

import { byId, el, fill, foreign } from "./dom.js";
import { count } from "./format.js";

const LISTS = [
  ["decided by", "labels"],
  ["the judge was asked because", "deferred"],
  ["published first, then", "verified"],
  ["a person was asked because", "reviews"],
];

export function sums(task) {
  const section = byId("sums");
  const list = section.querySelector("dl") ?? section.appendChild(el("dl", { class: "sums" }));
  fill(list, LISTS.map(([name, field]) => [el("dt", {}, name), el("dd", {}, counted(task[field]))]).flat());
}

function counted(numbers) {
  const found = Object.entries(numbers).filter(([, number]) => number).sort(([, one], [, other]) => other - one);
  if (!found.length) return "none";
  return found.map(([name, number]) => el("span", { class: "sum" }, foreign(name.replaceAll("_", " ")), ` ${count(number)} `));
}

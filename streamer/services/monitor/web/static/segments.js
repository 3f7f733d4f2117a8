// The segments that tickets took the ways of, against the shares that they were found with.

import { bar } from "./bar.js";
import { byId, el, fill, foreign } from "./dom.js";
import { count, percent, points } from "./format.js";
import { table } from "./table.js";

const COLUMNS = [
  { name: "segment" },
  { name: "now" },
  { name: "share", number: true },
  { name: "expected", number: true },
  { name: "fidelity", number: true },
];

export function segments(task) {
  const section = byId("segments");
  const found = Object.entries(task.segments).sort(([one], [other]) => one - other);
  section.hidden = !found.length;
  if (!found.length) return;
  const most = Math.max(...found.map(([, { share }]) => Math.max(share.value ?? 0, share.reference ?? 0)), 1e-9);
  fill(section.querySelector("p"), unrouted(task.unrouted));
  fill(section.querySelector("div"), table("Segments now, against the shares that they were found with", COLUMNS,
    found.map(([number, segment]) => row(number, segment, most)), "shares"));
}

function row(number, { name, share, fidelity }, most) {
  return [[`${number} `, name === null ? el("span", { class: "soft" }, "not expected") : foreign(name)],
    bar(share.value, share.reference, most), percent(share.value), percent(share.reference), agreed(fidelity)];
}

/** With how many audits it is of, and its distance from the first ones. */
function agreed({ value, hits, of, reference }) {
  if (!of) return el("span", { class: "soft" }, "no data");
  const apart = reference === null ? null : [el("br"), el("small", {}, points(value - reference))];
  return el("span", { title: `${count(hits)} of ${count(of)}` }, percent(value), apart);
}

function unrouted(reasons) {
  const found = Object.entries(reasons).filter(([, share]) => share.hits);
  if (!found.length) return "Shares of the tickets that took a segment’s way: all of them.";
  return ["Shares of the tickets that took a segment’s way. The general way took ",
    found.map(([reason, { value, reference }], place) => [place ? ", " : "", foreign(reason), ` ${percent(value)}`,
      reference === null ? "" : ` (expected ${percent(reference)})`]), "."];
}

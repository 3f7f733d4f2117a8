// The processes of classify, judge and table, as they were last heard of.

import { byId, el, fill } from "./dom.js";
import { count, seconds } from "./format.js";
import { table } from "./table.js";

const COLUMNS = [
  { name: "process" },
  { name: "service" },
  { name: "last heard", number: true },
  { name: "waiting", number: true },
  { name: "oldest", number: true },
  { name: "batches in flight", number: true },
  { name: "buffered", number: true },
  { name: "summaries lost", number: true },
];

export function processes(found) {
  if (!found.length) {
    fill(byId("processes-table"), el("p", { class: "none" }, "No data yet: no process was heard of."));
    return;
  }
  const rows = found.map(({ process, service, silent_s: silent, lost, gauges }) => [
    el("code", { title: process }, process.slice(0, 8)),
    service,
    `${seconds(Math.round(silent))} ago`,
    count(gauges.lag),
    seconds(gauges.oldest_s),
    count(gauges.in_flight),
    count(gauges.buffered),
    count(lost),
  ]);
  fill(byId("processes-table"), table("Processes", COLUMNS, rows));
}

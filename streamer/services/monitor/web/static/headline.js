// Three answers for whoever is on call: is it keeping up, is it right, what is wrong.

import { KINDS, nameOf, raised } from "./alarm_kinds.js";
import { byId, el, fill, foreign } from "./dom.js";
import { count, moment, percent, rate, seconds, several } from "./format.js";

const SILENT_S = 10;
const LATE_S = 10;

/** `state` is of the last minute, `longer` of the span that is shown, for what is rare. */
export function headline(state, longer) {
  const alarms = raised(state.alarms);
  fill(byId("headline"), keeping(state, alarms), right(longer ?? state, alarms), wrong(state, alarms));
}

function keeping(state, alarms) {
  const heard = state.processes.filter((process) => process.silent_s < SILENT_S);
  const classify = heard.filter((process) => process.service === "classify");
  const judges = heard.filter((process) => process.service === "judge");
  const oldest = highest(classify, "oldest_s");
  const mine = of("keeping", alarms);
  const facts = [
    `${rate(state.records_per_s)} in, ${count(total(classify, "lag"))} waiting`,
    `oldest ticket ${seconds(oldest)}, oldest at the judge ${seconds(highest(judges, "oldest_s"))}`,
    `${several(classify.length, "classify process", "classify processes")}, ${several(judges.length, "judge")}`,
  ];
  if (mine.length) return answer("Keeping up?", "No", worst(mine), [...mine.map(nameOf), ...facts.slice(0, 2)]);
  if (!state.processes.length) return answer("Keeping up?", "No data yet", "", ["no process was heard of"]);
  if (!classify.length) return answer("Keeping up?", "Nobody classifies", "warning", facts.slice(2));
  if (oldest > LATE_S) return answer("Keeping up?", `${seconds(oldest)} behind`, "warning", facts);
  return answer("Keeping up?", "Yes", "good", facts);
}

function right(state, alarms) {
  const tasks = Object.entries(state.tasks);
  const mine = of("right", alarms);
  const facts = tasks.slice(0, 4).map(([name, task]) => el("span", {}, foreign(name), `: ${fidelity(task)}`));
  if (tasks.length > 4) facts.push(`and ${several(tasks.length - 4, "task")} more`);
  if (mine.length) return answer("Right?", "Not as expected", worst(mine), [...mine.map(nameOf), ...facts]);
  if (!tasks.length) return answer("Right?", "No data yet", "", ["no label was heard of"]);
  const promises = tasks.map(([, task]) => task.promise).filter((promise) => promise !== null);
  const measured = promises.filter(({ audited }) => audited.of);
  if (!promises.length && tasks.some(([, task]) => task.fidelity.of)) return answer("Right?", "Not known: no promise", "", facts);
  if (!measured.length) return answer("Right?", "Not measured yet", "", facts);
  if (measured.some(({ audited }) => audited.value < audited.reference)) return answer("Right?", "Below the promise so far", "", facts);
  return answer("Right?", measured.length === tasks.length ? "Yes" : "Yes, where promised", "good", facts);
}

function wrong(state, alarms) {
  const dead = Object.entries(state.dead).filter(([, number]) => number);
  const facts = dead.map(([why, number]) => el("span", {}, `${several(number, "dead letter")} in the last minute: `, foreign(why)));
  if (!alarms.length && !state.processes.length) return answer("Wrong now", "No data yet", "", []);
  if (!alarms.length) return answer("Wrong now", "Nothing", "good", facts.length ? facts : ["no alarm now, no dead letter in the last minute"]);
  const first = alarms.slice(0, 3).map((alarm) => el("span", {}, foreign(alarm.text)));
  if (alarms.length > 3) first.push(el("a", { href: "#alarms" }, `and ${alarms.length - 3} more`));
  return answer("Wrong now", several(alarms.length, "alarm"), worst(alarms), [...first, ...facts]);
}

function answer(question, says, how, facts) {
  return el("div", { class: `answer ${how}` },
    el("h2", {}, question),
    el("p", { class: "says" }, says),
    el("ul", {}, facts.map((fact) => el("li", {}, fact))));
}

function fidelity({ fidelity: seen, promise }) {
  if (promise === null) return seen.of ? `${agrees(seen)} audited in this time, no promise` : "no audited label in this time, no promise";
  const { audited, since_ms: since } = promise;
  const promised = `promised ${percent(audited.reference)}`;
  return audited.of ? `${agrees(audited)} audited since ${moment(since)}, ${promised}` : `${promised}, no audited label since`;
}

function agrees(share) {
  return `the judge agrees with ${percent(share.value)} of ${count(share.of)}`;
}

function of(question, alarms) {
  return alarms.filter((alarm) => KINDS[alarm.kind]?.of === question);
}

function worst(alarms) {
  return alarms.some((alarm) => alarm.severity === "critical") ? "critical" : "warning";
}

function gauges(processes, name) {
  return processes.map((process) => process.gauges[name]).filter((value) => value !== undefined);
}

function highest(processes, name) {
  const values = gauges(processes, name);
  return values.length ? Math.max(...values) : null;
}

function total(processes, name) {
  const values = gauges(processes, name);
  return values.length ? values.reduce((sum, value) => sum + value, 0) : null;
}

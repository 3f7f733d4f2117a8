// One ticket's whole way: what it was, what became of it for each task, and every record about it.

import { el, foreign } from "./dom.js";
import { exactTime, moment, probability, seconds } from "./format.js";
import { spent } from "./spent.js";
import { table } from "./table.js";
import { rule, verdict } from "./votes.js";

const HOPS = [{ name: "time" }, { name: "after", number: true }, { name: "record" }, { name: "task" }, { name: "where" }, { name: "what" }];
const VOTES = [{ name: "worker" }, { name: "version" }, { name: "says" }, { name: "probability", number: true }];
const MOST = 5;

/** `found` is an inspection as `streamer inspect --json` writes it. */
export function way(found) {
  return el("article", { class: "way", "aria-label": "The ticket’s way" },
    el("h3", {}, "Ticket ", foreign(found.ticket_id)),
    found.occurrences.map(occurrence),
    facts([["trace id", found.trace_id && el("code", {}, found.trace_id)], ["looked back to", moment(found.since)]]),
    found.advice.length ? el("ul", {}, found.advice.map((line) => el("li", {}, foreign(line)))) : null,
    found.outcomes.map(outcome),
    hops(found.hops));
}

function occurrence(one) {
  const place = el("code", {}, `${one.topic}[${one.partition}]@${one.offset}`);
  const shown = [["lies at", place], ["arrived", one.at_ms && moment(new Date(one.at_ms).toISOString())],
    ["its own time", one.created_at && moment(one.created_at)], ["subject", one.subject && foreign(one.subject)]];
  const readable = one.there && one.problem === null;
  return [
    facts([...shown, ["text", unread(one) ?? (one.text === null ? "hidden here: monitor.text is off" : null)]]),
    readable && one.text !== null ? el("pre", {}, foreign(one.text)) : null,
  ];
}

function unread(one) {
  if (!one.there) return "no longer in Kafka";
  return one.problem === null ? null : `can’t be read: ${one.problem}`;
}

function outcome(one) {
  const label = one.state;
  return el("section", { class: "outcome", "aria-label": `Task ${one.task}` },
    el("h4", {}, foreign(one.task), ": ", label ? foreign(label.label) : one.deleted ? "deleted" : "no label"),
    one.waiting ? el("p", { class: "waiting" }, foreign(one.waiting)) : null,
    label ? [described(label, one.verdicts), votes(label)] : null,
    one.spent.length ? spent(one.spent) : null);
}

function described(label, verdicts) {
  const after = label.after && `${label.after.kind.replaceAll("_", " ")}, alpha ${label.after.alpha}`;
  return facts([
    ["decided by", `${verdict(label)}${label.judge ? ` (${label.judge})` : ""}, revision ${label.revision}, ${label.final ? "final" : "not final"}`],
    ["confidence", probability(label.confidence)],
    ["rule", foreign(rule(label.rule))],
    ["after the judge", after && foreign(after)],
    ...verdicts.filter((one) => Object.keys(one).length).map((one) => ["the judge said", foreign(likeliest(one))]),
    ["decided at", moment(label.decided_at)],
  ]);
}

function likeliest(shares) {
  const sorted = Object.entries(shares).sort(([, one], [, other]) => other - one);
  const shown = sorted.slice(0, MOST).map(([name, share]) => `${name} ${probability(share)}`).join(", ");
  return sorted.length > MOST ? `${shown}, and ${sorted.length - MOST} less likely` : shown;
}

function votes(label) {
  if (!label.votes.length) return null;
  const rows = label.votes.map((vote) => [
    foreign(vote.worker),
    foreign(vote.version ?? "–"),
    vote.label === null ? foreign(`abstained: ${vote.abstained}`) : [vote.label === label.label ? "" : "≠ ", foreign(vote.label)],
    probability(vote.probability),
  ]);
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Votes, a table" }, table("Votes", VOTES, rows));
}

function hops(found) {
  if (!found.length) return null;
  const first = found[0].at_ms;
  const rows = found.map((hop) => [
    exactTime(hop.at_ms),
    seconds((hop.at_ms - first) / 1000),
    hop.kind,
    foreign(hop.task ?? "–"),
    el("code", {}, `${hop.topic}[${hop.partition}]@${hop.offset}`),
    foreign(hop.note),
  ]);
  return el("section", { "aria-label": "Its records" }, el("h4", {}, "Every record about it"),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Records, a table" }, table("Records", HOPS, rows, "hops")));
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl", { class: "facts" }, known.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

// What the workers said, and what the rule made of it, in a line.

import { el, foreign } from "./dom.js";
import { probability } from "./format.js";

/** Each vote; those for another label are marked by a sign too, not by colour alone. */
export function votes(label) {
  return label.votes.map((vote) => {
    const same = vote.label === label.label;
    const said = vote.label === null ? `abstained: ${vote.abstained}` : vote.label;
    return el("span", { class: same ? "vote" : "vote other" },
      el("span", { class: "who" }, foreign(vote.worker), " "),
      el("b", {}, same || vote.label === null ? "" : "≠ ", foreign(said)),
      vote.probability === null ? "" : ` ${probability(vote.probability)}`);
  });
}

/** The rule and its numbers. */
export function rule(found) {
  const parts = [found.kind.replaceAll("_", " "), `${found.quorum} of ${found.of}`];
  if (found.worker) parts.push(found.worker);
  if (found.at_least !== null) parts.push(`${found.measure ?? "at least"} ≥ ${probability(found.at_least)}`);
  if (found.alpha !== null) parts.push(`alpha ${found.alpha}`);
  return parts.join(", ");
}

/** Who decided, and whether it is final; of a person's label, since when it is held. */
export function verdict(label) {
  if (label.source === "person") {
    const since = label.decided_at.slice(0, 16).replace("T", " ");
    return `person, since ${since}${label.carried ? ", carried" : ""}`;
  }
  if (label.released) return `${label.source}, released`;
  if (label.verdict) return `judge ${label.verdict}`;
  if (!label.final) return `${label.source}, judge is asked`;
  return label.source;
}

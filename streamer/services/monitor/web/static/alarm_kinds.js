// What each kind of alarm means, and which of the three questions it answers.

export const KINDS = {
  judge_queue_old: {
    name: "Judge queue is old",
    of: "keeping",
    means: "Tickets wait for the judge longer than is allowed: too few judges, or one that is stuck.",
  },
  service_silent: {
    name: "A process is silent",
    of: "keeping",
    means: "It told nothing for a while: it ended, hangs, or can't reach Kafka.",
  },
  summaries_lost: {
    name: "Summaries are missing",
    of: "keeping",
    means: "A process told more than arrived here: the sums on this page are too low.",
  },
  coverage_drift: {
    name: "Coverage drifts",
    of: "right",
    means: "The workers settle another share of tickets than when they were calibrated.",
  },
  agreement_drift: {
    name: "Agreement drifts",
    of: "right",
    means: "Two workers agree on another share of tickets than when they were calibrated.",
  },
  label_shift: {
    name: "Labels shift",
    of: "right",
    means: "The published labels are spread otherwise than the reference: the tickets changed, or a model did.",
  },
  fidelity_broken: {
    name: "Fidelity is below its promise",
    of: "right",
    means: "The judge agrees with the workers’ labels less often than was promised.",
  },
  segment_shift: {
    name: "Segments shift",
    of: "right",
    means: "The tickets are spread otherwise over the segments than when these were found.",
  },
  segment_gone: {
    name: "A segment dies",
    of: "right",
    means: "Less than a tenth of its tickets is left.",
  },
  segment_candidate: {
    name: "Tickets like no segment",
    of: "right",
    means: "Too many tickets are far from all segments: there may be a new one.",
  },
  segment_fidelity: {
    name: "Fidelity of a segment falls",
    of: "right",
    means: "In one segment the judge agrees with the workers’ labels less often than it did at first.",
  },
  worker_abstains: {
    name: "A worker abstains",
    of: "wrong",
    means: "It gives no vote on too many tickets: it is out, late, or answers nonsense.",
  },
  dead_letters: {
    name: "Dead letters",
    of: "wrong",
    means: "Too many inputs can't be read or processed. They are kept, and can be replayed.",
  },
};

/** What an alarm is about: the same for raising and clearing. */
export function identity(alarm) {
  return [alarm.kind, alarm.task ?? "", alarm.subject ?? ""].join("/");
}

/** Its kind's name; the kind itself where this page doesn't know it. */
export function nameOf(alarm) {
  return KINDS[alarm.kind]?.name ?? alarm.kind;
}

/** Those that are raised, the critical ones first, then the newest. */
export function raised(alarms) {
  return alarms
    .filter((alarm) => alarm.state === "raised")
    .sort((one, other) => one.severity.localeCompare(other.severity) || other.since.localeCompare(one.since));
}

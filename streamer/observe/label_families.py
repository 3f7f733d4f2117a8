"""The metrics of labels, and of those who decide them."""

from streamer.observe.family import MetricFamily

LABEL_FAMILIES: tuple[MetricFamily, ...] = (
    MetricFamily(
        "streamer_labels_total",
        "counter",
        ("task", "source"),
        "Labels decided, by who decided: workers, judge, pool, fallback or person.",
    ),
    MetricFamily(
        "streamer_deferred_total",
        "counter",
        ("task", "reason"),
        "Tickets that the workers did not settle, by the reason for asking the judge.",
    ),
    MetricFamily(
        "streamer_published_total",
        "counter",
        ("task", "label"),
        "Labels published, by what they say.",
    ),
    MetricFamily(
        "streamer_decisions_total",
        "counter",
        ("task", "outcome"),
        "Tickets that workers voted on: accepted by the rule or deferred. Coverage is the share of "
        "accepted.",
    ),
    MetricFamily(
        "streamer_stratum_total",
        "counter",
        ("task", "outcome"),
        "As streamer_decisions_total, of the uniform stratum alone.",
    ),
    MetricFamily(
        "streamer_ballots_total",
        "counter",
        ("task", "worker", "vote"),
        "Votes that a worker was asked for: given or abstained.",
    ),
    MetricFamily(
        "streamer_agreements_total",
        "counter",
        ("task", "one", "other", "agreed"),
        "Tickets on which both workers voted, by whether they agreed: yes or no.",
    ),
    MetricFamily(
        "streamer_audited_total",
        "counter",
        ("task", "agreed"),
        "Labels of the uniform stratum that the rule accepted and the judge looked at, by whether "
        "it agreed: yes or no.",
    ),
    MetricFamily(
        "streamer_calibration_audited_total",
        "counter",
        ("task", "calibration", "agreed"),
        "As streamer_audited_total, by the calibration that was in force when the rule accepted.",
    ),
    MetricFamily(
        "streamer_segments_total",
        "counter",
        ("task", "segment"),
        "Tickets by the segment whose way they took: its number, or general.",
    ),
    MetricFamily(
        "streamer_routed_total",
        "counter",
        ("task", "version"),
        "Tickets whose segment was asked for, by the version of the routing.",
    ),
    MetricFamily(
        "streamer_unrouted_total",
        "counter",
        ("task", "reason"),
        "Tickets that took the general way, by reason: unsure, far (too few of their words are "
        "known) or failed.",
    ),
    MetricFamily(
        "streamer_segment_audited_total",
        "counter",
        ("task", "segment", "agreed"),
        "As streamer_audited_total, by the segment whose way the ticket took.",
    ),
    MetricFamily(
        "streamer_routing_seconds",
        "histogram",
        (),
        "How long it took to name the segments of a batch.",
    ),
    MetricFamily(
        "streamer_routing_rows_total",
        "counter",
        (),
        "Tickets in the batches whose segments were named.",
    ),
    MetricFamily(
        "streamer_guarantee_suspended",
        "gauge",
        ("task",),
        "1 while the judge's budget acts, or other models answer than those that were calibrated.",
    ),
    MetricFamily(
        "streamer_table_total",
        "counter",
        ("event",),
        "What the table wrote: a state changed, a person's label carried to a newer message or "
        "released, what another process wrote late repaired, a label expired.",
    ),
    MetricFamily(
        "streamer_table_keys",
        "gauge",
        (),
        "Tickets and tasks with a label in the partitions that the table holds.",
    ),
    MetricFamily(
        "streamer_dead_letters_total",
        "counter",
        ("reason",),
        "Input records set aside as dead letters, by reason.",
    ),
    MetricFamily(
        "streamer_text_missing_total",
        "counter",
        ("pointer",),
        "Tickets that had no text behind this pointer of `input.text`, whether or not they had one "
        "behind another.",
    ),
    MetricFamily(
        "streamer_settled_total",
        "counter",
        ("lane", "why"),
        "Input records that were done without an output of their own.",
    ),
    MetricFamily(
        "streamer_tombstones_total",
        "counter",
        (),
        "Deletions of labels that were passed on.",
    ),
    MetricFamily(
        "streamer_republished_total",
        "counter",
        ("task",),
        "Judge requests that came again and were answered from memory.",
    ),
    MetricFamily(
        "streamer_verdicts_total",
        "counter",
        ("task", "purpose"),
        "Verdicts of the judge, by what they were for: decide, verify or audit.",
    ),
    MetricFamily(
        "streamer_verdict_tokens_total",
        "counter",
        ("task", "kind"),
        "Tokens that verdicts took: computed (of prompts), cached (of prompts, served from a cache "
        "of prefixes) or answered. Divided by streamer_verdicts_total: those of one. An endpoint "
        "that does not say which it had cached has computed all; one that says nothing has none.",
    ),
    MetricFamily(
        "streamer_verdicts_covered_total",
        "counter",
        ("task", "enough"),
        "Verdicts of a language model, by whether it gave all labels together at least "
        "`judge.min_coverage` of its probability: yes or no.",
    ),
    MetricFamily(
        "streamer_verdict_uncovered_ratio",
        "histogram",
        ("task",),
        "Share of its probability that a language model gave to other words than the labels.",
    ),
    MetricFamily(
        "streamer_verified_total",
        "counter",
        ("task", "verdict"),
        "Labels that were published first and judged then: confirmed or corrected.",
    ),
    MetricFamily(
        "streamer_reviews_total",
        "counter",
        ("task", "reason"),
        "Tickets that a person is asked about, by reason: nobody is sure, or the gold sample.",
    ),
    MetricFamily(
        "streamer_audits_given_up_total",
        "counter",
        ("task",),
        "Audits that the judge had no time for within `audit.patience`.",
    ),
    MetricFamily(
        "streamer_fidelity",
        "gauge",
        ("task", "bound"),
        "Share of the labels that the rule accepts which the judge gives too, by this process's "
        "verdicts on the uniform stratum. Its interval of 95 %, from low to high, holds at every "
        "look together. A new rule, calibration, label set or judge starts it anew.",
    ),
    MetricFamily(
        "streamer_ticket_latency_seconds",
        "histogram",
        ("task", "source"),
        "From the ticket's own time to its label. A backlog counts.",
    ),
    MetricFamily(
        "streamer_service_latency_seconds",
        "histogram",
        ("task", "source"),
        "From when this service first saw the ticket to its label. A backlog does not count.",
    ),
    MetricFamily(
        "streamer_abstentions_total",
        "counter",
        ("worker", "reason"),
        "Votes that a worker did not give.",
    ),
    MetricFamily(
        "streamer_shadow_answers_total",
        "counter",
        ("worker", "version", "outcome"),
        "Tickets that a shadow version was drawn for, by outcome: given, unusable or outage.",
    ),
    MetricFamily(
        "streamer_worker_calls_total",
        "counter",
        ("worker",),
        "Batches that a worker answered.",
    ),
    MetricFamily(
        "streamer_worker_rows_total",
        "counter",
        ("worker",),
        "Tickets in the batches that a worker answered.",
    ),
    MetricFamily(
        "streamer_worker_call_seconds",
        "histogram",
        ("worker",),
        "How long a batch waited for a worker's answer, retries included.",
    ),
    MetricFamily(
        "streamer_worker_retries_total",
        "counter",
        ("worker",),
        "Calls of a worker that failed and were repeated.",
    ),
    MetricFamily(
        "streamer_worker_refused_total",
        "counter",
        ("worker",),
        "Single tickets that a worker could not answer.",
    ),
    MetricFamily(
        "streamer_worker_versions_total",
        "counter",
        ("worker",),
        "Versions of a worker's model that were met for the first time.",
    ),
    MetricFamily(
        "streamer_breaker_open",
        "gauge",
        ("worker",),
        "1 while a worker is out and left alone, else 0.",
    ),
    MetricFamily(
        "streamer_judge_budget_calls",
        "gauge",
        ("task",),
        "Judge calls that a task's budget allows at once now; only where it has one.",
    ),
    MetricFamily(
        "streamer_judge_budget_spent_ratio",
        "gauge",
        ("task",),
        "Share of the saved judge calls that is spent: 0 when the bucket is full, 1 when the next "
        "call must wait.",
    ),
    MetricFamily(
        "streamer_judge_requests_total",
        "counter",
        ("outcome",),
        "Requests to the judge's endpoint, by outcome: answered, busy (it asked for fewer), failed "
        "or refused. All but the answered ones are repeated.",
    ),
    MetricFamily(
        "streamer_judge_tokens_total",
        "counter",
        (),
        "Tokens that the judge's endpoint charged for, of prompts and answers.",
    ),
    MetricFamily(
        "streamer_judge_tokens_left",
        "gauge",
        (),
        "Tokens that judge.endpoint.tokens_per_hour allows at once now; only where it is set.",
    ),
    MetricFamily(
        "streamer_judge_tokens_spent_ratio",
        "gauge",
        (),
        "Share of the saved tokens that is spent: 0 when the bucket is full, 1 when it is empty.",
    ),
)

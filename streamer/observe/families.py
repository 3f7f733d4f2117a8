"""Every metric that the services publish."""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class Family(NamedTuple):
    """One metric: its name, kind, labels, and what it says."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str


# The attributes that OpenTelemetry's conventions require of messaging metrics, in Prometheus form.
_STANDARD = ("messaging_system", "messaging_operation_name", "messaging_destination_name")

FAMILIES: tuple[Family, ...] = (
    Family(
        "streamer_labels_total",
        "counter",
        ("task", "source"),
        "Labels decided, by who decided: workers, judge, fallback or person.",
    ),
    Family(
        "streamer_deferred_total",
        "counter",
        ("task", "reason"),
        "Tickets that the workers did not settle, by the reason for asking the judge.",
    ),
    Family(
        "streamer_published_total",
        "counter",
        ("task", "label"),
        "Labels published, by what they say.",
    ),
    Family(
        "streamer_decisions_total",
        "counter",
        ("task", "outcome"),
        "Tickets that workers voted on: accepted by the rule or deferred. Coverage is the share of "
        "accepted.",
    ),
    Family(
        "streamer_stratum_total",
        "counter",
        ("task", "outcome"),
        "As streamer_decisions_total, of the uniform stratum alone.",
    ),
    Family(
        "streamer_ballots_total",
        "counter",
        ("task", "worker", "vote"),
        "Votes that a worker was asked for: given or abstained.",
    ),
    Family(
        "streamer_agreements_total",
        "counter",
        ("task", "one", "other", "agreed"),
        "Tickets on which both workers voted, by whether they agreed: yes or no.",
    ),
    Family(
        "streamer_audited_total",
        "counter",
        ("task", "agreed"),
        "Labels of the uniform stratum that the rule accepted and the judge looked at, by whether "
        "it agreed: yes or no.",
    ),
    Family(
        "streamer_calibration_audited_total",
        "counter",
        ("task", "calibration", "agreed"),
        "As streamer_audited_total, by the calibration that was in force when the rule accepted.",
    ),
    Family(
        "streamer_segments_total",
        "counter",
        ("task", "segment"),
        "Tickets by the segment whose way they took: its number, or general.",
    ),
    Family(
        "streamer_routed_total",
        "counter",
        ("task", "version"),
        "Tickets whose segment was asked for, by the version of the routing.",
    ),
    Family(
        "streamer_unrouted_total",
        "counter",
        ("task", "reason"),
        "Tickets that took the general way, by reason: unsure, far (too few of their words are "
        "known) or failed.",
    ),
    Family(
        "streamer_segment_audited_total",
        "counter",
        ("task", "segment", "agreed"),
        "As streamer_audited_total, by the segment whose way the ticket took.",
    ),
    Family(
        "streamer_routing_seconds",
        "histogram",
        (),
        "How long it took to name the segments of a batch.",
    ),
    Family(
        "streamer_routing_rows_total",
        "counter",
        (),
        "Tickets in the batches whose segments were named.",
    ),
    Family(
        "streamer_guarantee_suspended",
        "gauge",
        ("task",),
        "1 while the judge's budget acts, or other models answer than those that were calibrated.",
    ),
    Family(
        "streamer_dead_letters_total",
        "counter",
        ("reason",),
        "Input records set aside as dead letters, by reason.",
    ),
    Family(
        "streamer_text_missing_total",
        "counter",
        ("pointer",),
        "Tickets that had no text behind this pointer of `input.text`, whether or not they had one "
        "behind another.",
    ),
    Family(
        "streamer_settled_total",
        "counter",
        ("lane", "why"),
        "Input records that were done without an output of their own.",
    ),
    Family(
        "streamer_tombstones_total",
        "counter",
        (),
        "Deletions of labels that were passed on.",
    ),
    Family(
        "streamer_republished_total",
        "counter",
        ("task",),
        "Judge requests that came again and were answered from memory.",
    ),
    Family(
        "streamer_verdicts_total",
        "counter",
        ("task", "purpose"),
        "Verdicts of the judge, by what they were for: decide, verify or audit.",
    ),
    Family(
        "streamer_verified_total",
        "counter",
        ("task", "verdict"),
        "Labels that were published first and judged then: confirmed or corrected.",
    ),
    Family(
        "streamer_reviews_total",
        "counter",
        ("task", "reason"),
        "Tickets that a person is asked about, by reason: nobody is sure, or the gold sample.",
    ),
    Family(
        "streamer_audits_given_up_total",
        "counter",
        ("task",),
        "Audits that the judge had no time for within `audit.patience`.",
    ),
    Family(
        "streamer_fidelity",
        "gauge",
        ("task", "bound"),
        "Share of the labels that the rule accepts which the judge gives too, by this process's "
        "verdicts on the uniform stratum. Its interval of 95 %, from low to high, holds at every "
        "look together. A new rule, calibration, label set or judge starts it anew.",
    ),
    Family(
        "streamer_ticket_latency_seconds",
        "histogram",
        ("task", "source"),
        "From the ticket's own time to its label. A backlog counts.",
    ),
    Family(
        "streamer_service_latency_seconds",
        "histogram",
        ("task", "source"),
        "From when this service first saw the ticket to its label. A backlog does not count.",
    ),
    Family(
        "streamer_abstentions_total",
        "counter",
        ("worker", "reason"),
        "Votes that a worker did not give.",
    ),
    Family(
        "streamer_shadow_answers_total",
        "counter",
        ("worker", "version", "outcome"),
        "Tickets that a shadow version was drawn for, by outcome: given, unusable or outage.",
    ),
    Family(
        "streamer_worker_calls_total",
        "counter",
        ("worker",),
        "Batches that a worker answered.",
    ),
    Family(
        "streamer_worker_rows_total",
        "counter",
        ("worker",),
        "Tickets in the batches that a worker answered.",
    ),
    Family(
        "streamer_worker_call_seconds",
        "histogram",
        ("worker",),
        "How long a batch waited for a worker's answer, retries included.",
    ),
    Family(
        "streamer_worker_retries_total",
        "counter",
        ("worker",),
        "Calls of a worker that failed and were repeated.",
    ),
    Family(
        "streamer_worker_refused_total",
        "counter",
        ("worker",),
        "Single tickets that a worker could not answer.",
    ),
    Family(
        "streamer_worker_versions_total",
        "counter",
        ("worker",),
        "Versions of a worker's model that were met for the first time.",
    ),
    Family(
        "streamer_breaker_open",
        "gauge",
        ("worker",),
        "1 while a worker is out and left alone, else 0.",
    ),
    Family(
        "streamer_judge_budget_calls",
        "gauge",
        ("task",),
        "Judge calls that a task's budget allows at once now; only where it has one.",
    ),
    Family(
        "streamer_judge_budget_spent_ratio",
        "gauge",
        ("task",),
        "Share of the saved judge calls that is spent: 0 when the bucket is full, 1 when the next "
        "call must wait.",
    ),
    Family(
        "messaging_process_duration_seconds",
        "histogram",
        _STANDARD,
        "How long a batch of this topic took to process.",
    ),
    Family(
        "messaging_client_operation_duration_seconds",
        "histogram",
        _STANDARD,
        "How long a call of Kafka took, by operation: poll (waiting for records included), send "
        "(of a batch of records for one partition, until Kafka acknowledged it) or commit.",
    ),
    Family(
        "messaging_client_sent_messages_total",
        "counter",
        _STANDARD,
        "Records of a topic that Kafka acknowledged.",
    ),
    Family(
        "messaging_client_consumed_messages_total",
        "counter",
        _STANDARD,
        "Records of a topic that Kafka handed out.",
    ),
    Family(
        "streamer_batch_records",
        "histogram",
        ("messaging_destination_name",),
        "Records in a batch of this topic, as the handler got it.",
    ),
    Family(
        "streamer_records_total",
        "counter",
        ("lane",),
        "Records read.",
    ),
    Family(
        "streamer_batches_total",
        "counter",
        ("lane",),
        "Batches given to the handler.",
    ),
    Family(
        "streamer_redelivered_total",
        "counter",
        ("lane",),
        "Records that came again after a rebalance, as far as this process had read them before.",
    ),
    Family(
        "streamer_emissions_total",
        "counter",
        ("lane",),
        "Output records that Kafka acknowledged.",
    ),
    Family(
        "streamer_commits_total",
        "counter",
        ("lane",),
        "Commits of offsets.",
    ),
    Family(
        "streamer_commits_lost_total",
        "counter",
        ("lane",),
        "Commits that failed because they came too late: another member has the partitions and "
        "reads again. Any other failure ends the process.",
    ),
    Family(
        "streamer_rebalances_total",
        "counter",
        ("lane",),
        "Times the group moved this member's partitions.",
    ),
    Family(
        "streamer_in_flight",
        "gauge",
        ("lane",),
        "Batches being worked on.",
    ),
    Family(
        "streamer_buffered",
        "gauge",
        ("lane",),
        "Records read and waiting for a free slot.",
    ),
    Family(
        "streamer_held_bytes",
        "gauge",
        ("lane",),
        "Memory that the records which wait and those in flight are counted with: key, headers and "
        "value, times the copies that are made of them. The flow's max_bytes bounds it.",
    ),
    Family(
        "streamer_lag_records",
        "gauge",
        ("lane", "partition"),
        "Unfinished records of a partition that is read here or by nobody, unread ones included.",
    ),
    Family(
        "streamer_oldest_record_seconds",
        "gauge",
        ("lane",),
        "Age of the oldest record that is read and unfinished, by its Kafka timestamp; 0 if none.",
    ),
    Family(
        "streamer_watermark_age_seconds",
        "gauge",
        ("lane",),
        "Time since anything was last finished; 0 while nothing is unfinished.",
    ),
    Family(
        "streamer_poll_age_seconds",
        "gauge",
        ("lane",),
        "Time since Kafka was last polled: it throws out a member that doesn't.",
    ),
    Family(
        "streamer_alarm",
        "gauge",
        ("kind", "task", "subject", "severity"),
        "1 while an alarm of the monitor stands, by severity: critical or warning.",
    ),
    Family(
        "streamer_summaries_total",
        "counter",
        ("outcome",),
        "Summaries that the monitor read: added, repeated (not added again), stale (of a time that "
        "is not kept) or unreadable.",
    ),
    Family(
        "streamer_summaries_behind",
        "gauge",
        (),
        "Summaries on the topic that the monitor has not taken yet.",
    ),
    Family(
        "streamer_spans_total",
        "counter",
        (),
        "Spans that were made, dropped ones included.",
    ),
    Family(
        "streamer_spans_dropped_total",
        "counter",
        ("reason",),
        "Spans that were lost: queue_full where the collector is too slow, refused where it did "
        "not take them, too_many where more errors than 100 in a second were left out.",
    ),
)

"""The metrics of a process and its clients, whatever it works on."""

from streamer.observe.family import MetricFamily

# The attributes that OpenTelemetry's conventions require of messaging metrics, in Prometheus form.
_STANDARD = ("messaging_system", "messaging_operation_name", "messaging_destination_name")

PROCESS_FAMILIES: tuple[MetricFamily, ...] = (
    MetricFamily(
        "messaging_process_duration_seconds",
        "histogram",
        _STANDARD,
        "How long a batch of this topic took to process.",
    ),
    MetricFamily(
        "messaging_client_operation_duration_seconds",
        "histogram",
        _STANDARD,
        "How long a call of Kafka took, by operation: poll (waiting for records included), send "
        "(of a batch of records for one partition, until Kafka acknowledged it) or commit.",
    ),
    MetricFamily(
        "messaging_client_sent_messages_total",
        "counter",
        _STANDARD,
        "Records of a topic that Kafka acknowledged.",
    ),
    MetricFamily(
        "messaging_client_consumed_messages_total",
        "counter",
        _STANDARD,
        "Records of a topic that Kafka handed out.",
    ),
    MetricFamily(
        "streamer_batch_records",
        "histogram",
        ("messaging_destination_name",),
        "Records in a batch of this topic, as the handler got it.",
    ),
    MetricFamily(
        "streamer_records_total",
        "counter",
        ("lane",),
        "Records read.",
    ),
    MetricFamily(
        "streamer_batches_total",
        "counter",
        ("lane",),
        "Batches given to the handler.",
    ),
    MetricFamily(
        "streamer_redelivered_total",
        "counter",
        ("lane",),
        "Records that came again after a rebalance, as far as this process had read them before.",
    ),
    MetricFamily(
        "streamer_emissions_total",
        "counter",
        ("lane",),
        "Output records that Kafka acknowledged.",
    ),
    MetricFamily(
        "streamer_commits_total",
        "counter",
        ("lane",),
        "Commits of offsets.",
    ),
    MetricFamily(
        "streamer_commits_lost_total",
        "counter",
        ("lane",),
        "Commits that failed because they came too late: another member has the partitions and "
        "reads again. Any other failure ends the process.",
    ),
    MetricFamily(
        "streamer_rebalances_total",
        "counter",
        ("lane",),
        "Times the group moved this member's partitions.",
    ),
    MetricFamily(
        "streamer_in_flight",
        "gauge",
        ("lane",),
        "Batches being worked on.",
    ),
    MetricFamily(
        "streamer_buffered",
        "gauge",
        ("lane",),
        "Records read and waiting for a free slot.",
    ),
    MetricFamily(
        "streamer_held_bytes",
        "gauge",
        ("lane",),
        "Memory that the records which wait and those in flight are counted with: key, headers and "
        "value, times the copies that are made of them. The flow's max_bytes bounds it.",
    ),
    MetricFamily(
        "streamer_lag_records",
        "gauge",
        ("lane", "partition"),
        "Unfinished records of a partition that is read here or by nobody, unread ones included.",
    ),
    MetricFamily(
        "streamer_oldest_record_seconds",
        "gauge",
        ("lane",),
        "Age of the oldest record that is read and unfinished, by its Kafka timestamp; 0 if none.",
    ),
    MetricFamily(
        "streamer_watermark_age_seconds",
        "gauge",
        ("lane",),
        "Time since anything was last finished; 0 while nothing is unfinished.",
    ),
    MetricFamily(
        "streamer_poll_age_seconds",
        "gauge",
        ("lane",),
        "Time since Kafka was last polled: it throws out a member that doesn't.",
    ),
    MetricFamily(
        "streamer_alarm",
        "gauge",
        ("kind", "task", "subject", "severity"),
        "1 while an alarm of the monitor stands, by severity: critical or warning.",
    ),
    MetricFamily(
        "streamer_summaries_total",
        "counter",
        ("outcome",),
        "Summaries that the monitor read: added, repeated (not added again), stale (of a time that "
        "is not kept) or unreadable.",
    ),
    MetricFamily(
        "streamer_summaries_behind",
        "gauge",
        (),
        "Summaries on the topic that the monitor has not taken yet.",
    ),
    MetricFamily(
        "streamer_spans_total",
        "counter",
        (),
        "Spans that were made, dropped ones included.",
    ),
    MetricFamily(
        "streamer_spans_dropped_total",
        "counter",
        ("reason",),
        "Spans that were lost: queue_full where the collector is too slow, refused where it did "
        "not take them, too_many where more errors than 100 in a second were left out.",
    ),
)

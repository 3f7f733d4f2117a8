"""What should be known of the topics' retention."""

from collections.abc import Iterator, Mapping

from streamer.config.settings import Settings
from streamer.monitoring.alarms.processes import PART_OF_RETENTION
from streamer.stream.retention import Config, Retention, said, text_topics


def warnings(settings: Settings, configs: Mapping[str, Config]) -> Iterator[str]:
    """What is not wrong, but should be known of the topics' retention."""
    topics = settings.topics
    for name in text_topics(topics):
        # A compacted one is wrong altogether, which is said elsewhere.
        deletes = "delete" in configs.get(name, {}).get("cleanup.policy", "")
        if deletes and Retention.of(configs[name]).at_least is None:
            yield f"topic {name!r} keeps what tickets say for ever: set retention.ms"
    audits = Retention.of(configs.get(topics.audit, {})).at_least
    if audits is not None and audits.total_seconds() < settings.audit.patience:
        yield (
            f"topic {topics.audit!r} keeps audits for {said(audits)}, less than audit.patience "
            f"({settings.audit.patience:g} s): raise retention.ms, or lower audit.patience"
        )
    requests = Retention.of(configs.get(topics.judge, {})).at_least
    age = settings.monitor.alarms.judge_queue_age
    if requests is not None and age > PART_OF_RETENTION * requests.total_seconds():
        yield (
            f"topic {topics.judge!r} keeps requests for {said(requests)}, and "
            f"monitor.alarms.judge_queue_age ({age:g} s) is more than a quarter of that: raise "
            "retention.ms, or lower the alarm"
        )

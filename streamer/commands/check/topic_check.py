"""Whether the topics exist and keep what they must."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from streamer.commands.check.retention_check import warnings
from streamer.commands.topic_recipe import SEEN_BY_THE_TABLE_MS, by_hand
from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError
from streamer.services.runtime.kafka import MARGIN, kafka_clients
from streamer.stream.retention import Retention, text_topics, topic_config
from streamer.stream.topics import misspelt
from streamer.words import did_you_mean


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What is wrong with the topics, what should be known, and how long text is kept in each.

    `there` are those of the configured topics that Kafka has.
    """

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    there: tuple[str, ...] = ()


async def topic_report(settings: Settings) -> TopicReport:
    """One line for each topic that is missing or set up wrongly, or for Kafka itself."""
    topics = settings.topics
    where = f"kafka {settings.kafka.bootstrap}"
    names = topics.names
    try:
        async with kafka_clients(settings.kafka).admin() as admin:
            there = set(await admin.list_topics())
            existing = [name for name in names if name in there]
            configs = {name: await topic_config(admin, name) for name in existing}
            described = await admin.describe_topics(existing) if existing else []
    except (ConfigError, BrokerError) as error:
        return TopicReport((str(error),))
    except KafkaError as error:
        line = f"{where}: {error!r}; look at the brokers' health and this user's rights"
        return TopicReport((line,))
    counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
    missing = [
        f"{where}: no topic {name!r}{_mended(settings, name, there)}"
        for name in names
        if name not in there
    ]
    wrong = [
        f"{where}: topic {name!r}: {problem}"
        for name in existing
        for problem in problems(name, configs[name], settings)
    ]
    return TopicReport(
        problems=(*missing, *wrong, *_uneven(settings, counts, where)),
        warnings=(
            *_scattered(settings, counts),
            *_forgotten_early(settings, configs),
            *warnings(settings, configs),
        ),
        kept=tuple(
            f"text in {name}: {Retention.of(configs[name])}"
            for name in text_topics(topics)
            if name in configs
        ),
        there=tuple(existing),
    )


def problems(name: str, config: Mapping[str, str], settings: Settings) -> Iterator[str]:
    """What is wrong with the settings of a topic, each with what to do."""
    policy = config.get("cleanup.policy", "")
    states = [topic for topic in (settings.topics.labels, settings.topics.current) if topic]
    if "compact" in policy and name not in states:
        yield (
            f"cleanup.policy is {policy!r}, so records would vanish before they are read; "
            f"only {' and '.join(states)} may be compacted: set it to 'delete'"
        )
    if name == settings.topics.current and policy != "compact":
        yield (
            f"cleanup.policy is {policy!r}: a label that stands would vanish with its age; set it "
            "to 'compact'"
        )
    needed = settings.kafka.max_record_bytes + MARGIN
    allowed = int(config.get("max.message.bytes", needed))
    if name != settings.topics.tickets and allowed < needed:
        yield (
            f"max.message.bytes is {allowed}, less than kafka.max_record_bytes and 64 KiB "
            f"({needed}): raise it, or lower kafka.max_record_bytes"
        )


def _mended(settings: Settings, name: str, there: Set[str]) -> str:
    """What to do about a topic that is missing: of all, only tickets are written by others."""
    hint = ""
    if name == settings.topics.tickets:
        others = there - {*settings.topics.names}
        if (meant := misspelt(name, others)) is not None:
            return f"; did you mean {meant}? Correct topics.tickets"
        hint = did_you_mean(name, others)
    return (
        f"{hint or ';'} create it, or correct its name under `topics`: "
        f"`streamer topics --create`, or {by_hand(settings, name)}"
    )


def _uneven(settings: Settings, counts: Mapping[str, int], where: str) -> Iterator[str]:
    """A table writes a key to the partition that it is read from."""
    labels, current = settings.topics.labels, settings.topics.current
    if current is None or not {labels, current} <= counts.keys():
        return
    if counts[labels] != counts[current]:
        yield (
            f"{where}: topic {current!r} has {counts[current]} partitions and {labels!r} "
            f"{counts[labels]}: give both the same number; docs/table.md says how"
        )


def _forgotten_early(settings: Settings, configs: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Labels that compaction may leave out before the table has read them."""
    labels = settings.topics.labels
    config = configs.get(labels, {})
    lag_ms = int(config.get("min.compaction.lag.ms", 0))
    compacted = "compact" in config.get("cleanup.policy", "")
    if settings.topics.current is not None and compacted and lag_ms < SEEN_BY_THE_TABLE_MS:
        yield (
            f"topic {labels!r} may be compacted after {lag_ms / 1000:g} s, before `streamer table` "
            f"has read a label: set min.compaction.lag.ms to {SEEN_BY_THE_TABLE_MS}"
        )


def _scattered(settings: Settings, counts: Mapping[str, int]) -> Iterator[str]:
    """Topics that are read in order, and have more than one partition."""
    for name in (settings.topics.stats, settings.topics.alerts):
        if (count := counts.get(name, 1)) > 1:
            yield (
                f"topic {name!r} has {count} partitions, and is read in the order of one: make it "
                "again with one"
            )

"""Whether the topics exist and keep what they must."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError
from streamer.services.retention import Retention, text_topics, topic_config, warnings
from streamer.services.streaming import MARGIN, connection
from streamer.services.topic_recipe import by_hand
from streamer.stream.clients import Clients
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
    names = list(topics.model_dump().values())
    try:
        async with Clients(connection(settings.kafka)).admin() as admin:
            there = set(await admin.list_topics())
            known = [name for name in names if name in there]
            configs = {name: await topic_config(admin, name) for name in known}
            described = await admin.describe_topics(known) if known else []
    except (ConfigError, BrokerError) as error:
        return TopicReport((str(error),))
    except KafkaError as error:
        line = f"{where}: {error!r}; look at the brokers' health and this user's rights"
        return TopicReport((line,))
    counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
    missing = [
        f"{where}: no topic {name!r}{did_you_mean(name, there - {*names}) or ';'} "
        "create it, or correct its name under `topics`: "
        f"`streamer topics --create`, or {by_hand(settings, name)}"
        for name in names
        if name not in there
    ]
    wrong = [
        f"{where}: topic {name!r}: {problem}"
        for name in known
        for problem in problems(name, configs[name], settings)
    ]
    return TopicReport(
        problems=(*missing, *wrong),
        warnings=(*_scattered(settings, counts), *warnings(settings, configs)),
        kept=tuple(
            f"text in {name}: {Retention.of(configs[name])}"
            for name in text_topics(topics)
            if name in configs
        ),
        there=tuple(known),
    )


def problems(name: str, config: Mapping[str, str], settings: Settings) -> Iterator[str]:
    """What is wrong with the settings of a topic, each with what to do."""
    policy = config.get("cleanup.policy", "")
    if "compact" in policy and name != settings.topics.labels:
        yield (
            f"cleanup.policy is {policy!r}, so records would vanish before they are read; "
            f"only {settings.topics.labels} may be compacted: set it to 'delete'"
        )
    needed = settings.kafka.max_record_bytes + MARGIN
    allowed = int(config.get("max.message.bytes", needed))
    if name != settings.topics.tickets and allowed < needed:
        yield (
            f"max.message.bytes is {allowed}, less than kafka.max_record_bytes and 64 KiB "
            f"({needed}): raise it, or lower kafka.max_record_bytes"
        )


def _scattered(settings: Settings, counts: Mapping[str, int]) -> Iterator[str]:
    """Topics that are read in order, and have more than one partition."""
    for name in (settings.topics.stats, settings.topics.alerts):
        if (count := counts.get(name, 1)) > 1:
            yield (
                f"topic {name!r} has {count} partitions, and is read in the order of one: make it "
                "again with one"
            )

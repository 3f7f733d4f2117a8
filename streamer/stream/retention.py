"""How long Kafka keeps what the topics hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from streamer.config.kafka import Topics
from streamer.errors import BrokerError
from streamer.stream.clients import Clients

Config = Mapping[str, str]

# A century, in milliseconds: people write Kafka's largest number for "for ever", and no calendar
# reaches so far.
FOR_EVER_MS = 100 * 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a topic keeps a record at least and, of a topic that is written to, at most.

    None means for ever. Kafka deletes whole segments, a while after the newest record in one is
    too old: so `at_most` is later by the time that a segment may take to fill.
    """

    at_least: timedelta | None
    at_most: timedelta | None

    @classmethod
    def of(cls, config: Config) -> "Retention":
        """From a topic's settings; a compacted one without deletion keeps for ever."""
        kept = int(config.get("retention.ms", -1))
        if "delete" not in config.get("cleanup.policy", "delete"):
            return cls(None, None)
        return cls(
            _time(kept), _time(kept if kept < 0 else kept + int(config.get("segment.ms", 0)))
        )

    def __str__(self) -> str:
        return "for ever" if self.at_least is None else said(self.at_least)


def _time(ms: int) -> timedelta | None:
    return timedelta(milliseconds=ms) if 0 <= ms < FOR_EVER_MS else None


def said(time: timedelta) -> str:
    """A stretch of time in the largest unit that it has two of."""
    seconds = time.total_seconds()
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def text_topics(topics: Topics) -> tuple[str, ...]:
    """The topics whose records hold what tickets say."""
    return (topics.tickets, topics.judge, topics.audit, topics.review, topics.dead)


async def retention_s(clients: Clients, topic: str) -> float | None:
    """How long the topic keeps a record, in seconds; None for ever, or where Kafka won't say.

    Raises `ConfigError` without Kafka.
    """
    try:
        async with clients.admin() as admin:
            kept = Retention.of(await topic_config(admin, topic)).at_least
    except (BrokerError, KafkaError):
        return None
    return None if kept is None else kept.total_seconds()


async def topic_config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    """The settings of a topic, those of the broker included; raises `BrokerError`."""
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    except KafkaError as error:
        raise BrokerError(
            f"Kafka doesn't tell the settings of {topic} ({error!r}): look at this user's rights"
        ) from error
    entries: list[Any] = [entry for answer in answers for entry in answer.resources[0][4]]
    return {entry[0]: entry[1] for entry in entries}

"""Whether the topics exist and keep what they must."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.services.streaming import MARGIN, connection
from streamer.stream.clients import Clients


async def topic_problems(settings: Settings) -> list[str]:
    """One line for each topic that is missing or set up wrongly, or for Kafka itself."""
    topics = settings.topics
    where = f"kafka {settings.kafka.bootstrap}"
    try:
        async with Clients(connection(settings.kafka)).admin() as admin:
            there = set(await admin.list_topics())
            names = list(topics.model_dump().values())
            known = [name for name in names if name in there]
            configs = {name: await _config(admin, name) for name in known}
    except ConfigError as error:
        return [str(error)]
    except KafkaError as error:
        return [f"{where}: {error!r}; look at the brokers' health and this user's rights"]
    missing = [
        f"{where}: no topic {name!r}; create it, or correct its name under `topics`"
        for name in names
        if name not in there
    ]
    return missing + [
        f"{where}: topic {name!r}: {problem}"
        for name in known
        for problem in _problems(name, configs[name], settings)
    ]


def _problems(name: str, config: Mapping[str, str], settings: Settings) -> Iterator[str]:
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


async def _config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    entries: list[Any] = [entry for answer in answers for entry in answer.resources[0][4]]
    return {entry[0]: entry[1] for entry in entries}

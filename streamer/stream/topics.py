"""Topics as they should be, made where they are missing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from streamer.errors import BrokerError

_LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic's name, its number of partitions, and settings such as cleanup.policy."""

    name: str
    partitions: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


async def create_topics(
    bootstrap: str,
    specs: Sequence[TopicSpec],
    *,
    replication: int = 1,
    client: Mapping[str, Any] | None = None,
) -> list[str]:
    """Create the topics that don't exist yet and return their names; others stay as they are.

    They are known to the broker that was asked when this returns: Kafka itself answers before.
    `client` holds further arguments of aiokafka's clients (TLS, SASL). Raises BrokerError.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **(client or {}))
    try:
        await admin.start()
        response = await admin.create_topics(
            [
                NewTopic(s.name, s.partitions, replication, topic_configs=dict(s.config))
                for s in specs
            ]
        )
        made = [name for name, code, *why in response.topic_errors if _created(name, code, why)]
        await _listed(admin, set(made))
    except KafkaError as error:
        raise BrokerError(f"can't create topics at {bootstrap}: {error}; is it up?") from error
    finally:
        await admin.close()
    return made


async def _listed(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    while True:
        if names <= set(await admin.list_topics()):
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _created(name: str, code: int, why: Sequence[str | None]) -> bool:
    if code == TopicAlreadyExistsError.errno:
        return False
    if code:
        reason = (why[0] if why else None) or for_code(code).__name__
        raise BrokerError(f"can't create topic {name}: {reason}; correct its settings")
    return True

"""Topics as they should be, made where they are missing."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from streamer.errors import BrokerError

_LOOK_EVERY_S = 0.02
_LONG_WORD = 5
_ALIKE = 0.8


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
        created = [name for name, code, *why in response.topic_errors if _created(name, code, why)]
        await _listed(admin, set(created))
    except KafkaConnectionError as error:
        raise BrokerError(
            f"no Kafka answers at {bootstrap}: start it, or correct kafka.bootstrap"
        ) from error
    except KafkaError as error:
        raise BrokerError(
            f"can't create topics at {bootstrap} ({type(error).__name__}): look at the brokers'"
            " health and this user's rights"
        ) from error
    finally:
        await admin.close()
    return created


def misspelt(name: str, there: Iterable[str]) -> str | None:
    """The topic that was probably meant, because it differs in how one long word is spelt."""
    return next((near for near in sorted(there) if _nearly(_words(name), _words(near))), None)


def _words(name: str) -> list[str]:
    return re.split(r"[._-]", name.casefold())


def _nearly(given: Sequence[str], other: Sequence[str]) -> bool:
    """Short words and numbers differ on purpose: eu and us, 1 and 2."""
    if len(given) != len(other):
        return False
    apart = [pair for pair in zip(given, other, strict=True) if pair[0] != pair[1]]
    return len(apart) < 2 and all(
        min(map(len, pair)) >= _LONG_WORD
        and len({re.sub(r"[0-9]", "", word) for word in pair}) > 1
        and SequenceMatcher(None, *pair).ratio() >= _ALIKE
        for pair in apart
    )


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

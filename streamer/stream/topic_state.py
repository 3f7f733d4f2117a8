"""One request that aiokafka doesn't have: which topic it is that has a name now."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from aiokafka.errors import IncompatibleBrokerVersion, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_METADATA = 3
_VERSION = 12


@dataclass(frozen=True, slots=True)
class TopicState:
    """Of one name: the topic's own id, which no other topic ever has, and its partitions.

    The id is None where the brokers are older than Kafka 3.1 and don't tell it.
    """

    id: bytes | None
    partitions: int


async def topic_state(admin: Any, topic: str) -> TopicState | None:
    """None where there is no such topic; `admin` is a started admin client. Raises `KafkaError`."""
    try:
        # Private, because aiokafka offers no way to send what it has no method for.
        answer = await admin._send_request(_Ask(topic))
    except (IncompatibleBrokerVersion, NotImplementedError):
        (described,) = await admin.describe_topics([topic])
        error, topic_id, partitions = described["error_code"], None, described["partitions"]
    else:
        ((error, _, topic_id, _, partitions, *_),) = answer.topics
    if for_code(error) is UnknownTopicOrPartitionError:
        return None
    if error:
        raise for_code(error)
    return TopicState(topic_id, len(partitions))


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # aiokafka has no types
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_BROKER = (
    ("node_id", Int32),
    ("host", CompactString()),
    ("port", Int32),
    ("rack", CompactString()),
    ("tags", TaggedFields),
)
_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline_replicas", CompactArray(Int32)),
    ("tags", TaggedFields),
)
_TOPIC = (
    ("error_code", Int16),
    ("name", CompactString()),
    ("topic_id", _Uuid),
    ("is_internal", Boolean),
    ("partitions", CompactArray(*_PARTITION)),
    ("authorized_operations", Int32),
    ("tags", TaggedFields),
)


class _Told(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(*_BROKER)),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", CompactArray(*_TOPIC)),
        ("tags", TaggedFields),
    )


class _Asked(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _Told
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString()), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Ask(Request[_Asked]):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = _METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_Asked]) -> _Asked:
        return request_struct_class([(bytes(16), self._topic, {})], False, False, {})

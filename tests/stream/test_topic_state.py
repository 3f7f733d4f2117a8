"""Which topic has a name, asked of a real Kafka and of bytes."""

import asyncio
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, TopicAuthorizationFailedError

from streamer.dev.kafka import Kafka
from streamer.stream.topic_state import TopicState, topic_state
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic


async def test_a_topic_that_was_made_again_has_another_id(kafka: Kafka) -> None:
    name = unique_topic()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        found = [await topic_state(admin, name)]
        for partitions in (3, 2):
            await create_topics(kafka.bootstrap, [TopicSpec(name, partitions)])
            found += [await topic_state(admin, name), await topic_state(admin, name)]
            await admin.delete_topics([name])
            async with asyncio.timeout(30):
                while await topic_state(admin, name) is not None:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.05)
    finally:
        await admin.close()
    missing, first, same, second, _ = found
    assert missing is None
    assert first is not None
    assert second is not None
    assert first == same
    assert (first.partitions, second.partitions) == (3, 2)
    assert first.id is not None
    assert first.id != second.id


async def test_brokers_that_tell_no_ids_tell_the_partitions() -> None:
    class Old:
        async def _send_request(self, request: Any) -> Any:
            raise NotImplementedError("Support for _Ask v9 has not yet been added")

        async def describe_topics(self, topics: list[str]) -> list[Any]:
            return [{"error_code": 0, "topic": topics[0], "partitions": [{}, {}]}]

    assert await topic_state(Old(), "tickets") == TopicState(None, 2)


ID = bytes(range(16))
# Version 12 of the metadata request and of its answer, by the protocol's own description.
REQUEST = b"\x02" + bytes(16) + b"\x08tickets\0" + b"\0\0\0"
NAMES_OF_REQUEST = {
    "topics": [{"topic_id": bytes(16), "name": "tickets", "tags": {}}],
    "allow_auto_topic_creation": False,
    "include_authorized_operations": False,
    "tags": {},
}
BROKER = b"\0\0\0\x05\x06kafka\0\0\x23\x84\x03r1\0"
PARTITION = b"\0\0\0\0\0\x01\0\0\0\x05\0\0\0\x09\x02\0\0\0\x05\x03\0\0\0\x05\0\0\0\x06\x01\0"


def answer_of(error: bytes, partitions: int) -> bytes:
    topic = error + b"\x08tickets" + ID + b"\x01" + bytes([partitions + 1])
    topic += PARTITION * partitions + b"\x80\0\0\0\0"
    return b"\0\0\0\x07\x02" + BROKER + b"\x02c\0\0\0\x05\x02" + topic + b"\0"


NAMES_OF_ANSWER = {
    "throttle_time_ms": 7,
    "brokers": [{"node_id": 5, "host": "kafka", "port": 9092, "rack": "r1", "tags": {}}],
    "cluster_id": "c",
    "controller_id": 5,
    "topics": [
        {
            "error_code": 0,
            "name": "tickets",
            "topic_id": ID,
            "is_internal": True,
            "partitions": [
                {
                    "error_code": 0,
                    "partition": 1,
                    "leader": 5,
                    "leader_epoch": 9,
                    "replicas": [5],
                    "isr": [5, 6],
                    "offline_replicas": [],
                    "tags": {},
                }
            ],
            "authorized_operations": -(2**31),
            "tags": {},
        }
    ],
    "tags": {},
}


class Broker:
    """Reads a request's bytes and answers by bytes."""

    def __init__(self, error: bytes = b"\0\0", partitions: int = 1) -> None:
        self._answer = answer_of(error, partitions)
        self.asked: Any = None
        self.answered: Any = None

    async def _send_request(self, request: Any) -> Any:
        self.asked = request.prepare({3: (0, 13)})
        self.answered = self.asked.RESPONSE_TYPE.decode(self._answer)
        return self.answered


async def test_the_request_is_the_protocols_byte_for_byte() -> None:
    broker = Broker()
    await topic_state(broker, "tickets")
    header = broker.asked.build_request_header(correlation_id=1, client_id="c")
    # Key 3, version 12, and the tags behind the client's name.
    assert header.encode() == b"\0\x03\0\x0c\0\0\0\x01\0\x01c\0"
    assert broker.asked.encode() == REQUEST
    assert broker.asked.to_object() == NAMES_OF_REQUEST


async def test_the_answer_is_read_as_the_protocol_has_it() -> None:
    broker = Broker()
    assert await topic_state(broker, "tickets") == TopicState(ID, 1)
    assert broker.answered.to_object() == NAMES_OF_ANSWER
    assert (broker.answered.API_KEY, broker.answered.API_VERSION) == (3, 12)
    assert await topic_state(Broker(partitions=3), "tickets") == TopicState(ID, 3)


async def test_a_topic_that_is_unknown_is_none_and_any_other_refusal_is_raised() -> None:
    assert await topic_state(Broker(b"\0\x03", 0), "tickets") is None
    with pytest.raises(TopicAuthorizationFailedError):
        await topic_state(Broker(b"\0\x1d", 0), "tickets")


async def test_brokers_older_than_the_request_are_asked_in_their_words() -> None:
    class Old(Broker):
        async def _send_request(self, request: Any) -> Any:
            raise IncompatibleBrokerVersion

        async def describe_topics(self, topics: list[str]) -> list[Any]:
            return [{"error_code": 3, "topic": topics[0], "partitions": []}]

    assert await topic_state(Old(), "tickets") is None

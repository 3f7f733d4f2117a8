"""Which topic has a name, asked of a real Kafka."""

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

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

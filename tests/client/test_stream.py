import pytest
from aiokafka import AIOKafkaProducer

from streamer.client import LabelStream
from streamer.dev.kafka import Kafka
from streamer.errors import BrokerError
from streamer.stream.topics import TopicSpec, create_topics
from tests.client.making import LABEL, at
from tests.conftest import unique_topic


async def test_reads_labels_deletions_and_what_is_no_label(kafka: Kafka) -> None:
    topic = unique_topic("labels")
    await create_topics(kafka.bootstrap, [TopicSpec(topic, 3)])
    values = [LABEL.to_json(), b"\xff", b"{}", None]
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, key=LABEL.key)
    async with LabelStream(topic, bootstrap_servers=kafka.bootstrap) as labels:
        found = [await anext(labels) for _ in values]
    assert [one.label for one in found] == [LABEL, None, None, None]
    assert [one.value for one in found] == values
    assert {one.key for one in found} == {"a/b/topic"}


async def test_latest_means_from_entering_on(kafka: Kafka) -> None:
    topic = unique_topic("labels")
    await create_topics(kafka.bootstrap, [TopicSpec(topic, 3)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait(topic, at(1).to_json(), key=b"old/topic")
        async with LabelStream(topic, "latest", bootstrap_servers=kafka.bootstrap) as labels:
            await producer.send_and_wait(topic, at(2).to_json(), key=b"new/topic")
            assert (await anext(labels)).key == "new/topic"
            assert await labels.batch(0.1) == []


async def test_a_missing_topic_is_said(kafka: Kafka) -> None:
    with pytest.raises(BrokerError, match="no topic nobody-made-it"):
        async with LabelStream("nobody-made-it", bootstrap_servers=kafka.bootstrap):
            pass

import asyncio
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.errors import BrokerError, ConfigError
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic
from tests.dev.sockets import listeners


async def test_topics_are_made_once_with_their_settings(kafka: Kafka) -> None:
    name = unique_topic()
    spec = TopicSpec(name, 3, {"cleanup.policy": "compact", "max.message.bytes": "1234567"})
    assert await create_topics(kafka.bootstrap, [spec]) == [name]
    assert await create_topics(kafka.bootstrap, [spec]) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        (topic,) = await admin.describe_topics([name])
        wanted = ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(spec.config))
        (answer,) = await admin.describe_configs([wanted])
    finally:
        await admin.close()
    assert len(topic["partitions"]) == 3
    assert {entry[0]: entry[1] for entry in answer.resources[0][4]} == spec.config


async def test_an_impossible_topic_says_why(kafka: Kafka) -> None:
    spec = TopicSpec(unique_topic(), config={"cleanup.polici": "compact"})
    with pytest.raises(BrokerError, match=r"cleanup\.polici"):
        await create_topics(kafka.bootstrap, [spec])


async def test_an_unreachable_broker_says_so() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError, match=nowhere):
        await create_topics(nowhere, [TopicSpec("any")])


def test_listens_on_loopback_only(kafka: Kafka) -> None:
    assert {ip for ip, _ in listeners(kafka.pid)} == {"127.0.0.1"}
    assert kafka.port in {port for _, port in listeners(kafka.pid)}


async def test_keeps_data_and_port_over_a_restart(tmp_path: Path) -> None:
    broker = Kafka(tmp_path, port=free_port(), heap_mb=256)
    try:
        await asyncio.to_thread(broker.start)
        await create_topics(broker.bootstrap, [TopicSpec("kept")])
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
            await producer.send_and_wait("kept", b"still here")
        first = broker.pid
        await asyncio.to_thread(broker.stop)
        assert not psutil.pid_exists(first)
        await asyncio.to_thread(broker.start)
        consumer = AIOKafkaConsumer(
            "kept", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
        )
        async with consumer:
            assert (await consumer.getone()).value == b"still here"
    finally:
        await asyncio.to_thread(broker.stop)
    assert not broker.running


def test_a_broker_that_fails_shows_its_log(tmp_path: Path, kafka: Kafka) -> None:
    with pytest.raises(BrokerError, match="Address already in use"):
        Kafka(tmp_path / "taken", port=kafka.port).start()
    with pytest.raises(ConfigError, match="Invalid value x"):
        Kafka(tmp_path / "bad", properties={"node.id": "x"}).start()


def test_takes_another_port_when_the_usual_one_is_taken(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("streamer.dev.ports.is_free", lambda port: port != 9092)
    assert Kafka(tmp_path).port != 9092

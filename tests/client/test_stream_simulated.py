"""The stream of all records, on a Kafka in memory."""

import asyncio
from typing import Any

import pytest

from streamer.client import LabelStream
from streamer.errors import BrokerError
from tests.client.making import LABEL, at
from tests.client.simulated import Broker, Consumer


@pytest.fixture
def broker() -> Broker:
    return Broker(partitions=2)


@pytest.fixture(autouse=True)
def consumers(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> list[Consumer]:
    made: list[Consumer] = []

    def consumer(**options: Any) -> Consumer:
        made.append(Consumer(broker, **options))
        return made[-1]

    monkeypatch.setattr("streamer.client.stream.AIOKafkaConsumer", consumer)
    return made


async def test_every_record_comes_once_as_it_is(broker: Broker) -> None:
    broker.put(LABEL, b"\xff", None)
    async with LabelStream() as stream:
        assert aiter(stream) is stream
        found = [await anext(stream) for _ in range(3)]
    assert [one.label for one in found] == [LABEL, None, None]
    assert [one.value for one in found] == [LABEL.to_json(), b"\xff", None]


async def test_a_batch_has_what_is_there_of_all_partitions_and_waits_no_longer(
    broker: Broker, consumers: list[Consumer]
) -> None:
    broker.put(at(1), at(2))
    broker.put(at(3), partition=1)
    async with LabelStream() as stream:
        found = await stream.batch(0.25)
        assert sorted(one.label.position.offset for one in found if one.label) == [1, 2, 3]
        assert await stream.batch(0.25) == []
        assert set(consumers[0].waits) == {250}
        broker.put(at(4), at(5))
        assert len(await stream.batch(0.25, at_most=1)) == 1


async def test_latest_means_from_entering_on(broker: Broker) -> None:
    broker.put(at(1))
    async with LabelStream(start="latest") as stream:
        broker.put(at(2))
        assert (await anext(stream)).label == at(2)


async def test_what_is_there_can_be_left_out(broker: Broker) -> None:
    broker.put(at(1), at(2))
    broker.put(at(3), partition=1)
    async with LabelStream() as stream:
        assert await stream.skip() == 3
        assert await stream.skip() == 0
        broker.put(at(4))
        assert (await anext(stream)).label == at(4)
        broker.put(at(5))
        assert await stream.skip() == 1


async def test_nothing_is_left_running(consumers: list[Consumer], broker: Broker) -> None:
    async with LabelStream():
        assert consumers[0].running
    assert not consumers[0].running
    with pytest.raises(BrokerError, match="no topic nobody-made-it: create it"):
        async with LabelStream("nobody-made-it"):
            pass
    entering = asyncio.create_task(LabelStream().__aenter__())
    await asyncio.sleep(0.01)
    assert consumers[2].running
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert [consumer.running for consumer in consumers] == [False, False, False]


async def test_it_belongs_to_no_group_and_reads_what_is_committed_alone(
    consumers: list[Consumer],
) -> None:
    async with LabelStream(bootstrap_servers="kafka:9092"):
        pass
    assert consumers[0].options == {
        "bootstrap_servers": "kafka:9092",
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
    }

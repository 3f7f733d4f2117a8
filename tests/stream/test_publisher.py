import asyncio
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError, UnknownTopicOrPartitionError
from aiokafka.partitioner import murmur2

from streamer.errors import BrokerError
from streamer.stream.handler import Emission
from streamer.stream.publisher import Publisher
from tests.stream.simulated import SimRecord


class Builder:
    def __init__(self, room: int) -> None:
        self.records: list[dict[str, Any]] = []
        self._room = room

    def record_count(self) -> int:
        return len(self.records)

    def append(self, **record: Any) -> object | None:
        if len(self.records) >= self._room:
            return None
        self.records.append(record)
        return object()


class Producer:
    """Notes what is sent; `answers` are the futures to hand out, each partition has `room`."""

    def __init__(self, room: int = 100, topics: dict[str, int] | None = None) -> None:
        self.sent: list[tuple[str, int, list[dict[str, Any]]]] = []
        self.acknowledgements: list[asyncio.Future[None]] = []
        self._room = room
        self._topics = topics or {"labels": 3}

    def create_batch(self) -> Builder:
        return Builder(self._room)

    async def partitions_for(self, topic: str) -> set[int]:
        if topic not in self._topics:
            raise UnknownTopicOrPartitionError
        return set(range(self._topics[topic]))

    async def send_batch(
        self, batch: Builder, topic: str, *, partition: int
    ) -> asyncio.Future[None]:
        self.sent.append((topic, partition, batch.records))
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]


def emission(key: bytes | None, value: bytes = b"v", *, topic: str = "labels") -> Emission:
    return Emission(SimRecord(5, 1), topic, key, value)


async def test_every_key_goes_where_the_java_client_would_put_it() -> None:
    producer = Producer()
    keys = [f"ticket-{number}".encode() for number in range(50)]
    futures = await Publisher(producer, 1000, 1).send([emission(key) for key in keys])
    assert len(futures) == len(producer.sent) == 3
    for _topic, partition, records in producer.sent:
        for record in records:
            assert (murmur2(record["key"]) & 0x7FFFFFFF) % 3 == partition
    assert sorted(r["key"] for _, _, rs in producer.sent for r in rs) == sorted(keys)


async def test_a_record_without_a_key_follows_its_input_partition() -> None:
    producer = Producer()
    await Publisher(producer, 1000, 1).send([emission(None)] * 4)
    assert [(partition, len(records)) for _, partition, records in producer.sent] == [(2, 4)]


async def test_full_builders_are_sent_and_the_order_of_a_key_stays() -> None:
    producer = Producer(room=2, topics={"labels": 1})
    values = [str(number).encode() for number in range(5)]
    futures = await Publisher(producer, 1000, 1).send([emission(b"k", v) for v in values])
    assert [len(records) for _, _, records in producer.sent] == [2, 2, 1]
    assert [r["value"] for _, _, records in producer.sent for r in records] == values
    assert len(futures) == 3


async def test_topics_are_kept_apart() -> None:
    producer = Producer(topics={"labels": 1, "judge": 1})
    await Publisher(producer, 1000, 1).send([emission(b"a"), emission(b"a", topic="judge")])
    assert [(topic, len(records)) for topic, _, records in producer.sent] == [
        ("labels", 1),
        ("judge", 1),
    ]


async def test_a_missing_topic_is_an_error_with_its_name() -> None:
    with pytest.raises(BrokerError, match=r"nowhere.*streamer check"):
        await Publisher(Producer(), 1000, 1).send([emission(b"a", topic="nowhere")])


async def test_acknowledged_waits_for_all() -> None:
    producer = Producer()
    publisher = Publisher(producer, 1000, 60)
    futures = await publisher.send([emission(str(n).encode()) for n in range(20)])
    waiting = asyncio.create_task(publisher.acknowledged(futures))
    for acknowledgement in producer.acknowledgements[1:]:
        acknowledgement.set_result(None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    producer.acknowledgements[0].set_result(None)
    await waiting


async def test_nothing_sent_is_acknowledged_at_once() -> None:
    await Publisher(Producer(), 1000, 60).acknowledged([])


async def test_a_refusal_is_a_broker_error() -> None:
    producer = Producer()
    publisher = Publisher(producer, 1000, 60)
    futures = await publisher.send([emission(b"a")])
    producer.acknowledgements[0].set_exception(MessageSizeTooLargeError())
    with pytest.raises(BrokerError, match="refused"):
        await publisher.acknowledged(futures)


async def test_silence_is_a_broker_error() -> None:
    publisher = Publisher(Producer(), 1000, 0.01)
    futures = await publisher.send([emission(b"a")])
    with pytest.raises(BrokerError, match=r"within 0\.01 s"):
        await publisher.acknowledged(futures)


def test_what_fits_counts_key_value_and_headers() -> None:
    publisher = Publisher(Producer(), 30, 1)
    assert publisher.fits(Emission(SimRecord(0, 0), "t", b"k" * 10, b"v" * 20))
    assert not publisher.fits(Emission(SimRecord(0, 0), "t", b"k" * 10, b"v" * 21))
    headed = Emission(SimRecord(0, 0), "t", b"k", b"v", [("name", b"x" * 20)])
    assert not publisher.fits(headed)

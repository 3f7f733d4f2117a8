"""The newest labels, read from a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaProducer

from streamer.dev.kafka import Kafka
from streamer.services.monitor import tail as module
from streamer.services.monitor.tail import KEPT, LARGEST, PER_SECOND, Tail
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic
from tests.services.monitor.web.material import label, record
from tests.waiting import soon


@asynccontextmanager
async def running(tail: Tail) -> AsyncIterator[None]:
    task = asyncio.create_task(tail.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def following(kafka: Kafka) -> AsyncIterator[tuple[Tail, AIOKafkaProducer, str]]:
    """A tail that is at the end of a topic of its own, and a producer for it."""
    topic = unique_topic("labels")
    await create_topics(kafka.bootstrap, [TopicSpec(topic, 3)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        old = label("old")
        await producer.send_and_wait(topic, old.to_json(), key=old.key)
        tail = Tail(topic, {"bootstrap_servers": kafka.bootstrap})
        async with running(tail):
            assert await soon(lambda: tail.newest().trouble is None)
            yield tail, producer, topic


async def test_it_shows_what_is_published_from_now_on(kafka: Kafka) -> None:
    async with following(kafka) as (tail, producer, topic):
        one = label("a/b")
        await producer.send_and_wait(topic, one.to_json(), key=one.key)
        assert await soon(lambda: tail.newest().last == 1)
        (row,) = tail.newest().rows
        assert (row.ticket_id, row.task, row.label, row.why) == ("a/b", "topic", one, None)
        assert row.took_s is not None
        assert row.took_s > 0.04
        for value in (None, b"[]", b" " * LARGEST + one.to_json()):
            await producer.send_and_wait(topic, value, key=one.key)
        assert await soon(lambda: tail.newest().last == 4)
        assert [(row.why, row.label) for row in tail.newest(after=1).rows] == [
            ("too large to be shown", None),
            ("not a label that this release reads", None),
            ("deleted", None),
        ]


async def test_a_flood_is_skipped_and_counted_but_never_stored(kafka: Kafka) -> None:
    async with following(kafka) as (tail, producer, topic):
        flood = 5000
        one = label("t")
        sent = [await producer.send(topic, one.to_json(), key=one.key) for _ in range(flood)]
        await asyncio.gather(*sent)
        assert await soon(lambda: tail.newest().skipped > 0)
        last = label("last")
        await producer.send_and_wait(topic, last.to_json(), key=last.key)

        async def everything_passed() -> bool:
            newest = tail.newest()
            return newest.last + newest.skipped >= flood + 1

        for _ in range(600):
            if await everything_passed():
                break
            await asyncio.sleep(0.05)
        newest = tail.newest()
        print(f"{newest.last} shown, {newest.skipped} skipped of {flood + 1}")
        assert newest.last + newest.skipped == flood + 1
        assert newest.skipped > flood - 10 * PER_SECOND
        assert len(newest.rows) == KEPT


async def test_a_missing_topic_is_told_and_tried_again(kafka: Kafka, monkeypatch) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.1)
    topic = unique_topic("labels")
    tail = Tail(topic, {"bootstrap_servers": kafka.bootstrap})
    async with running(tail):
        assert await soon(lambda: "has no topic" in (tail.newest().trouble or ""))
        await create_topics(kafka.bootstrap, [TopicSpec(topic)])
        assert await soon(lambda: tail.newest().trouble is None)


def test_a_ring_forgets_the_oldest() -> None:
    tail = Tail("none", {})
    tail.take([record(label(f"t{number}")) for number in range(KEPT + 5)])
    newest = tail.newest()
    assert [newest.rows[0].ticket_id, newest.rows[-1].ticket_id] == [f"t{KEPT + 4}", "t5"]
    assert [row.number for row in tail.newest(after=KEPT + 3).rows] == [KEPT + 5, KEPT + 4]
    assert tail.newest(after=KEPT + 5).rows == []
    assert tail.newest(after=10_000).rows == []


def test_a_time_that_is_none_gives_no_duration() -> None:
    tail = Tail("none", {})
    tail.take([record(label("t", created_at="yesterday"))])
    assert tail.newest().rows[0].took_s is None

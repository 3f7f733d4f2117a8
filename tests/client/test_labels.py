import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from streamer.client import Deletion, UnreadableLabel, labels
from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.errors import BrokerError
from streamer.records.label import DELETED_AT, Label
from streamer.stream.topics import TopicSpec, create_topics
from tests.client.making import at
from tests.conftest import unique_topic
from tests.waiting import soon

PAGE = Path(__file__).parents[2] / "docs" / "subscribing.md"

Value = Label | bytes | None


def of(number: int, task: str = "topic", **fields: Any) -> Label:
    return replace(at(number), ticket_id=f"T-{number}", task=task, **fields)


async def topic_of(bootstrap: str, *values: Label, partitions: int = 1) -> str:
    topic = unique_topic("labels")
    await create_topics(bootstrap, [TopicSpec(topic, partitions)])
    await put(bootstrap, topic, *values)
    return topic


async def put(
    bootstrap: str, topic: str, *values: Value, key: bytes = b"a/b/topic", deleted_at: int = 0
) -> None:
    headers = [(DELETED_AT, str(deleted_at).encode())]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            if isinstance(value, Label):
                await producer.send_and_wait(topic, value.to_json(), key=value.key)
            else:
                await producer.send_and_wait(topic, value, key=key, headers=headers)


async def first(count: int, found: AsyncIterator[Any]) -> list[Any]:
    async with asyncio.timeout(60):
        return [await anext(found) for _ in range(count)]


async def committed(bootstrap: str, group: str, topic: str) -> int | None:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group) as consumer:
        found: int | None = await consumer.committed(TopicPartition(topic, 0))
        return found


def tickets(found: Sequence[Label]) -> list[str]:
    return [label.ticket_id for label in found]


async def test_only_what_is_wanted_and_new_comes(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, of(1), of(1), of(2, "other"), of(3, final=False))
    await put(kafka.bootstrap, topic, b"\xff", of(3, revision=1), of(3, revision=0), of(4))
    async with aclosing(
        labels(kafka.bootstrap, topic=topic, tasks=["topic"], final_only=True, on_unreadable=repr)
    ) as found:
        assert [(one.ticket_id, one.revision) for one in await first(3, found)] == [
            ("T-1", 0),
            ("T-3", 1),
            ("T-4", 0),
        ]


async def test_a_revision_follows_its_label(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, of(3, final=False), of(3, revision=1, label="refund"))
    async with aclosing(labels(kafka.bootstrap, topic=topic)) as found:
        told = [(one.revision, one.label) for one in await first(2, found)]
    assert told == [(0, "billing"), (1, "refund")]


async def test_deletions_come_as_events_for_those_who_ask(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, at(5))
    await put(kafka.bootstrap, topic, None, deleted_at=6)
    await put(kafka.bootstrap, topic, at(5, 1), at(7))
    async with aclosing(labels(kafka.bootstrap, topic=topic, deletions=True)) as events:
        assert await first(3, events) == [at(5), Deletion("a/b", "topic", 6), at(7)]
    async with aclosing(labels(kafka.bootstrap, topic=topic)) as found:
        assert await first(2, found) == [at(5), at(7)]


async def test_what_a_body_did_not_come_back_for_comes_again(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, *map(of, range(1, 6)))

    async def fails() -> None:
        async with aclosing(labels(kafka.bootstrap, topic=topic, group="g-" + topic)) as found:
            async for label in found:
                assert label.ticket_id != "T-3"

    with pytest.raises(AssertionError, match="T-3"):
        await fails()
    assert await committed(kafka.bootstrap, "g-" + topic, topic) == 2
    async with aclosing(labels(kafka.bootstrap, topic=topic, group="g-" + topic)) as found:
        assert tickets(await first(3, found)) == ["T-3", "T-4", "T-5"]


async def test_nothing_is_committed_before_the_body_comes_back(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, *map(of, range(1, 4)))
    group = "g-" + topic
    seen = []
    async with aclosing(labels(kafka.bootstrap, topic=topic, group=group, commit_every=0)) as found:
        async for _ in found:
            seen.append(await committed(kafka.bootstrap, group, topic))
            if len(seen) == 3:
                break
    # Each time at most what came before: two are done while the third is in hand.
    assert [at_most is not None and at_most <= number for number, at_most in enumerate(seen)] == [
        True
    ] * 3
    assert await committed(kafka.bootstrap, group, topic) == 2


async def test_what_is_done_is_committed_while_nothing_comes(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, of(1), of(2))
    group = "g-" + topic
    async with aclosing(
        labels(kafka.bootstrap, topic=topic, group=group, commit_every=0.1)
    ) as found:
        await first(2, found)
        waiting = asyncio.create_task(anext(found))
        async with asyncio.timeout(60):
            while await committed(kafka.bootstrap, group, topic) != 2:
                assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_group_that_began_at_latest_misses_nothing_after_that(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, of(1))
    options: dict[str, Any] = {"topic": topic, "group": "g-" + topic, "start": "latest"}
    begun = asyncio.create_task(anext(labels(kafka.bootstrap, **options)))
    async with asyncio.timeout(60):
        while await committed(kafka.bootstrap, "g-" + topic, topic) is None:
            assert not begun.done()
    begun.cancel()
    await asyncio.gather(begun, return_exceptions=True)
    await put(kafka.bootstrap, topic, of(2))
    async with aclosing(labels(kafka.bootstrap, **options)) as found:
        assert tickets(await first(1, found)) == ["T-2"]


async def test_a_start_may_be_a_time(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for number in (1, 2, 3):
            label = of(number)
            await producer.send_and_wait(
                topic, label.to_json(), key=label.key, timestamp_ms=number * 1_000_000
            )
    start = datetime.fromtimestamp(1500, UTC)
    async with aclosing(labels(kafka.bootstrap, topic=topic, start=start)) as found:
        assert tickets(await first(2, found)) == ["T-2", "T-3"]
    with pytest.raises(ValueError, match="no time zone"):
        labels(kafka.bootstrap, topic=topic, start=start.replace(tzinfo=None))


async def test_a_group_whose_place_is_gone_goes_on_at_the_oldest_label(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    topic = await topic_of(kafka.bootstrap, *map(of, range(1, 6)))
    options: dict[str, Any] = {"topic": topic, "group": "g-" + topic, "start": "latest"}
    async with aclosing(labels(kafka.bootstrap, **options | {"start": "earliest"})) as found:
        await first(2, found)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(3)})
    await admin.close()
    async with aclosing(labels(kafka.bootstrap, **options)) as found:
        assert tickets(await first(2, found)) == ["T-4", "T-5"]
    assert "offset 1 is gone" in caplog.text


async def test_members_share_a_group_and_lose_nothing_when_one_leaves(kafka: Kafka) -> None:
    topic = await topic_of(kafka.bootstrap, partitions=4)
    options: dict[str, Any] = {"topic": topic, "group": "g-" + topic, "commit_every": 0.1}
    heard: list[list[str]] = [[], []]

    async def member(number: int) -> None:
        async with aclosing(labels(kafka.bootstrap, **options)) as found:
            async for label in found:
                await asyncio.sleep(0)
                heard[number].append(label.ticket_id)

    members = [asyncio.create_task(member(number)) for number in (0, 1)]
    await put(kafka.bootstrap, topic, *map(of, range(100)))
    assert await soon(lambda: len({*heard[0], *heard[1]}) == 100)
    members[0].cancel()
    await put(kafka.bootstrap, topic, *map(of, range(100, 200)))
    assert await soon(lambda: len({*heard[0], *heard[1]}) == 200)
    members[1].cancel()
    await asyncio.gather(*members, return_exceptions=True)


@pytest.mark.parametrize("how", ["aclose", "cancel", "break"])
async def test_no_task_is_left(kafka: Kafka, how: str) -> None:
    topic = await topic_of(kafka.bootstrap, of(1))
    before = asyncio.all_tasks()
    found = labels(kafka.bootstrap, topic=topic, group="g-" + topic)
    assert await first(1, found)
    assert asyncio.all_tasks() != before
    if how == "aclose":
        await found.aclose()
    elif how == "cancel":
        waiting = asyncio.create_task(anext(found))
        await asyncio.sleep(0)
        waiting.cancel()
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], BaseException)
    else:
        del found
        assert await soon(lambda: asyncio.all_tasks() == before)
    assert asyncio.all_tasks() == before


async def test_what_is_missing_is_said(kafka: Kafka) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(BrokerError, match="no topic nobody-made-it"):
        await anext(labels(kafka.bootstrap, topic="nobody-made-it"))
    with pytest.raises(BrokerError, match="no Kafka answers: start it"):
        await anext(labels(f"127.0.0.1:{free_port()}"))
    assert asyncio.all_tasks() == before


def test_what_keeps_the_promise_is_not_the_callers_to_change() -> None:
    with pytest.raises(TypeError, match="enable_auto_commit"):
        labels("127.0.0.1:1", enable_auto_commit=True)


async def test_the_example_on_the_page_runs(kafka: Kafka) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    topic = await topic_of(kafka.bootstrap, of(1, "intent"), of(2, "intent"), of(2, "intent"))
    key = of(1, "intent").key
    await put(kafka.bootstrap, topic, None, key=key, deleted_at=9)
    script = block.replace('"localhost:9092"', f'"{kafka.bootstrap}", topic="{topic}"')
    assert script != block
    room: dict[str, Any] = {"__name__": "example"}
    exec(script, room)
    running = asyncio.create_task(room["follow"]())
    assert await soon(lambda: set(room["kept"]) == {("T-2", "intent")})
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.slow
async def test_a_restart_of_kafka_is_survived(tmp_path: Path) -> None:
    with Kafka(tmp_path / "kafka", port=free_port()) as broker:
        topic = await topic_of(broker.bootstrap, of(1))
        options: dict[str, Any] = {"topic": topic, "group": "mine", "commit_every": 0.2}
        async with aclosing(labels(broker.bootstrap, **options)) as found:
            assert tickets(await first(1, found)) == ["T-1"]
            waiting = asyncio.create_task(anext(found))
            await asyncio.sleep(0)
            await asyncio.to_thread(broker.stop)
            await asyncio.to_thread(broker.start)
            await put(broker.bootstrap, topic, of(2))
            async with asyncio.timeout(120):
                assert (await waiting).ticket_id == "T-2"


async def test_what_is_no_label_is_an_error_that_names_its_place_and_field_until_passed_over(
    kafka: Kafka,
) -> None:
    odd = orjson.dumps(orjson.loads(of(2).to_json()) | {"created_at": 5})
    topic = await topic_of(kafka.bootstrap, of(1))
    await put(kafka.bootstrap, topic, odd, of(3))
    options: dict[str, Any] = {"topic": topic, "group": "g-" + topic}
    for _ in range(2):
        async with aclosing(labels(kafka.bootstrap, **options)) as found:
            with pytest.raises(UnreadableLabel) as raised:
                await first(2, found)
        error = raised.value
        assert (error.topic, error.partition, error.offset) == (topic, 0, 1)
        assert error.field == "created_at"
        assert f"{topic}[0]@1 is no label: created_at should be a text" in str(error)
    told: list[UnreadableLabel] = []
    async with aclosing(labels(kafka.bootstrap, on_unreadable=told.append, **options)) as found:
        assert tickets(await first(1, found)) == ["T-3"]
    assert [one.offset for one in told] == [1]

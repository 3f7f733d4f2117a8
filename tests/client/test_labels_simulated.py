"""What the typed client asks of Kafka and what it tells of the records, on a Kafka in memory."""

import asyncio
import sys
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import TopicPartition

from streamer.client import Deletion, labels
from streamer.client.unreadable import UnreadableLabel
from streamer.errors import BrokerError
from streamer.records.label import DELETED_AT, Label
from tests.client.making import at
from tests.client.simulated import LABELS, Broker, Consumer
from tests.waiting import soon

PLACE = TopicPartition(LABELS, 0)


def of(number: int, task: str = "topic", **fields: Any) -> Label:
    return replace(at(number), ticket_id=f"T-{number}", task=task, **fields)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture(autouse=True)
def consumers(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> list[Consumer]:
    made: list[Consumer] = []

    def consumer(**options: Any) -> Consumer:
        made.append(Consumer(broker, **options))
        return made[-1]

    # The package's own name for it is the function's.
    monkeypatch.setattr(sys.modules["streamer.client.labels"], "AIOKafkaConsumer", consumer)
    return made


async def told(broker: Broker, **options: Any) -> list[Any]:
    """What comes of the records that are there, up to a label that is put behind them."""
    broker.put(of(999))
    told = []
    async with aclosing(labels("kafka:9092", **options)) as found:
        async for event in found:
            if isinstance(event, Label) and event.ticket_id == "T-999":
                break
            told.append(event)
    return told


async def test_all_labels_come_each_once(broker: Broker) -> None:
    broker.put(of(1), of(1), of(2, "other"), of(2, "other"), of(3, final=False))
    assert await told(broker) == [of(1), of(2, "other"), of(3, final=False)]


async def test_only_the_tasks_asked_for_come(broker: Broker) -> None:
    broker.put(of(1), of(2, "other"), of(3), of(4, "third"))
    broker.put(b"{}", key=None)
    assert await told(broker, tasks=["topic", "third"]) == [of(1), of(3), of(4, "third")]


async def test_no_task_at_all_may_be_wanted(broker: Broker, consumers: list[Consumer]) -> None:
    broker.put(of(1))
    found = labels("kafka:9092", tasks=[], commit_every=0.1, group="mine")
    pulled = asyncio.create_task(anext(found))
    assert await soon(lambda: broker.committed == {PLACE: 1})
    assert not pulled.done()
    pulled.cancel()


async def test_what_is_not_final_is_left_out_where_asked(broker: Broker) -> None:
    first, revised = of(3, final=False), of(3, revision=1)
    broker.put(first, revised, of(4))
    assert await told(broker) == [first, revised, of(4)]
    assert await told(broker, final_only=True) == [revised, of(4)]


async def test_deletions_come_for_those_who_ask_and_hold_for_all(broker: Broker) -> None:
    broker.put(at(5))
    broker.put(None, headers=((DELETED_AT, b"6"),))
    broker.put(at(5, 1), at(7))
    assert await told(broker, deletions=True, final_only=True) == [
        at(5),
        Deletion("a/b", "topic", 6),
        at(7),
    ]
    assert await told(broker) == [at(5), at(7)]


async def test_what_is_no_label_is_told_with_its_place_and_passed_over_for_who_asks(
    broker: Broker,
) -> None:
    broker.put(of(1), b"\xff", of(2))
    unreadable: list[UnreadableLabel] = []
    told_of = await told(broker, deletions=True, on_unreadable=unreadable.append)
    assert told_of == [of(1), of(2)]
    assert [(one.topic, one.partition, one.offset) for one in unreadable] == [(LABELS, 0, 1)]
    with pytest.raises(UnreadableLabel, match=r"tickets\.labels\[0\]@1 is no label"):
        await told(broker)


async def test_as_many_are_remembered_as_asked(broker: Broker) -> None:
    broker.put(of(1), of(2), of(1), of(2))
    assert await told(broker, remember=1) == [of(1), of(2), of(1), of(2)]


async def test_a_group_shares_and_commits_and_who_has_none_reads_everything(
    broker: Broker, consumers: list[Consumer]
) -> None:
    broker.put(of(1), of(2))
    await told(broker, group="mine")
    # The last one, at which the loop was left, is in hand still.
    assert broker.committed == {PLACE: 2}
    assert await told(broker, group="mine") == []
    commits = len(broker.commits)
    assert await told(broker) == [of(1), of(2)]
    assert len(broker.commits) == commits
    for consumer in consumers:
        assert consumer.options["isolation_level"] == "read_committed"
        assert consumer.options["enable_auto_commit"] is False


async def test_a_start_is_a_word_or_a_time_with_a_zone(broker: Broker) -> None:
    broker.put(of(1), of(2), of(3))
    start = datetime.fromtimestamp(1, UTC)
    assert await told(broker, start=start) == [of(2), of(3)]
    with pytest.raises(ValueError, match="no time zone"):
        labels("kafka:9092", start=start.replace(tzinfo=None))


async def test_the_consumer_is_stopped_at_the_end_with_what_is_done_committed(
    broker: Broker, consumers: list[Consumer]
) -> None:
    broker.put(of(1), of(2), of(3))
    found = labels("kafka:9092", group="mine")
    for _ in range(3):
        await anext(found)
    assert consumers[0].running
    await found.aclose()
    assert not consumers[0].running
    assert broker.committed == {PLACE: 2}


async def test_partitions_that_move_give_up_what_was_fetched(
    broker: Broker, consumers: list[Consumer]
) -> None:
    broker.put(of(1), of(2), of(3))
    found = labels("kafka:9092", group="mine")
    for _ in range(2):
        await anext(found)
    await consumers[0].listener.on_partitions_revoked([PLACE])
    assert broker.committed == {PLACE: 1}
    await found.aclose()


async def test_further_settings_reach_the_consumer_but_not_those_of_the_promise(
    broker: Broker, consumers: list[Consumer]
) -> None:
    await told(broker, max_poll_interval_ms=7)
    assert consumers[0].options["max_poll_interval_ms"] == 7
    assert consumers[0].options["bootstrap_servers"] == "kafka:9092"
    with pytest.raises(TypeError, match="enable_auto_commit"):
        labels("kafka:9092", enable_auto_commit=True)


async def test_a_missing_kafka_or_topic_is_said_and_nothing_is_left_running(
    broker: Broker, consumers: list[Consumer]
) -> None:
    with pytest.raises(BrokerError, match="no topic nobody-made-it: create it"):
        await anext(labels("kafka:9092", topic="nobody-made-it"))
    broker.reachable = False
    with pytest.raises(BrokerError, match="no Kafka answers: start it"):
        await anext(labels("kafka:9092"))
    assert [consumer.running for consumer in consumers] == [False, False]

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer

from streamer.client import LabelRecord, LabelStream, LabelTable
from streamer.dev.kafka import Kafka
from streamer.dev.topics import TopicSpec, create_topics
from streamer.errors import BrokerError
from streamer.records.label import Label, Position, Rule, Vote
from tests.conftest import unique_topic

LABEL = Label(
    ticket_id="a/b",
    task="topic",
    label="billing",
    confidence=0.9,
    source="workers",
    revision=0,
    final=True,
    votes=(Vote("one", "1", "billing", 0.9),),
    rule=Rule("majority", 2, 2),
    calibration=None,
    label_set="abc",
    decision_id="0" * 32,
    position=Position("tickets", "tickets", 0, 5),
    created_at="2026-01-31T08:00:00.000Z",
    decided_at="2026-01-31T08:00:00.100Z",
)


def at(offset: int, revision: int = 0, label: str = "billing") -> Label:
    return replace(
        LABEL, position=replace(LABEL.position, offset=offset), revision=revision, label=label
    )


def record(label: Label | None, value: bytes | None = b"{}") -> LabelRecord:
    return LabelRecord("a/b/topic", label, value, 0, 0, 0)


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([at(5)], at(5)),
        ([at(5), at(6, label="refund")], at(6, label="refund")),
        ([at(6, label="refund"), at(5)], at(6, label="refund")),
        ([at(5), at(5, label="refund")], at(5, label="refund")),
        ([at(5, 1, "refund"), at(5)], at(5, 1, "refund")),
        ([at(5, 9), at(6, 0, "refund")], at(6, 0, "refund")),
        ([at(6, label="refund"), None], None),
        ([at(6), None, at(5)], at(5)),
    ],
)
def test_the_highest_position_and_revision_is_the_state_then_the_last(
    log: list[Label | None], state: Label | None
) -> None:
    table = LabelTable()
    for label in log:
        table.apply(record(label, b"{}" if label else None))
    assert table.of("a/b", "topic") == state
    assert dict(table) == ({"a/b/topic": state} if state else {})


def test_only_what_changes_the_state_is_a_change() -> None:
    table = LabelTable()
    assert table.apply(record(at(5)))
    assert not table.apply(record(at(5)))
    assert not table.apply(record(at(4)))
    assert not table.apply(record(None, b"no label"))
    assert table.of("a/b", "topic") == at(5)
    assert table.apply(record(None, None))
    assert not table.apply(record(None, None))
    assert len(table) == 0


def deletion(offset: int) -> LabelRecord:
    return replace(record(None, None), deleted_at=offset)


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ([record(at(5)), deletion(6)], None),
        ([deletion(6), record(at(5))], None),
        ([deletion(6), record(at(7))], at(7)),
        ([record(at(7)), deletion(6)], at(7)),
        ([record(at(7)), deletion(6), record(at(5, 1))], at(7)),
    ],
)
def test_a_deletion_removes_what_lay_before_it_in_the_input(
    log: list[LabelRecord], state: Label | None
) -> None:
    table = LabelTable()
    for item in log:
        table.apply(item)
    assert table.of("a/b", "topic") == state


def test_a_ticket_id_may_hold_a_slash() -> None:
    assert (record(LABEL).ticket_id, record(LABEL).task) == ("a/b", "topic")


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

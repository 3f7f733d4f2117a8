"""Tickets erased on a real Kafka, as a user would."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from streamer.cli import main
from streamer.dev.kafka import Kafka
from streamer.errors import TicketError
from streamer.records import Position
from streamer.services.inspect.search import OCCURRENCES
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.partitioner import partitions
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import whole
from tests.services.inspect.test_inspect import label, request
from tests.services.records import Rec
from tests.stage import Stage

DAY_MS = 86_400_000


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka) -> AsyncIterator[Stage]:
    with Stage(tmp_path, kafka, "127.0.0.1:1") as made:
        kept = {"retention.ms": str(2 * DAY_MS), "segment.ms": str(DAY_MS)}
        names = made.topics.names
        await create_topics(kafka.bootstrap, [TopicSpec(name, 4, kept) for name in names])
        yield made


async def erase(stage: Stage, *arguments: str) -> int:
    command = ["erase", *arguments, "--config", str(stage.config)]
    return await asyncio.to_thread(main, command)


async def deletions(stage: Stage) -> list[ConsumerRecord]:
    found = [record async for record in whole(stage.bootstrap, stage.topics.tickets)]
    return [record for record in found if record.value is None]


async def test_the_deletion_follows_the_ticket_into_its_partition(stage: Stage, capsys) -> None:
    # By a partitioner of its sender's own: elsewhere than the key alone would say.
    hashed = int(partitions([b"T1"], 4)[0])
    place = (hashed + 1) % 4
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        value = orjson.dumps({"id": "T1", "text": "a person's text"})
        sent = await producer.send_and_wait(stage.topics.tickets, value, key=b"T1", partition=place)
        made = label("T1", Position("tickets", sent.topic, place, sent.offset), sent.timestamp)
        await producer.send_and_wait(stage.topics.labels, made.to_json(), key=made.key)
        asked = request("T1", made, "a person's text").to_json()
        await producer.send_and_wait(stage.topics.judge, asked, key=made.key)
    assert await erase(stage, "T1", "--dry-run") == 0
    assert await deletions(stage) == []
    capsys.readouterr()
    assert await erase(stage, "T1") == 0
    (record,) = await deletions(stage)
    assert (record.key, record.partition) == (b"T1", place)
    assert record.offset > sent.offset
    said = capsys.readouterr().out
    for topic in (stage.topics.tickets, stage.topics.judge):
        (line,) = [line for line in said.splitlines() if f"text stays in {topic} " in line]
        assert "until " in line
        assert line.endswith("at the latest")
    assert "person" not in said


async def test_what_is_not_found_goes_by_its_key_and_says_so(stage: Stage, capsys) -> None:
    assert await erase(stage, "T1", "T2") == 0
    found = await deletions(stage)
    assert sorted((r.key, r.partition) for r in found) == [
        (key, int(partitions([key], 4)[0])) for key in (b"T1", b"T2")
    ]
    assert "T2: nothing of it was found so far back" in capsys.readouterr().err


async def test_every_partition_in_which_the_ticket_ever_lay_is_told(stage: Stage) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        for place in (0, *[3] * OCCURRENCES):
            sent = await producer.send_and_wait(
                stage.topics.tickets, orjson.dumps({"id": "T1", "text": "x"}), partition=place
            )
            at = Position("tickets", sent.topic, place, sent.offset)
            made = label("T1", at, sent.timestamp)
            await producer.send_and_wait(stage.topics.labels, made.to_json(), key=made.key)
    assert await erase(stage, "T1") == 0
    assert sorted(record.partition for record in await deletions(stage)) == [0, 3]


async def test_letters_that_nobody_can_read_stop_no_deletion_and_are_named(
    stage: Stage, capsys
) -> None:
    letters = DeadLetters(stage.topics.dead, 2**20)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        for topic, value in ((stage.topics.answers, b'["T1"]'), (stage.topics.tickets, b"T1{")):
            died = letters.emission(Rec(value, b"x", 0, 0, topic), TicketError("why", "not"))
            sent = await producer.send_and_wait(
                died.topic, died.value, key=died.key, headers=list(died.headers), partition=2
            )
    assert await erase(stage, "T1", "T2") == 0
    assert sorted(record.key for record in await deletions(stage)) == [b"T1", b"T2"]
    said, names = capsys.readouterr().err, f"2:{sent.offset - 1}, 2:{sent.offset}"
    assert f"T1: dead letters that hold the id and can't be read may be about it: {names};" in said
    assert "T2: dead letters" not in said


async def test_a_dead_answer_holds_no_text_of_the_ticket(stage: Stage, capsys) -> None:
    letters, topics = DeadLetters(stage.topics.dead, 2**20), stage.topics
    answer = orjson.dumps({"ticket_id": "T1", "task": "topic", "label": "a"})
    ticket = orjson.dumps({"id": "T2"})
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        for topic, value in ((topics.answers, answer), (topics.tickets, ticket)):
            died = letters.emission(Rec(value, b"x", 0, 0, topic), TicketError("why", "not"))
            await producer.send_and_wait(
                died.topic, died.value, key=died.key, headers=list(died.headers)
            )
    assert await erase(stage, "T1", "T2", "--dry-run") == 0
    first, second = capsys.readouterr().out.split("T2: ")
    assert "text stays in" not in first
    assert f"text stays in {topics.dead} until" in second

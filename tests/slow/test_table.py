"""The table on a Kafka that does compact: one state of each label, whatever happens to it."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.stream.topics import TopicSpec, create_topics
from tests.services.table.histories import History, Raw, label
from tests.services.table.oracle import Person
from tests.stage import Service, Stage, admin, streamer, until
from tests.table_scene import (
    CLEANING,
    COMPACTED,
    Told,
    by_client,
    by_version_1,
    compacted,
    key_of,
    last,
    make_topics,
    play,
    read,
    settled,
)

pytestmark = pytest.mark.slow

TICKETS = 200
LABELS = ("billing", "bug", "question")
OTHERS = ("billing", "question", "other")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker for this file, whose cleaner is quick."""
    folder = tmp_path_factory.mktemp("kafka")
    with Kafka(folder, port=free_port(), properties=CLEANING) as broker:
        yield broker


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    tasks = {"intent": {"labels": list(LABELS), "workers": ["a", "b"]}}
    with Stage(tmp_path, kafka, "127.0.0.1:1", {"tasks": tasks}) as made:
        yield made


def chance() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


class Written:
    """Histories of many tickets, with what was written of each so far."""

    def __init__(self, dice: random.Random, tickets: int) -> None:
        self._dice = dice
        self.histories = {f"T-{number}": History(dice) for number in range(tickets)}
        self.records: dict[str, list[Raw]] = {name: [] for name in self.histories}

    def more(self, steps: int, labels: tuple[str, ...] = LABELS) -> dict[str, Iterator[Raw]]:
        """Each ticket's next records."""
        return {name: self._of(name, steps, labels) for name in self.histories}

    def _of(self, name: str, steps: int, labels: tuple[str, ...]) -> Iterator[Raw]:
        self.histories[name].labels = labels
        for record in self.histories[name].records(self._dice.randint(2, steps)):
            self.records[name].append(record)
            yield record


async def check(stage: Stage, people: dict[str, Person], version_1: bool = True) -> Told:
    """The table's topic, the oracle and, where it may be asked, version 1's rule say the same."""
    assert stage.topics.current is not None
    labels = await read(stage, stage.topics.labels)
    records = await read(stage, stage.topics.current)
    stands = last(records)
    assert stands == by_client(records)
    if version_1:
        assert stands == by_version_1(labels) == by_client(labels)
    held = {name: person.newest for name, person in people.items() if person.newest is not None}
    by_people = {key_of(name): label for name, (_, label) in held.items()}
    current = {record.key.decode(): record.value for record in records}
    for key, name in by_people.items():
        assert current[key] is not None
        assert f'"label":"{name}"'.encode() in current[key]
        assert b'"source":"person"' in current[key]
    assert len(by_people) > len(people) // 10
    return stands


async def test_histories_with_a_change_of_labels_come_to_one_state(stage: Stage) -> None:
    await make_topics(stage, 3)
    written = Written(chance(), TICKETS)
    table = stage.service("table")
    await table.started()
    await play(stage, written.more(8))
    await settled(stage)
    people = {name: Person().hear(some) for name, some in written.records.items()}
    await check(stage, people)

    assert await table.stopped() == 0
    heard = {name: len(some) for name, some in written.records.items()}
    stage.configuration["tasks"]["intent"]["labels"] = list(OTHERS)
    stage.config.write_text(yaml.safe_dump(stage.configuration, sort_keys=False))
    table = stage.service("table")
    await table.started()
    await play(stage, written.more(6, OTHERS))
    await settled(stage)
    lost = set(LABELS) - set(OTHERS)
    for name, some in written.records.items():
        people[name].hear(some[heard[name] :], lost)
    stands = await check(stage, people)

    await compacted(stage)
    assert stage.topics.current is not None
    assert stands.items() <= last(await read(stage, stage.topics.current)).items()
    await without_a_table_the_last_record_is_another(stage)


async def without_a_table_the_last_record_is_another(stage: Stage) -> None:
    """The negative control: the labels as a compacted topic of their own."""
    labels = await read(stage, stage.topics.labels)
    assert last(labels) != by_version_1(labels)


async def test_killed_moved_and_stopped_tables_keep_the_promise(stage: Stage) -> None:
    await make_topics(stage, 4)
    written = Written(chance(), TICKETS)
    tables = [stage.service("table"), stage.service("table")]
    for table in tables:
        await table.started()
    playing = asyncio.create_task(play(stage, written.more(12), rate=150))
    for turn in range(4):
        await asyncio.sleep(2)
        tables[turn % 2].kill()
        await asyncio.sleep(0.5)
        tables[turn % 2] = stage.service("table")
        tables[turn % 2].start()
    await paused(tables[0], 9)
    await playing
    await settled(stage)
    people = {name: Person().hear(some) for name, some in written.records.items()}
    await check(stage, people)
    for table in tables:
        assert await table.stopped() == 0


async def paused(table: Service, seconds: float) -> None:
    """Stop the process past its session and let it go on; it was writing."""
    pid = table.child.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


async def test_an_older_state_written_late_is_not_taken_for_the_newest_by_the_next_owner(
    stage: Stage,
) -> None:
    topic = stage.topics.current
    assert topic is not None
    # Not compacted, which would leave out what lies before.
    await create_topics(stage.bootstrap, [TopicSpec(name, 1) for name in stage.topics.names])
    table = stage.service("table")
    await table.started()
    for offset, name in enumerate(("bug", "question")):
        await play(stage, {"T-1": iter([Raw(label(offset, 0, name).to_json())])})
        await settled(stage)
    table.kill()
    older, newer = await read(stage, topic)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        headers = list(older.headers)
        await producer.send_and_wait(topic, older.value, key=older.key, headers=headers)
    table = stage.service("table")
    await table.started()
    await play(stage, {"T-2": iter([Raw(label(1).to_json())])})

    async def repaired() -> bool:
        written = [one.value for one in await read(stage, topic) if one.key == older.key]
        return written == [older.value, newer.value, older.value, newer.value]

    await until(repaired, 60)
    assert await table.stopped() == 0


async def test_rebuilt_after_partitions_were_added(stage: Stage) -> None:
    assert stage.topics.current is not None
    await make_topics(stage, 2)
    written = Written(chance(), TICKETS)
    table = stage.service("table")
    await table.started()
    await play(stage, written.more(8))
    await settled(stage)

    async with admin(stage) as client:
        more = NewPartitions(total_count=3)
        await client.create_partitions(dict.fromkeys(stage.topics.names, more))
        assert await table.ended() == 2
        assert "partitions and had 2" in table.log
        await play(stage, written.more(8))
        ended = stage.service("table")
        ended.start()
        assert await ended.ended() == 2
        assert "--rebuild" in ended.log

        await client.delete_topics([stage.topics.current])
        await until(lambda: _is_gone(client, stage.topics.current), 30)
    await create_topics(stage.bootstrap, [TopicSpec(stage.topics.current, 3, COMPACTED)])
    done = await asyncio.to_thread(streamer, "table", "--config", str(stage.config), "--rebuild")
    assert done.returncode == 0, done.stderr
    people = {name: Person().hear(some) for name, some in written.records.items()}
    await check(stage, people, version_1=False)

    table = stage.service("table")
    await table.started()
    await play(stage, written.more(4))
    await settled(stage)
    people = {name: Person().hear(some) for name, some in written.records.items()}
    await check(stage, people, version_1=False)


async def _is_gone(client: AIOKafkaAdminClient, topic: str | None) -> bool:
    return topic not in await client.list_topics()

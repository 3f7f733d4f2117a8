"""The judge with its real engine dies at work: by chance, and again and again of two requests."""

import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streamer.dev.kafka import Kafka
from streamer.records.dead_letter import DeadLetter
from streamer.records.label import Label
from streamer.stream.isolation.note import Note
from tests.accounting import lag, whole
from tests.language_stage import asked, language_stage
from tests.slow.deadly_text import KILLED, RAISED, install
from tests.stage import ROOT, Service, Stage, Wire, until

pytestmark = pytest.mark.slow

# So many that a judge of a tiny model, a thousand a second, is still at work when it is killed.
REQUESTS = 3000
FEW = 600
PARTITIONS = 2
DEADLY = {217: KILLED, 433: RAISED}


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka) -> AsyncIterator[Stage]:
    async with language_stage(tmp_path, kafka, PARTITIONS) as made:
        yield made


async def test_two_kills_in_mid_batch_lose_nothing_and_leave_no_engine_behind(
    stage: Stage,
) -> None:
    await feed(stage, range(REQUESTS))
    judge = stage.service("judge", member="judge")
    await judge.started(400)
    await at_work(judge)
    os.kill(engine(judge), signal.SIGKILL)
    # It notices by itself.
    assert await judge.ended(60) == 1, judge.log
    assert "the vLLM engine" in judge.log
    await hit_work_in_flight(stage)

    await judge.started(400)
    await at_work(judge)
    left = engine(judge)
    judge.kill()
    await hit_work_in_flight(stage)
    # The engine alone holds the GPU's memory, which the next one needs.
    await until(partial(gone, left), 30)

    await judge.started(400)
    await stage.drained(120, "judge")
    assert await judge.stopped() == 0
    assert await labelled(stage) == ids(range(REQUESTS))
    assert await letters(stage) == []


async def test_two_deadly_requests_are_set_aside_and_no_other(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "plugins")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'plugins'}:{ROOT}")
    sent = await feed(stage, range(FEW), DEADLY)
    judge = stage.service("judge", member="judge")
    ends = 0
    judge.start()
    while not await drained_or_ended(stage, judge):
        assert judge.child.returncode == 1, judge.log
        ends += 1
        assert ends <= 3 * len(DEADLY), judge.log
        judge.start()
    assert await judge.stopped() == 0
    print(f"{ends} ends")
    found = await letters(stage)
    assert sorted(reason for reason, _ in found) == ["killed_the_judge"] * len(DEADLY)
    assert sorted(value for _, value in found) == sorted(sent[number][1] for number in DEADLY)
    assert await labelled(stage) == ids(set(range(FEW)) - set(DEADLY))


async def feed(stage: Stage, numbers: range, deadly: dict[int, str] | None = None) -> list[Wire]:
    """Requests about distinct tickets, some with these texts; returns them as they were sent."""
    (task,) = stage.configuration["tasks"]
    deadly = deadly or {}
    texts = [deadly.get(number, f"Where is parcel {number}?") for number in numbers]
    made = [asked(number, task, text) for number, text in zip(numbers, texts, strict=True)]
    wires: list[Wire] = [(one.ticket.id.encode(), one.to_json()) for one in made]
    await stage.feed(wires, topic=stage.topics.judge)
    return wires


async def at_work(judge: Service) -> None:
    """Some labels are there, and not all."""

    async def begun() -> bool:
        return judge.metric("streamer_labels_total") > 0

    await until(begun, 60)
    assert judge.metric("streamer_labels_total") < REQUESTS


def engine(judge: Service) -> int:
    """The process of vLLM's engine."""
    children = psutil.Process(judge.child.pid).children(recursive=True)
    return max(children, key=lambda child: child.memory_info().rss).pid


async def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid)


async def hit_work_in_flight(stage: Stage) -> None:
    """The end came while records were in flight, as the commits say, and committed none of them."""
    group = f"{stage.group}-judge"
    assert await lag(stage.bootstrap, group, stage.topics.judge) > 0
    assert len(await labelled(stage)) < REQUESTS
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    try:
        places = [TopicPartition(stage.topics.judge, number) for number in range(PARTITIONS)]
        found = await admin.list_consumer_group_offsets(group, partitions=places)
    finally:
        await admin.close()
    assert any(Note.parse(one.metadata).open > one.offset for one in found.values())


async def drained_or_ended(stage: Stage, judge: Service) -> bool:
    """Whether all is committed; False where the judge ended before that."""
    group = f"{stage.group}-judge"

    async def over() -> bool:
        if not judge.child.running:
            return True
        return await lag(stage.bootstrap, group, stage.topics.judge) == 0

    await until(over, 400)
    return judge.child.running


async def labelled(stage: Stage) -> set[str]:
    topic = stage.topics.labels
    return {Label.from_json(one.value).ticket_id async for one in whole(stage.bootstrap, topic)}


async def letters(stage: Stage) -> list[tuple[str, bytes | None]]:
    """Reason and value of each dead letter."""
    topic = stage.topics.dead
    return [
        (DeadLetter.from_headers(one.headers).reason, one.value)
        async for one in whole(stage.bootstrap, topic)
    ]


def ids(numbers: range | set[int]) -> set[str]:
    return {f"t{number}" for number in numbers}

"""The judge service on a real Kafka with a scripted judge: audits yield to what is urgent."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streamer.config.kafka import Topics
from streamer.config.settings import Settings
from streamer.dev.kafka import Kafka
from streamer.judging.judge import EngineDead
from streamer.records.judge_request import JudgeRequest, Purpose
from streamer.records.log import VerdictLog, log_from_json
from streamer.services.judge.lanes import run_lanes
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import lag, whole
from tests.conftest import unique_topic
from tests.services.judging import LABELS, Scripted, loads, request
from tests.stage import until
from tests.waiting import soon


class Lanes:
    """A judge service of its own, with its topics."""

    def __init__(
        self, kafka: Kafka, patience: float = 600, flow: Mapping[str, int] | None = None
    ) -> None:
        stem = unique_topic("judged")
        names = {name: f"{stem}.{name}" for name in Topics.model_fields}
        self.topics = Topics(**names)
        self.judge = Scripted()
        self.stop = asyncio.Event()
        task = {"labels": list(LABELS.labels), "workers": ["one", "two"]}
        given: dict[str, Any] = {
            "kafka": {
                "bootstrap": kafka.bootstrap,
                "group": stem,
                "start": "earliest",
                "session_timeout": 6,
                "drain": 5,
            },
            "topics": names,
            "tasks": {"mood": task},
            "audit": {"share": 0.5, "patience": patience},
            "judge": {"listen": {"port": 0}, "flow": flow or {"max_batch": 4, "in_flight": 1}},
        }
        self.settings = Settings.model_validate(given)
        self._bootstrap = kafka.bootstrap

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """The service; ended at the end, if it has not ended by itself."""
        serving = asyncio.create_task(run_lanes(loads(self.judge), self.settings, self.stop))
        try:
            yield serving
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def make_topics(self) -> None:
        names = self.topics.names
        await create_topics(self._bootstrap, [TopicSpec(name, 2) for name in names])

    async def ask(self, purpose: Purpose, numbers: Sequence[int]) -> None:
        """Requests on the topic of their purpose; the text of each names it."""
        topic = self.topics.audit if purpose == "audit" else self.topics.judge
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap) as producer:
            for number in numbers:
                made = _request(purpose, number)
                await producer.send_and_wait(topic, made.to_json(), key=b"%d" % number)

    async def committed(self, topic: str) -> bool:
        group = f"{self.settings.kafka.group}-judge"
        if topic == self.topics.audit:
            group += "-audit"
        return await lag(self._bootstrap, group, topic) == 0

    async def logs(self) -> list[VerdictLog]:
        found = [
            log_from_json(r.value or b"") async for r in whole(self._bootstrap, self.topics.log)
        ]
        return [log for log in found if isinstance(log, VerdictLog)]

    async def labels(self) -> int:
        return len([record async for record in whole(self._bootstrap, self.topics.labels)])

    def scored(self, purpose: Purpose) -> int:
        return sum(purpose in text for text in self.judge.scored)


def _request(purpose: Purpose, number: int) -> JudgeRequest:
    return request(
        f"good {purpose}", number=number, purpose=purpose, candidate="good", uniform=True
    )


@pytest.fixture
async def lanes(kafka: Kafka) -> Lanes:
    made = Lanes(kafka)
    await made.make_topics()
    return made


async def test_audits_wait_for_every_request_and_are_judged_then(lanes: Lanes) -> None:
    await lanes.ask("decide", range(12))
    lanes.judge.gate.clear()
    async with lanes.running() as serving:
        # The first requests are held, and the rest is behind them.
        assert await soon(lambda: lanes.scored("decide") > 0)
        await lanes.ask("audit", range(100, 140))
        # Longer than the session of 6 s: who waits without polling would be thrown out.
        await asyncio.sleep(8)
        assert lanes.scored("audit") == 0
        lanes.judge.gate.set()
        await until(lambda: lanes.committed(lanes.topics.audit), 30)
        assert lanes.scored("decide") == 12
        lanes.stop.set()
        await serving
    logs = await lanes.logs()
    assert await lanes.labels() == 12
    assert sum(log.purpose == "audit" for log in logs) == 40
    assert all(log.missing is None and log.vector is not None for log in logs)


async def test_audits_that_found_no_room_are_given_up(kafka: Kafka) -> None:
    lanes = Lanes(kafka, patience=2)
    await lanes.make_topics()
    lanes.judge.gate.clear()
    async with lanes.running() as serving:
        await lanes.ask("decide", range(4))
        assert await soon(lambda: lanes.scored("decide") > 0)
        await lanes.ask("audit", range(100, 140))
        await until(lambda: lanes.committed(lanes.topics.audit), 30)
        assert lanes.scored("audit") == 0
        lanes.judge.gate.set()
        await until(lambda: lanes.committed(lanes.topics.judge), 30)
        lanes.stop.set()
        await serving
    audits = [log for log in await lanes.logs() if log.purpose == "audit"]
    assert [(log.missing, log.vector) for log in audits] == [("too_late", None)] * 40
    assert await lanes.labels() == 4


async def test_stopping_leaves_waiting_audits_to_the_next_and_nothing_else_behind(
    lanes: Lanes,
) -> None:
    lanes.judge.gate.clear()
    before = asyncio.all_tasks()
    async with lanes.running() as serving:
        await lanes.ask("decide", range(4))
        assert await soon(lambda: lanes.scored("decide") > 0)
        await lanes.ask("audit", range(100, 110))
        await asyncio.sleep(1)
        lanes.stop.set()
        await asyncio.sleep(0.2)
        assert not serving.done()
        lanes.judge.gate.set()
        await asyncio.wait_for(serving, 20)
    assert {task for task in asyncio.all_tasks() if not task.done()} <= before
    assert await lanes.labels() > 0
    lanes.stop.clear()
    async with lanes.running() as serving:
        for topic in (lanes.topics.judge, lanes.topics.audit):
            await until(partial(lanes.committed, topic), 30)
        lanes.stop.set()
        await serving
    logged = {(log.purpose, log.ticket_id) for log in await lanes.logs()}
    assert sorted(purpose for purpose, _ in logged) == ["audit"] * 10 + ["decide"] * 4


async def test_an_engine_that_dies_on_an_audit_ends_the_service(lanes: Lanes) -> None:
    async with lanes.running() as serving:
        await lanes.ask("decide", range(4))
        await until(lambda: lanes.committed(lanes.topics.judge), 30)
        lanes.judge.dead = True
        await lanes.ask("audit", [100])
        with pytest.raises(EngineDead):
            await asyncio.wait_for(serving, 30)
    assert not await lanes.committed(lanes.topics.audit)

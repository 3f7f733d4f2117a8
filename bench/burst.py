"""A burst on the judge's topic: how old requests get and when it is caught up, beside the formula.

The judge service runs as it is, on a real Kafka; its model only waits as long as a judge of a known
rate would take. A second one joins in the middle, as a scaler would have it.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from aiokafka import AIOKafkaProducer

from bench.asked import LABELS, TASK, request
from bench.labels import everything, wait_for
from bench.result import Result, load
from streamer.config import load as load_settings
from streamer.config.settings import Settings
from streamer.dev.kafka import Kafka
from streamer.judging.judge import Judge, JudgeScores
from streamer.judging.surroundings import Surroundings
from streamer.records.labelset import LabelSet
from streamer.services.judge.lanes import run_lanes
from streamer.sizing.backlog import BurstBacklog, Phase
from streamer.stream.topics import TopicSpec, create_topics

RATE, BURST, BURST_S, JUDGED, SECOND_AT, LASTS = 20.0, 5.0, 15.0, 40.0, 25.0, 50.0
PARTITIONS = 6
# What is younger did not wait: a batch takes as long as this.
WAITED_S = 0.5
WITHIN_S = 60.0


class Seen(NamedTuple):
    """Seconds: the greatest age of a request, and the last moment at which one had waited."""

    oldest: float
    empty_at: float


class SlowJudge:
    """Answers after as long as it would take at `JUDGED` tickets a second, one after the other."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def start(self) -> None: ...

    @property
    def full(self) -> bool:
        return self._turn.locked()

    async def healthy(self) -> None: ...

    async def stop(self) -> None: ...

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        return (LABELS,)

    def version(self, task: str, label_set: str) -> str:
        return "slow"

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> JudgeScores:
        async with self._turn:
            await asyncio.sleep(len(texts) / JUDGED)
        return JudgeScores(
            np.full((len(texts), len(LABELS)), 1 / len(LABELS), np.float32),
            np.zeros(len(texts), np.bool_),
        )


def run(options: argparse.Namespace) -> list[Result]:
    """One burst; the figures are beside those of `streamer.sizing`."""
    predicted = BurstBacklog.of(
        [
            Phase(0, RATE * BURST, JUDGED),
            Phase(BURST_S, RATE, JUDGED),
            Phase(SECOND_AT, RATE, 2 * JUDGED),
        ]
    )
    with TemporaryDirectory(prefix="bench-") as name, Kafka(Path(name) / "kafka") as kafka:
        seen = asyncio.run(_burst(_settings(Path(name), kafka.bootstrap)))
    details = {"load": load()}
    return [
        Result(f"burst-{what}", value, "s", known, value / known, "ratio about 1", details)
        for what, value, known in (
            ("oldest", seen.oldest, predicted.oldest),
            ("caught-up", seen.empty_at, predicted.empty_at),
        )
    ]


def _settings(folder: Path, bootstrap: str) -> Settings:
    config = folder / "streamer.yaml"
    config.write_text(
        _CONFIG.format(bootstrap=bootstrap, task=TASK, labels=", ".join(LABELS.labels))
    )
    return load_settings(config, {})


_CONFIG = """\
kafka: {{bootstrap: "{bootstrap}", start: earliest}}
audit: {{share: 0}}
judge: {{listen: {{port: 0}}, flow: {{max_batch: 8, in_flight: 1, max_buffered: 32}}}}
tasks: {{{task}: {{labels: [{labels}], workers: [a, b]}}}}
"""


async def _burst(settings: Settings) -> Seen:
    topics, bootstrap = settings.topics, settings.kafka.bootstrap
    stamped = {"message.timestamp.type": "LogAppendTime"}
    for topic in (topics.judge, topics.labels):
        await create_topics(bootstrap, [TopicSpec(topic, PARTITIONS, stamped)])
    for topic in (topics.review, topics.log, topics.dead, topics.stats):
        await create_topics(bootstrap, [TopicSpec(topic, 1, {})])
    stop = asyncio.Event()
    judges = [asyncio.create_task(_judge(settings, stop))]
    try:
        await _feed(bootstrap, topics.judge, 0, int(RATE), RATE)
        await wait_for(bootstrap, topics.labels, int(RATE), WITHIN_S)
        began_ms = time.time() * 1000
        joining = asyncio.create_task(_later(SECOND_AT, settings, stop))
        count = await _fed(bootstrap, topics.judge)
        await wait_for(bootstrap, topics.labels, count, WITHIN_S)
        judges.append(await joining)
        return await _seen(bootstrap, topics.judge, topics.labels, began_ms)
    finally:
        stop.set()
        await asyncio.gather(*judges)


async def _loaded(settings: Settings, surroundings: Surroundings) -> Judge:
    return SlowJudge()


async def _judge(settings: Settings, stop: asyncio.Event) -> None:
    await run_lanes(_loaded, settings, stop)


async def _later(seconds: float, settings: Settings, stop: asyncio.Event) -> "asyncio.Task[None]":
    await asyncio.sleep(seconds)
    return asyncio.create_task(_judge(settings, stop))


async def _fed(bootstrap: str, topic: str) -> int:
    first, many = int(RATE), int(RATE * BURST * BURST_S)
    await _feed(bootstrap, topic, first, many, RATE * BURST)
    left = int(RATE * (LASTS - BURST_S))
    await _feed(bootstrap, topic, first + many, left, RATE)
    return first + many + left


async def _feed(bootstrap: str, topic: str, first: int, count: int, rate: float) -> None:
    """Requests `first` and on, at a steady rate, late ones at once."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        began, sent = time.perf_counter(), 0
        while sent < count:
            due = min(count, int((time.perf_counter() - began) * rate) + 1)
            for number in range(first + sent, first + due):
                made = request(number)
                await producer.send(
                    topic,
                    made.to_json(),
                    key=made.ticket.id.encode(),
                    partition=number % PARTITIONS,
                )
            sent = due
            await asyncio.sleep(0.01)
        await producer.flush()


async def _seen(bootstrap: str, asked: str, labels: str, began_ms: float) -> Seen:
    sent = {record.key: record.timestamp async for record in everything(bootstrap, asked)}
    oldest = empty_ms = 0.0
    async for record in everything(bootstrap, labels):
        age_s = (record.timestamp - sent[record.key.rpartition(b"/")[0]]) / 1000
        oldest = max(oldest, age_s)
        if age_s > WAITED_S:
            empty_ms = max(empty_ms, record.timestamp - began_ms)
    return Seen(oldest, empty_ms / 1000)

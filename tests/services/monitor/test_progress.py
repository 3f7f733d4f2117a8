"""When the monitor may speak of now, and when it must be restarted."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaConnectionError

from streamer.services.monitor.progress import SETTLED_FOR_S, STUCK_AFTER_S, Progress
from streamer.stream.reading import Reader


@dataclass
class Topic:
    """Its end, or that Kafka is away."""

    end: int = 0
    away: bool = False

    async def parts(self, partitions: list[Any], since: str) -> list["Topic"]:
        if self.away:
            raise KafkaConnectionError
        return [self]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def looked(progress: Progress, topic: Topic) -> Progress:
    await progress.look(cast(Reader, topic))
    return progress


async def test_an_empty_topic_is_read(clock: Clock) -> None:
    progress = await looked(Progress("stats", 0, clock), Topic())
    assert progress.settled
    assert progress.late() is None


async def test_it_is_settled_when_it_has_read_what_was_there_a_look_ago(clock: Clock) -> None:
    topic, progress = Topic(end=100), Progress("stats", 40, clock)
    assert not (await looked(progress, topic)).settled
    assert "60 summaries" in (progress.late() or "")
    progress.took(99)
    assert not (await looked(progress, topic)).settled
    progress.took(100)
    topic.end = 130  # there is always something new
    assert (await looked(progress, topic)).settled
    assert progress.behind == 30
    clock.now += SETTLED_FOR_S + 1
    assert not (await looked(progress, topic)).settled


async def test_without_kafka_nothing_is_said_of_now(clock: Clock) -> None:
    topic, progress = Topic(), Progress("stats", 0, clock)
    assert (await looked(progress, topic)).settled
    topic.away = True
    clock.now += SETTLED_FOR_S + 1
    assert not (await looked(progress, topic)).settled
    assert progress.stuck() is None


async def test_it_is_stuck_when_it_reads_nothing_of_what_is_there(clock: Clock) -> None:
    topic, progress = Topic(end=10), Progress("stats", 10, clock)
    clock.now += 10 * STUCK_AFTER_S
    assert (await looked(progress, topic)).stuck() is None
    topic.end = 20
    await looked(progress, topic)
    clock.now += STUCK_AFTER_S - 1
    assert (await looked(progress, topic)).stuck() is None
    clock.now += 2
    assert "10 wait" in (progress.stuck() or "")
    progress.took(15)
    assert progress.stuck() is None

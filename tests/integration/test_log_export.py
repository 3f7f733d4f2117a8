"""The log topic of a real Kafka becomes a file, and answers on another become labels."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from aiokafka import AIOKafkaProducer

from streamer.cli import main
from streamer.config import Settings, load
from streamer.dev.kafka import Kafka
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.label import Label
from streamer.records.log import AnswerLog, Log, log_from_json, log_json
from streamer.records.log_file import read_log
from streamer.services.classify.answers.answers import answers_stream
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import whole
from tests.conftest import unique_topic
from tests.learn import planted
from tests.learn.served import Serving
from tests.services.classify.answers.test_answers_handler import MOODS, answer
from tests.stage import until

TOPICS = ("labels", "dead", "answers", "log")


@pytest.fixture
async def config(kafka: Kafka, tmp_path: Path) -> Path:
    stem = unique_topic("logged")
    await create_topics(kafka.bootstrap, [TopicSpec(f"{stem}.{name}", 3) for name in TOPICS])
    settings = {
        "source": "support",
        "kafka": {"bootstrap": kafka.bootstrap, "start": "earliest", "group": stem},
        "topics": {name: f"{stem}.{name}" for name in TOPICS},
        "review": {"gold": 1.0},
        "tasks": {"mood": {"labels": list(MOODS.labels), "workers": ["one", "two"]}},
    }
    path = tmp_path / "streamer.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


async def publish(settings: Settings, topic: str, values: list[bytes], at: int = 0) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap) as producer:
        for number, value in enumerate(values):
            key = b"%d" % (number % 7)
            await producer.send(topic, value, key=key, timestamp_ms=at or None)


async def exported(config: Path, *more: str) -> list[Log]:
    file = config.parent / "log.parquet"
    arguments = ["log", "export", str(file), "--config", str(config), *more]
    assert await asyncio.to_thread(main, arguments) == 0
    return list(read_log(file))


async def test_all_that_is_in_the_log_comes_into_the_file(config: Path, capsys) -> None:
    settings = load(config)
    logs = await Serving().log(planted.well_behaved(np.random.default_rng(1), 6000))
    await publish(settings, settings.topics.log, [*map(log_json, logs), b"no log", b""])
    found = await exported(config)
    assert len(found) == len(logs)
    assert set(map(log_json, found)) == set(map(log_json, logs))
    said = capsys.readouterr()
    assert said.out.startswith(f"wrote {len(logs)} records to ")
    assert "left out 2 values" in said.err


async def test_since_a_time_and_from_an_empty_log(config: Path, capsys) -> None:
    settings = load(config)
    assert await exported(config) == []
    assert "nothing was logged" in capsys.readouterr().err
    logs = await Serving().log(planted.well_behaved(np.random.default_rng(1), 50))
    old, new = (int(datetime(2026, month, 1, tzinfo=UTC).timestamp() * 1000) for month in (1, 3))
    await publish(settings, settings.topics.log, [log_json(log) for log in logs[:30]], old)
    await publish(settings, settings.topics.log, [log_json(log) for log in logs[30:]], new)
    found = await exported(config, "--since", "2026-02-01")
    assert set(map(log_json, found)) == set(map(log_json, logs[30:]))
    assert await exported(config, "--since", "2026-04-01") == []


async def test_a_missing_topic_or_folder_is_one_line(config: Path, capsys) -> None:
    for more, line in (
        (["--set", "topics.log=mistyped"], "no topic mistyped"),
        (["log/of/nowhere.parquet"], "can't write"),
    ):
        file = "log.parquet" if more[0].startswith("--") else str(config.parent / more.pop())
        arguments = ["log", "export", file, "--config", str(config), *more]
        assert await asyncio.to_thread(main, arguments) == 2
        said = capsys.readouterr().err.splitlines()
        assert line in said[-1]


async def test_answers_on_their_topic_become_labels_and_are_logged(config: Path) -> None:
    settings, stop = load(config), asyncio.Event()
    answers = [answer(number) for number in range(40)]
    await publish(
        settings, settings.topics.answers, [*[one.to_json() for one in answers], b"no answer"]
    )
    running = asyncio.create_task(answers_stream(settings, Metrics(), Tracing("test", 0.0), stop))
    try:
        await until(partial(holds, settings, settings.topics.log, len(answers)), 60)
        await until(partial(holds, settings, settings.topics.dead, 1), 60)
    finally:
        stop.set()
        await running
    made = [Label.from_json(each) for each in await values(settings, settings.topics.labels)]
    assert {(one.ticket_id, one.revision) for one in made} == {(f"t{n}", 2) for n in range(40)}
    logs = [log_from_json(value) for value in await values(settings, settings.topics.log)]
    assert len(logs) == 40
    assert all(isinstance(log, AnswerLog) and log.gold for log in logs)


async def holds(settings: Settings, topic: str, count: int) -> bool:
    return len(await values(settings, topic)) >= count


async def values(settings: Settings, topic: str) -> list[bytes]:
    return [record.value async for record in whole(settings.kafka.bootstrap, topic)]

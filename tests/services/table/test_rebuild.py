"""A table's topic written anew: what it refuses, and one that was broken off and is done again."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewPartitions
from aiokafka.errors import NotEnoughReplicasError

from streamer import cli
from streamer.config.load import load
from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError
from streamer.services.table import rebuild
from streamer.services.table.group import Group
from streamer.services.table.record import headers, written
from streamer.services.table.service import serve
from streamer.services.table.state import State
from streamer.stream.groups import noted
from streamer.stream.handler import Emission
from streamer.stream.publisher import Publisher
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic
from tests.services.table.histories import History, label
from tests.stage import Stage, admin
from tests.table_scene import by_version_1, last, make_topics, play, read

TICKETS = 60


@pytest.fixture
async def settings(stage: Stage) -> Settings:
    """Of a stage on whose labels many histories lie, and on whose table's topic nothing."""
    await make_topics(stage, 2)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    await play(stage, {f"T-{number}": History(dice).records(8) for number in range(TICKETS)})
    return load(stage.config)


def current(settings: Settings) -> str:
    assert settings.topics.current is not None
    return settings.topics.current


async def rebuilt(settings: Settings) -> int:
    return await asyncio.to_thread(rebuild.run, settings)


def breaking(after: int, how: Callable[[], None]) -> type[Publisher]:
    """A publisher that breaks once so many records are with Kafka."""

    class Breaking(Publisher):
        left = after

        async def send(self, emissions: Sequence[Emission]) -> list[asyncio.Future[Any]]:
            sent = await super().send(emissions[: self.left])
            if self.left < len(emissions):
                await self.acknowledged(sent)
                how()
            self.left -= len(emissions)
            return sent

    return Breaking


def refused() -> None:
    raise BrokerError(f"Kafka refused a batch ({NotEnoughReplicasError()!r}); look at it")


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def stands(stage: Stage, topic: str) -> dict[bytes, tuple[object, ...]]:
    """By key, all that a table that comes back knows of what was written last."""
    states = {one.key: written(one) for one in await read(stage, topic)}
    return {
        key: (state.top, state.stands, state.beside, state.person and state.person.spoke)
        for key, state in states.items()
        if state.top is not None or state.gone is not None
    }


async def noted_of(stage: Stage) -> set[tuple[int, str]]:
    async with admin(stage) as client:
        return {*(await noted(client, f"{stage.group}-table")).values()}


async def test_one_that_was_broken_off_is_done_again_and_comes_to_the_same(
    stage: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys; from pathlib import Path; from streamer.config.load import load;"
        "from streamer.services.table import rebuild;"
        "from tests.services.table.test_rebuild import breaking, killed;"
        "rebuild.Publisher = breaking(20, killed); rebuild.run(load(Path(sys.argv[1])))"
    )
    argv = [sys.executable, "-c", code, str(stage.config)]
    ended = await asyncio.to_thread(subprocess.run, argv, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL
    left = await read(stage, current(settings))
    assert len([one for one in left if one.topic == current(settings)]) > 0

    gone = next(one.key for one in left if one.value is not None)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        await producer.send_and_wait(settings.topics.labels, None, key=gone)
    with pytest.raises(ConfigError, match="--rebuild"):
        await serve(settings, asyncio.Event())

    with monkeypatch.context() as patched:
        patched.setattr(rebuild, "Publisher", breaking(30, refused))
        with pytest.raises(BrokerError, match="--rebuild"):
            await rebuilt(settings)
    assert await rebuilt(settings) == 0
    found = await read(stage, current(settings))
    assert last(found) == by_version_1(await read(stage, settings.topics.labels))
    assert gone.decode() not in last(found)

    other = unique_topic("unbroken")
    await create_topics(stage.bootstrap, [TopicSpec(other, 2)])
    unbroken = settings.topics.model_copy(update={"current": other})
    assert await rebuilt(settings.model_copy(update={"topics": unbroken})) == 0
    assert await stands(stage, current(settings)) == await stands(stage, other)


async def test_a_broker_that_refuses_ends_it_with_what_comes_next(
    stage: Stage,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(rebuild, "Publisher", breaking(10, refused))
    argv = ["table", "--rebuild", "--config", str(stage.config)]
    assert await asyncio.to_thread(cli.main, argv) == 1
    said = capsys.readouterr().err
    assert "NotEnoughReplicas" in said
    assert "run `streamer table --rebuild` again" in said


async def test_what_a_table_or_a_whole_rebuild_wrote_is_refused(
    stage: Stage, settings: Settings
) -> None:
    made = headers(State(), b"a live table", 0)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        await producer.send_and_wait(current(settings), None, key=b"T-1/intent", headers=made)
    with pytest.raises(ConfigError, match="not empty"):
        await rebuilt(settings)
    assert await noted_of(stage) == set()
    assert len(await read(stage, current(settings))) == 1


async def test_a_label_of_which_nothing_came_for_long_is_left_out(
    stage: Stage, settings: Settings
) -> None:
    long_ago = int((time.time() - 100 * 86_400) * 1000)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        value = label(1).to_json()
        for key, at in ((b"old/intent", long_ago), (b"new/intent", None)):
            await producer.send_and_wait(settings.topics.labels, value, key, timestamp_ms=at)
    assert await rebuilt(settings) == 0
    found = last(await read(stage, current(settings)))
    assert {"old/intent", "new/intent"} & found.keys() == {"new/intent"}


async def test_one_that_has_ended_is_refused_a_second_time(
    stage: Stage, settings: Settings
) -> None:
    assert await rebuilt(settings) == 0
    before = await noted_of(stage)
    with pytest.raises(ConfigError, match="not empty"):
        await rebuilt(settings)
    assert await noted_of(stage) == before


async def test_one_that_was_broken_off_before_partitions_were_added_is_not_done_over(
    stage: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(rebuild, "Publisher", breaking(10, refused))
        with pytest.raises(BrokerError):
            await rebuilt(settings)
    async with admin(stage) as client:
        topics = (settings.topics.labels, current(settings))
        await client.create_partitions({name: NewPartitions(3) for name in topics})
    with pytest.raises(ConfigError, match="not empty"):
        await rebuilt(settings)


async def test_none_is_begun_while_a_table_runs(stage: Stage, settings: Settings) -> None:
    table = AIOKafkaConsumer(
        settings.topics.labels,
        bootstrap_servers=stage.bootstrap,
        group_id=f"{stage.group}-table",
    )
    async with table:
        with pytest.raises(ConfigError, match="1 tables are running"):
            await rebuilt(settings)
    assert await read(stage, current(settings)) == []


async def test_a_table_that_starts_just_then_keeps_its_commits(
    stage: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(self: Group) -> None:
        """As seen the moment before."""

    monkeypatch.setattr(Group, "refuse_members", none)
    table = AIOKafkaConsumer(
        settings.topics.labels,
        bootstrap_servers=stage.bootstrap,
        group_id=f"{stage.group}-table",
    )
    async with table:
        with pytest.raises(BrokerError, match="started meanwhile"):
            await rebuilt(settings)
        assert await noted_of(stage) == set()
    assert await read(stage, current(settings)) == []


async def test_topics_of_other_counts_are_refused(stage: Stage, settings: Settings) -> None:
    async with admin(stage) as client:
        await client.create_partitions({settings.topics.labels: NewPartitions(3)})
    with pytest.raises(ConfigError, match="give both the same number"):
        await rebuilt(settings)
    assert await noted_of(stage) == set()

"""A table from its start to its end: what it refuses, and that it ends in order."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewPartitions

from streamer.config.load import load
from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.records.label import STANDS
from streamer.services.table import service
from streamer.services.table.handler import TableHandler
from streamer.stream.groups import committed
from streamer.stream.handler import Barrier, Emission, Record, Settled
from tests.services.table.histories import Raw, label
from tests.services.table.scene import key_in
from tests.stage import Stage, admin
from tests.table_scene import make_topics, play, read

TICKETS = 400


@pytest.fixture
async def settings(stage: Stage) -> Settings:
    """Of a stage with labels of many tickets."""
    await make_topics(stage, 2)
    one = Raw(label(1).to_json())
    await play(stage, {f"T-{number}": iter([one]) for number in range(TICKETS)})
    return load(stage.config)


async def test_what_is_begun_when_it_shall_stop_is_written_and_committed(
    stage: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = asyncio.Event()

    class Stopped(TableHandler):
        async def handle(
            self, batch: Sequence[Record]
        ) -> AsyncGenerator[Sequence[Emission | Settled] | Barrier, None]:
            stop.set()
            async for group in super().handle(batch):
                yield group

    monkeypatch.setattr(service, "TableHandler", Stopped)
    await asyncio.wait_for(service.serve(settings, stop), 60)
    labels = await read(stage, settings.topics.labels)
    async with admin(stage) as client:
        done = await committed(client, f"{stage.group}-table")
    ends = {place.partition: offset for place, offset in done.items()}
    read_through = {one.key for one in labels if one.offset < ends.get(one.partition, 0)}
    assert read_through
    assert settings.topics.current is not None
    assert {one.key for one in await read(stage, settings.topics.current)} == read_through
    with socket.create_server((settings.table.listen.host, settings.table.listen.port)):
        pass  # it answers no probe any more


async def test_keys_in_other_partitions_than_before_end_it(
    stage: Stage, settings: Settings
) -> None:
    assert settings.topics.current is not None
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        await producer.send_and_wait(
            settings.topics.current, None, key_in(1), partition=0, headers=[(STANDS, b"before")]
        )
    with pytest.raises(ConfigError, match="partitions were added"):
        await asyncio.wait_for(service.serve(settings, asyncio.Event()), 60)


async def test_topics_of_other_counts_are_refused(stage: Stage, settings: Settings) -> None:
    async with admin(stage) as client:
        await client.create_partitions({settings.topics.labels: NewPartitions(3)})
    with pytest.raises(ConfigError, match="give both the same number"):
        await service.serve(settings, asyncio.Event())

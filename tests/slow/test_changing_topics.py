"""Topics change under running services: more partitions, or deleted and made again."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from aiokafka.admin import NewPartitions

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.records.label import Label
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import whole
from tests.stage import Stage, Wire, admin, agreed, until

pytestmark = pytest.mark.slow

# On a busy machine; without looking for them it takes the client five minutes, or for ever.
READ_WITHIN_S = 120


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("kafka"), port=free_port()) as broker:
        yield broker


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url) as made:
        yield made


@pytest.mark.parametrize("start", ["earliest", "latest"])
async def test_partitions_that_are_added_are_read_also_after_static_members_came_back(
    stage: Stage, start: str
) -> None:
    await stage.make_topics(partitions=2)
    services = [
        stage.service("classify", "--set", f"kafka.start={start}", member=name)
        for name in ("one", "two")
    ]
    for service in services:
        await service.started()
    await stage.feed(map(agreed, range(100)))
    await stage.drained()
    # Whoever leads the group is restarted within its session, and leads it since unknowingly.
    for service in services:
        service.kill()
        await service.started()
    await more_partitions(stage, 6, stage.topics.tickets)
    await stage.feed(map(agreed, range(100, 700)))
    await stage.drained(READ_WITHIN_S)
    account = await stage.account()
    kinds = account.kinds(["intent"])
    added = {place: found for place, found in kinds.items() if place.partition >= 2}
    assert {place.partition for place in added} == {2, 3, 4, 5}
    assert set(map(frozenset, added.values())) == {frozenset({"label"})}
    if start == "earliest":
        assert account.totals(["intent"]) == {"label": 700}
    for service in services:
        assert await service.stopped() == 0


@pytest.mark.parametrize("partitions", [4, 2])
async def test_every_ticket_of_a_topic_that_was_made_again_is_labelled(
    stage: Stage, partitions: int
) -> None:
    await stage.make_topics(partitions=4)
    service = stage.service(member="one")
    await service.started()
    await stage.feed(map(agreed, range(400)))
    await stage.drained()
    await made_again(stage, stage.topics.tickets, partitions)
    # Some partitions get longer than the old ones were, some stay shorter.
    wires = [*map(agreed, range(1000, 1100)), *[keyed(agreed(n)) for n in range(2000, 2400)]]
    await stage.feed(wires)
    began = time.monotonic()
    await labelled(stage, {wire_id(wire) for wire in wires}, READ_WITHIN_S)
    print(f"labelled {time.monotonic() - began:.0f} s after the last was written")
    assert "was deleted and made again" in service.log
    await stage.drained()
    assert await service.stopped() == 0


async def more_partitions(stage: Stage, count: int, topic: str) -> None:
    async with admin(stage) as client:
        await client.create_partitions({topic: NewPartitions(count)})


async def made_again(stage: Stage, topic: str, partitions: int) -> None:
    async with admin(stage) as client:
        await client.delete_topics([topic])
        while topic in await client.list_topics():  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(0.1)
    await create_topics(stage.bootstrap, [TopicSpec(topic, partitions)])


async def labelled(stage: Stage, ids: set[str], within_s: float) -> None:
    """Wait until each has a label."""
    missing = set(ids)

    async def none() -> bool:
        found = [
            Label.from_json(one.value) async for one in whole(stage.bootstrap, stage.topics.labels)
        ]
        missing.difference_update(label.ticket_id for label in found)
        return not missing

    try:
        await until(none, within_s)
    except AssertionError:
        raise AssertionError(f"{len(missing)} of {len(ids)} have no label") from None


def keyed(wire: Wire) -> Wire:
    """To one partition."""
    return b"the same for all", wire[1]


def wire_id(wire: Wire) -> str:
    return str(orjson.loads(wire[1] or b"")["id"])

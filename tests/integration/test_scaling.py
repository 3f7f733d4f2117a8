"""Several classify processes of one group."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.stage import Service, Stage, agreed, disputed, until


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url) as made:
        yield made


async def test_two_processes_share_the_partitions_and_one_leaves_without_a_repeat(
    stage: Stage,
) -> None:
    await stage.make_topics(partitions=4)
    first, second = stage.service(), stage.service()
    await first.started()
    await second.started()
    # An hour's worth: it is cut short once both were seen at work.
    wires = (disputed(n) if n % 10 == 0 else agreed(n) for n in range(500 * 3600))
    feeding = asyncio.create_task(stage.feed(wires, rate=500))
    await until(lambda: worked(first, second), 120)

    assert await second.stopped() == 0
    assert "Traceback" not in second.log
    alone = await decided(first)

    async def taken_over() -> bool:
        return await decided(first) > alone + 500

    await until(taken_over, 120)
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    await stage.drained()
    account = await stage.account()
    assert account.unaccounted(["intent"]) == {}
    assert account.repeats == 0
    assert {partition for partition, _ in account.inputs} == {0, 1, 2, 3}
    assert await first.stopped() == 0


async def worked(*services: Service) -> bool:
    return all([await decided(service) > 300 for service in services])


async def decided(service: Service) -> float:
    return await asyncio.to_thread(service.metric, "streamer_labels_total")

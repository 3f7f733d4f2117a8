"""A service under a constant load does not grow."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.stage import Stage, agreed, disputed

pytestmark = pytest.mark.slow

PER_SECOND = 400
WARM_UP_S = 45
SOAK_S = 150
MOST_MB = 40


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url) as made:
        yield made


async def test_memory_of_classify_is_constant_under_a_constant_load(stage: Stage) -> None:
    await stage.make_topics()
    service = stage.service()
    await service.started()
    process = psutil.Process(service.child.pid)
    count = PER_SECOND * (WARM_UP_S + SOAK_S)
    wires = (disputed(n) if n % 10 == 0 else agreed(n) for n in range(count))
    began = time.monotonic()
    feeding = asyncio.create_task(stage.feed(wires, rate=PER_SECOND))
    sizes: list[tuple[float, float]] = []
    while not feeding.done():
        sizes.append((time.monotonic() - began, process.memory_info().rss / 2**20))
        await asyncio.sleep(1)
    await feeding
    await stage.drained()
    warm = max(size for at, size in sizes if at <= WARM_UP_S)
    most = max(size for _, size in sizes)
    print(f"{count} tickets, {warm:.1f} MB warm, {most:.1f} MB at most")
    assert most - warm < MOST_MB
    assert (await stage.account()).unaccounted(["intent"]) == {}
    assert await service.stopped() == 0

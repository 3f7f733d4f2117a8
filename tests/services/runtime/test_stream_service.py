"""What a service says of its place in Kafka."""

import time
from types import SimpleNamespace
from typing import Any, cast

from streamer.decide.budget import JudgeBudget, RateCap
from streamer.services.runtime.stream_service import Status
from streamer.stream.engine import Engine
from tests.stream.test_topic_watch import Watched


async def reading(watched: Watched, partitions: set[int]) -> Status:
    await watched.watch.begin()
    status = Status("Triton")
    engine: Any = SimpleNamespace(polled_at=time.monotonic())
    status.watch(cast(Engine, engine), lambda: partitions, watched.watch)
    return status


async def test_the_part_is_of_the_partitions_of_now() -> None:
    watched, mine = Watched(), {0, 1}
    status = await reading(watched, mine)
    assert status.part() == 2 / 4
    watched.admin.partitions = 8
    mine |= {4, 5, 6}
    await watched.watch.look()
    assert status.part() == 5 / 8


async def test_the_judges_budget_stays_what_it_is_when_partitions_are_added() -> None:
    """Also before they are counted: nobody has more than the whole."""
    watched = Watched()
    watched.admin.partitions = 3
    mine = {0, 1, 2}
    status = await reading(watched, mine)
    watched.admin.partitions = 6
    mine |= {3, 4, 5}
    budget = JudgeBudget(RateCap(10), 0.0)
    budget.allow(300, 0, 0.0, status.part())
    asked = [budget.allow(10**6, 0, float(second), status.part()) for second in range(1, 501)]
    await watched.watch.look()
    asked += [budget.allow(10**6, 0, float(second), status.part()) for second in range(501, 1001)]
    assert sum(asked) == 10 * 1000
    assert status.part() == 1

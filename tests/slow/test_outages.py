"""Triton or one of its models is away under load: nothing is lost, and no process ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import psutil
import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.learn.artifacts.repository import write_model
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from tests.accounting import whole
from tests.conftest import ECHO_LABELS, ECHO_MODELS, own_triton
from tests.stage import Service, Stage, agreed, until

pytestmark = pytest.mark.slow

OUTAGE_S = 60
PER_SECOND = 300
# Kept while the workers are away: the engine's buffer and what the client has fetched ahead.
MOST_MB = 120


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    folder = tmp_path_factory.mktemp("outages")
    for name in ECHO_MODELS:
        write_model(folder / "models", name, "echo", ECHO_LABELS)
    with own_triton(folder / "state", folder / "models") as server:
        yield server


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton.url) as made:
        yield made


async def test_without_triton_for_a_minute_the_stream_waits_and_goes_on(
    stage: Stage, triton: Triton
) -> None:
    await stage.make_topics()
    service = stage.service()
    await service.started()
    async with load(stage) as fed:
        await labels_after(service, 1000)
        before = memory_mb(service)
        await asyncio.to_thread(triton.stop)
        peak = before
        ends = time.monotonic() + OUTAGE_S
        while time.monotonic() < ends:
            peak = max(peak, memory_mb(service))
            assert service.ready(), service.log
            await asyncio.sleep(1)
        labels = service.metric("streamer_labels_total")
        await asyncio.to_thread(triton.start)
        await labels_after(service, labels + PER_SECOND * OUTAGE_S)
    await stage.drained()
    print(f"{fed[0]} tickets, memory {before:.0f} MB before and at most {peak:.0f} MB during it")
    account = await stage.account()
    assert account.totals(["intent"]) == {"label": fed[0]}
    assert account.unaccounted(["intent"]) == {}
    assert account.repeats == 0
    assert peak - before < MOST_MB
    assert service.metric("streamer_deferred_total") == 0
    assert await service.stopped() == 0


async def test_without_one_of_three_models_the_stream_flows(stage: Stage, triton: Triton) -> None:
    await stage.make_topics()
    service = stage.service()
    await service.started()
    async with load(stage):
        await labels_after(service, 1000)
        with_all = service.metric("streamer_labels_total")
        triton.unload("echo_a")
        try:
            await labels_after(service, with_all + 5000)
        finally:
            triton.load("echo_a")
        assert await votes_of(stage, "echo_a", ends="outage"), "nobody missed it"

        async def back() -> bool:
            return await votes_of(stage, "echo_a", ends=None)

        await until(back, 120)
    await stage.drained()
    account = await stage.account()
    assert account.unaccounted(["intent"]) == {}
    assert set(account.totals(["intent"])) == {"label"}
    assert account.repeats == 0
    assert await service.stopped() == 0


@pytest.mark.parametrize("on_outage", ["wait", "judge", "fallback"])
async def test_a_pair_without_one_of_them(
    tmp_path: Path, kafka: Kafka, triton: Triton, on_outage: str
) -> None:
    intent = {
        "labels": list(ECHO_LABELS),
        "workers": list(ECHO_MODELS[:2]),
        "on_outage": on_outage,
    }
    with Stage(tmp_path, kafka, triton.url, {"tasks": {"intent": intent}}) as stage:
        await stage.make_topics()
        service = stage.service()
        await service.started()
        triton.unload("echo_b")
        try:
            await stage.feed(map(agreed, range(100)))
            if on_outage == "wait":
                # Much longer than the time after which a worker abstains.
                await asyncio.sleep(10)
                assert (await stage.account()).published == {}
            else:
                await stage.drained()
        finally:
            triton.load("echo_b")
        await stage.drained()
        account = await stage.account()
        assert await service.stopped() == 0
        labels = [
            Label.from_json(r.value) async for r in whole(stage.bootstrap, stage.topics.labels)
        ]
        requests = [
            JudgeRequest.from_json(r.value)
            async for r in whole(stage.bootstrap, stage.topics.judge)
        ]
    assert account.unaccounted(["intent"]) == {}
    assert (len(labels), len(requests)) == ((0, 100) if on_outage == "judge" else (100, 0))
    assert {label.source for label in labels} <= {
        "fallback" if on_outage == "fallback" else "workers"
    }
    votes = [vote for item in labels for vote in item.votes]
    votes += [vote for item in requests for vote in item.ballot.votes]
    missed = {vote.abstained for vote in votes if vote.worker == "echo_b"}
    assert missed == ({None} if on_outage == "wait" else {"outage"})


@asynccontextmanager
async def load(stage: Stage) -> AsyncIterator[list[int]]:
    """Feeds at a steady rate meanwhile; the list holds how many there were, at the end."""
    fed: list[int] = [0]
    ending = asyncio.Event()

    def wires() -> "Iterator[tuple[bytes | None, bytes | None]]":
        while not ending.is_set():
            yield agreed(fed[0])
            fed[0] += 1

    feeding = asyncio.create_task(stage.feed(wires(), rate=PER_SECOND))
    try:
        yield fed
    finally:
        ending.set()
        await feeding


async def labels_after(service: Service, count: float) -> None:
    async def enough() -> bool:
        return await asyncio.to_thread(service.metric, "streamer_labels_total") >= count

    await until(enough, 240)


async def votes_of(stage: Stage, worker: str, *, ends: str | None) -> bool:
    """Whether the newest label says this of a worker: why it abstained, or None."""
    newest = [r async for r in whole(stage.bootstrap, stage.topics.labels)]
    last = orjson.loads(max(newest, key=lambda record: record.timestamp).value)
    return any(v["worker"] == worker and v["abstained"] == ends for v in last["votes"])


def memory_mb(service: Service) -> float:
    assert service.child.pid is not None
    return float(psutil.Process(service.child.pid).memory_info().rss) / 2**20

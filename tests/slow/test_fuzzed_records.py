"""Fuzzed records through classify and judge: each has exactly one outcome, and nothing ends.

`STREAMER_SEED` and `STREAMER_FUZZED` set the seed and the number of records, to look at one again
or at more.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import psutil
import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.records.dead_letter import DeadLetter
from streamer.records.fetched import read_any_header_name
from tests.accounting import Account, Place, whole
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.language_stage import language_stage
from tests.slow.fuzzed import PARTITIONS, Fuzz, bent, write
from tests.stage import Service, Stage

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("STREAMER_SEED", "15"))
RECORDS = int(os.environ.get("STREAMER_FUZZED", "20000"))
REQUESTS = 500
TASKS = ("intent", "tone")
# Beside the models: what the engine may buffer and hold in flight.
MOST_MB = {"classify": 450, "judge": 1600}


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("kafka"), port=free_port()) as broker:
        yield broker


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> AsyncIterator[Stage]:
    task = {"labels": list(ECHO_LABELS), "workers": list(ECHO_MODELS)}
    # Of one task the judge's answers are labels, of the other a person is asked.
    blocks = {"tasks": {"intent": task, "tone": {**task, "review_below": 1.0}}}
    async with language_stage(
        tmp_path, kafka, PARTITIONS, triton=triton_echo.url, blocks=blocks
    ) as made:
        yield made


async def test_each_record_has_exactly_one_outcome_and_nothing_ends(stage: Stage) -> None:
    print(f"seed {SEED}, {RECORDS} records")
    read_any_header_name()  # for what this test itself reads
    records = list(islice(Fuzz(SEED), RECORDS))
    services = {verb: stage.service(verb) for verb in ("classify", "judge")}
    for service in services.values():
        service.start()
    began = time.monotonic()
    writing = asyncio.create_task(write(stage.bootstrap, stage.topics.tickets, records, SEED))
    peaks: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watched(services, peaks))
        await writing
        for service in services.values():
            await service.started(400)
        await stage.drained(600)
        await stage.drained(600, "judge")
        watching.cancel()
    print(f"{time.monotonic() - began:.0f} s, at most {dict(peaks)} MB")
    account = await stage.account()
    print(dict(account.totals(TASKS)), await reasons(stage))
    assert len(account.inputs) == RECORDS
    assert account.unaccounted(TASKS) == {}
    assert account.repeats == 0
    assert account.unreadable == []
    assert set(account.totals(TASKS)) == {"label", "review", "dead letter", "deletion"}
    assert await whole_letters(stage, account) > 0
    # The control: an account that lost one outcome of any kind is not in order.
    for kind in ("label", "review", "dead letter"):
        place = one_of(account, kind)
        lost = account.published.pop(place)
        assert set(account.unaccounted(TASKS)) == {
            Place(place.partition, place.offset, task) for task in TASKS if place.task in ("", task)
        }
        account.published[place] = lost
    assert all(peaks[verb] < most for verb, most in MOST_MB.items()), peaks
    await each_bent_request_has_an_outcome(stage)
    for service in services.values():
        assert await service.stopped() == 0


async def each_bent_request_has_an_outcome(stage: Stage) -> None:
    """As others may write them: a dead letter, or what the judge says where the rest is enough."""
    topics = stage.topics
    asked = [one.value async for one in whole(stage.bootstrap, topics.judge)][:REQUESTS]
    made = dict(bent(asked, SEED))
    await stage.feed([(name.encode(), value) for name, value in made.items()], topic=topics.judge)
    await stage.drained(600, "judge")
    answered = {
        one.key.decode().rpartition("/")[0]
        for topic in (topics.labels, topics.review)
        async for one in whole(stage.bootstrap, topic)
    }
    refused = {
        (one.key or b"").decode(errors="replace")
        async for one in whole(stage.bootstrap, topics.dead)
        if DeadLetter.from_headers(one.headers).topic == topics.judge
    }
    print(f"{len(made)} bent requests, {len(refused & made.keys())} refused")
    assert made.keys() <= answered | refused
    assert refused & made.keys()


async def watched(services: dict[str, Service], peaks: Counter[str]) -> None:
    """Note the most memory that each process has, and fail where one has ended."""
    while True:
        for verb, service in services.items():
            assert service.child.running, service.log
            used = psutil.Process(service.child.pid).memory_info().rss / 2**20
            peaks[verb] = max(peaks[verb], int(used))
        await asyncio.sleep(0.5)


async def reasons(stage: Stage) -> dict[str, int]:
    topic = stage.topics.dead
    return Counter(
        [DeadLetter.from_headers(one.headers).reason async for one in whole(stage.bootstrap, topic)]
    )


async def whole_letters(stage: Stage, account: Account) -> int:
    """How many tickets died, each kept byte for byte."""
    count = 0
    async for one in whole(stage.bootstrap, stage.topics.dead):
        letter = DeadLetter.from_headers(one.headers)
        if letter.topic == stage.topics.tickets:
            source = account.inputs[letter.partition, letter.offset]
            assert (one.key, one.value) == (source.key, source.value)
            count += 1
    return count


def one_of(account: Account, kind: str) -> Place:
    """Where this is the outcome, with or without the deferral that led to it."""
    return next(
        at
        for at, items in account.published.items()
        if {item.kind for item in items} - {"deferred"} == {kind}
    )

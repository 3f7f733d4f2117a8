"""A classify process is killed again and again, another joins and leaves: nothing is lost."""

import asyncio
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.accounting import lag
from tests.slow.storm import Storm, come_and_go, report
from tests.stage import BROKEN, Stage, Wire, agreed, disputed

pytestmark = pytest.mark.slow

TICKETS = 100_000
AT_MOST = 250_000
HITS = 20
PER_SECOND = 1000
SEED = 20_250


def wire(number: int) -> Wire:
    """One in ten is deferred, one in two hundred is no ticket at all."""
    if number % 200 == 7:
        return BROKEN
    return disputed(number) if number % 10 == 3 else agreed(number)


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url) as made:
        yield made


async def test_every_ticket_has_one_kind_of_outcome_after_twenty_kills(stage: Stage) -> None:
    print(f"seed {SEED}")
    await stage.make_topics(partitions=6)
    victim = stage.service(member="victim")
    await victim.started()
    storm = Storm(stage, victim, seed=SEED)
    fed = 0

    def wires() -> Iterator[Wire]:
        # As many as planned, and on until enough kills have hit.
        nonlocal fed
        for fed in count(1):
            yield wire(fed)
            if fed >= AT_MOST or (fed >= TICKETS and fed % 1000 == 0 and storm.hits >= HITS):
                return

    began = time.monotonic()
    feeding = asyncio.create_task(stage.feed(wires(), rate=PER_SECOND))
    guests = asyncio.create_task(come_and_go(stage.service, SEED))
    await storm.rage(feeding.done, every=(0.2, 1.2))
    await feeding
    assert not guests.done() or guests.exception() is None
    guests.cancel()
    await asyncio.gather(guests, return_exceptions=True)
    await stage.drained(300)
    print(f"{time.monotonic() - began:.0f} s, back at work within {storm.longest_return:.1f} s")

    account = await stage.account()
    hits = report(account, ["intent"], storm.kills)
    assert len(account.inputs) == fed >= TICKETS
    assert account.unaccounted(["intent"]) == {}
    assert account.unreadable == []
    assert set(account.totals(["intent"])) == {"label", "deferred", "dead letter"}
    assert sum(hit > 0 for hit in hits) >= HITS
    assert account.repeats > 0
    # Echo workers always say the same.
    assert account.differing == []
    assert await victim.stopped() == 0
    assert await lag(stage.bootstrap, f"{stage.group}-classify", stage.topics.tickets) == 0

"""Old tickets on a real Kafka, classified again by real workers on Triton."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from streamer.cli import main
from streamer.config import Settings, load
from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.records import JudgeRequest, Label
from streamer.records.identity import TicketIdentity
from streamer.records.label import label_key
from streamer.services.backfill import BackfillOptions, run
from streamer.services.backfill.pace import Pace
from streamer.services.backfill.serve import serve
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.groups import committed
from tests.accounting import whole
from tests.client.making import LABEL
from tests.stage import BROKEN, Stage, Wire, agreed, disputed, ticket
from tests.waiting import soon

BEGAN = 1_700_000_000_000
BLOCKS = {"audit": {"share": 1}, "log": {"share": 1}, "review": {"gold": 1}}


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(BEGAN / 1000 + second, UTC)


def wish(begin: float, end: float | None = None, **changed: object) -> BackfillOptions:
    given: dict[str, object] = {"name": "again", "rate": 10_000, "backlog": 10_000}
    until = None if end is None else moment(end)
    return BackfillOptions(moment(begin), until, **(given | changed))


@dataclass
class Past:
    """Topics with old tickets, one per second, all in one order."""

    stage: Stage
    settings: Settings

    async def feed(
        self, wires: Iterable[Wire], seconds: Iterable[float] | None = None, **where: int
    ) -> None:
        topic = self.stage.topics.tickets
        async with AIOKafkaProducer(bootstrap_servers=self.stage.bootstrap) as producer:
            for second, (key, value) in zip(seconds or count(), wires, strict=False):
                at = int(BEGAN + second * 1000)
                await producer.send(topic, value, key=key, timestamp_ms=at, **where)

    async def on(self, topic: str) -> list[ConsumerRecord]:
        name = getattr(self.stage.topics, topic)
        return [record async for record in whole(self.stage.bootstrap, name)]

    async def labels(self) -> list[Label]:
        return [Label.from_json(record.value) for record in await self.on("labels")]

    async def run(self, wished: BackfillOptions) -> None:
        async with asyncio.timeout(120):
            await serve(self.settings, wished, asyncio.Event())

    async def committed(self, wished: BackfillOptions) -> int:
        clients = Clients(Connection(self.stage.bootstrap))
        async with clients.admin() as admin:
            found = await committed(admin, f"{self.stage.group}-backfill-{wished.called}")
        return sum(found.values())


@pytest.fixture
async def past(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> AsyncIterator[Past]:
    with Stage(tmp_path, kafka, triton_echo.url, BLOCKS) as stage:
        # Their times are of long ago, so Kafka would delete them at its next look.
        await stage.make_topics(partitions=3, **{"retention.ms": "-1"})
        yield Past(stage, load(stage.config))


async def test_classifies_a_stretch_of_the_past_and_touches_nothing_else(past: Past) -> None:
    wires = [disputed(number) if number % 5 == 0 else agreed(number) for number in range(30)]
    await past.feed(wires)
    await past.run(wish(5, 25))
    labels = await past.labels()
    asked = [JudgeRequest.from_json(record.value) for record in await past.on("judge")]
    inside = range(5, 25)
    assert sorted(one.ticket_id for one in labels) == sorted(
        f"t{number}" for number in inside if number % 5
    )
    assert sorted(one.ticket.id for one in asked) == ["t10", "t15", "t20", "t5"]
    assert {one.backfill for one in (*labels, *asked)} == {"again"}
    # The same place, so the same decision: a repeat, and no new one.
    place = labels[0].position
    identity = TicketIdentity(place.source, place.topic, place.partition, place.offset)
    assert labels[0].decision_id == identity.decision_id("intent")
    for other in ("audit", "log", "review", "stats", "dead"):
        assert await past.on(other) == [], other


async def test_times_need_not_be_in_order(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    # The second is stamped fifty minutes ahead, the fifth an hour late, the last again ahead.
    seconds = [1, 3000, 2, 3, -3600, 4, 5, 6, 7, 3001]
    await past.feed((agreed(number) for number in range(10)), seconds, partition=0)
    inside = [0, 2, 3, 5, 6, 7, 8]
    command = ["backfill", "--config", str(past.stage.config), "--dry-run", "--name", "again"]
    command += ["--from", moment(0).isoformat(), "--to", moment(100).isoformat()]
    assert await asyncio.to_thread(main, command) == 0
    assert "again: 7 tickets" in capsys.readouterr().out
    await past.run(wish(0, 100))
    assert sorted(one.ticket_id for one in await past.labels()) == [f"t{n}" for n in inside]
    # Behind a record of the time ahead lie others of the range, and what comes again supersedes.
    await past.feed([agreed(2), agreed(20)], [3500, 8], partition=0)
    again = wish(0, 100, name="later")
    await past.run(again)
    known = [one.ticket_id for one in await past.labels() if one.backfill == "later"]
    assert sorted(known) == sorted([*(f"t{n}" for n in inside if n != 2), "t20"])


async def test_goes_on_where_it_was_and_ends_when_nothing_is_left(past: Past, capsys) -> None:
    await past.feed(agreed(number) for number in range(60))
    slow, stop = wish(0, rate=20), asyncio.Event()
    running = asyncio.create_task(serve(past.settings, slow, stop))
    begun = False
    for _ in range(600):
        begun = begun or await past.committed(slow) > 0
        if begun or running.done():
            break
        await asyncio.sleep(0.05)
    stop.set()
    await running
    said = capsys.readouterr()
    assert "--name again" in said.err
    first = {one.ticket_id for one in await past.labels()}
    assert 0 < len(first) < 60
    await past.run(wish(0))
    assert {one.ticket_id for one in await past.labels()} == {f"t{n}" for n in range(60)}
    assert capsys.readouterr().out == "again: 60 of 60 tickets are done\n"
    count = len(await past.labels())
    await past.run(wish(0))
    assert "nothing is left to do" in capsys.readouterr().out
    assert len(await past.labels()) == count


async def test_two_at_once_share_the_work(past: Past) -> None:
    await past.feed(agreed(number) for number in range(60))
    await asyncio.gather(past.run(wish(0)), past.run(wish(0)))
    assert {one.ticket_id for one in await past.labels()} == {f"t{n}" for n in range(60)}


async def test_only_the_last_word_on_a_ticket_counts(past: Past) -> None:
    await past.feed(
        [
            ticket(1, "#label=1 before"),
            ticket(2, "#label=1 deleted later"),
            BROKEN,
            ticket(3, "#label=1 overtaken after the end"),
            ticket(1, "#label=2 after"),
            (b"t2", None),
            (b"t9", None),
            ticket(3, "#label=3 too late for this backfill"),
        ]
    )
    await past.run(wish(0, 7))
    records = await past.on("labels")
    # No deletion is sent again: a newer label would fall to it.
    assert [(r.key, Label.from_json(r.value).label) for r in records] == [
        (b"t1/intent", "shipping")
    ]
    assert await past.on("dead") == []


async def test_a_dry_run_counts(past: Past, capsys) -> None:
    wires = [agreed(number) for number in range(10)]
    await past.feed([*wires, agreed(3), (b"t4", None)])
    command = ["backfill", "--config", str(past.stage.config), "--dry-run"]
    begin, end = moment(0).isoformat(), moment(10).isoformat()
    assert await asyncio.to_thread(main, [*command, "--from", begin, "--to", end]) == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert total.split(": ")[1].startswith("8 tickets")
    assert sum(int(line.split(": ")[1].split()[0]) for line in lines) == 8
    assert await past.on("labels") == []


async def test_waits_while_the_judge_has_a_backlog(past: Past) -> None:
    await past.feed(disputed(number) for number in range(60))
    stop = asyncio.Event()
    running = asyncio.create_task(serve(past.settings, wish(0, rate=10, backlog=5), stop))
    counts: list[int] = []
    while len(counts) < 6 or len(set(counts[-6:])) > 1 or not counts[-1]:
        assert not running.done()
        counts.append(len(await past.on("judge")))
        await asyncio.sleep(0.4)
    stop.set()
    await running
    # A little more than the bound: what passed before the backlog was seen.
    assert 5 < counts[-1] < 60


async def test_the_rate_is_an_upper_bound() -> None:
    pace = Pace(rate=200, backlog=0)
    began = time.monotonic()
    for _ in range(11):
        await pace.room(10)
    assert time.monotonic() - began >= 0.45
    pace.waiting = 1
    held = asyncio.create_task(pace.room(1))
    assert not await asyncio.wait_for(asyncio.shield(_done(held, 0.5)), 5)
    pace.waiting = 0
    assert await soon(held.done)


async def _done(task: "asyncio.Task[None]", within_s: float) -> bool:
    done, _ = await asyncio.wait([task], timeout=within_s)
    return bool(done)


@pytest.mark.parametrize(
    ("wished", "problem"),
    [
        (wish(5, 5), "--to is not after --from"),
        (wish(0, name="a/b"), "--name 'a/b'"),
    ],
)
def test_a_senseless_wish_is_refused(past: Past, wished: BackfillOptions, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        run(past.settings, wished, past.stage.config, dry_run=False)


def test_the_same_times_have_the_same_name() -> None:
    assert wish(0, 60, name=None).called == "20231114T221320Z-20231114T221420Z"
    assert wish(0, name=None).called == "20231114T221320Z"


async def test_what_a_person_holds_is_said_and_stays(past: Past, capsys) -> None:
    await past.feed([agreed(1), agreed(2)])
    key = label_key("t1", "intent")
    by_person = replace(LABEL, ticket_id="t1", task="intent", source="person", revision=2)
    current = past.stage.topics.current
    assert current is not None
    async with AIOKafkaProducer(bootstrap_servers=past.stage.bootstrap) as producer:
        for value in (LABEL.to_json(), by_person.to_json()):
            await producer.send(current, value, key=key)
        await producer.send(current, LABEL.to_json(), key=label_key("t2", "intent"))
    await past.run(wish(0))
    assert "1 of them keep the label that a person gave" in capsys.readouterr().out

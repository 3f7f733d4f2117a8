"""What ends the process again and again is set aside, on simulated partitions; the rest is not.

`STREAMER_SEED` sets the first seed.
"""

import asyncio
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing

import pytest
from aiokafka import TopicPartition

from streamer.errors import BrokerError, OutsideFault
from streamer.stream.handler import Record, Settled
from streamer.stream.isolation.in_flight_journal import InFlightJournal
from streamer.stream.isolation.note import Note
from streamer.stream.isolation.poison_isolation import PoisonIsolation
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock
from tests.stream.simulated import TOPIC, SimRecord

SEED = int(os.environ.get("STREAMER_SEED", "1"))
RUNS = 60
RECORDS = 120
BATCH = 8
PARTITION = TopicPartition(TOPIC, 0)


class Killed(BaseException):
    """The process is gone: nothing that it meant to do is done."""


class World:
    """What outlives a process: the log, the group's commit, and what was published."""

    def __init__(
        self, seed: int, poison: int | None = None, journal: type[InFlightJournal] = InFlightJournal
    ) -> None:
        self.chance = random.Random(seed)
        self.poison = poison
        self._journal = journal
        self.committed = (0, "")
        self.answered: set[int] = set()
        self.aside: list[int] = []
        self.deaths = 0
        self.kills = 0.0

    async def commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        await asyncio.sleep(0)
        self.committed = offsets[PARTITION]

    async def look(self, _: Sequence[TopicPartition]) -> Mapping[TopicPartition, tuple[int, str]]:
        return {PARTITION: self.committed}

    async def handle(self, batch: Sequence[Record]) -> AsyncIterator[Sequence[Settled]]:
        for record in batch:
            await asyncio.sleep(0)
            if record.offset == self.poison or self.chance.random() < self.kills:
                raise Killed
            yield [Settled(record, "answered")]

    async def process(self) -> None:
        """One life of a process: batches one after another, until it ends in order."""
        journal = self._journal(self, self.look, ahead=BATCH)
        handler = PoisonIsolation(self, journal, SharedExclusiveLock(), self.set_aside)
        while (first := self.committed[0]) < RECORDS:
            offsets = range(first, min(first + self.chance.randint(1, BATCH), RECORDS))
            async for group in handler.handle([SimRecord(0, offset) for offset in offsets]):
                self.answered.update(item.record.offset for item in group)
            await journal.commit({PARTITION: offsets[-1] + 1})
        await journal.leave()

    def set_aside(self, record: Record) -> Sequence[Settled]:
        self.aside.append(record.offset)
        return [Settled(record, "aside")]


def lives(world: World, most: int = 1000) -> World:
    """Started again until it comes to the end, or `most` times."""
    while world.deaths < most:
        try:
            asyncio.run(world.process())
        except Killed:
            world.deaths += 1
        else:
            break
    return world


def worlds() -> list[World]:
    print(f"seeds {SEED} to {SEED + RUNS - 1}")
    chance = random.Random(SEED)
    return [World(SEED + run, chance.randrange(RECORDS)) for run in range(RUNS)]


def test_what_ends_the_process_is_set_aside_after_two_deaths_alone_and_all_else_answered() -> None:
    for world in map(lives, worlds()):
        assert world.aside == [world.poison]
        assert world.answered == set(range(RECORDS))
        # One among others, which tells nobody which it was, and two alone.
        assert world.deaths == 3
        assert Note.parse(world.committed[1]).tried == {}


def test_kills_from_outside_set_nothing_innocent_aside() -> None:
    aside = deaths = 0
    for run in range(RUNS):
        world = World(SEED + run)
        world.kills = 0.02
        lives(world)
        assert world.answered == set(range(RECORDS))
        aside, deaths = aside + len(world.aside), deaths + world.deaths
    print(f"{deaths} kills, {aside} set aside")
    assert deaths > RUNS
    # Twice at the same record by chance: a fiftieth of a fiftieth of the records.
    assert aside < RUNS * RECORDS * 0.02**2 * 3


def test_an_orderly_end_leaves_no_suspects() -> None:
    world = lives(World(SEED))
    assert world.committed == (RECORDS, "")
    assert world.deaths == 0


class Forgetful(InFlightJournal):
    """Begins a trial without a word."""

    async def begin(self, record: Record) -> None:
        """Nothing."""


def test_control_without_the_note_before_a_trial_it_never_ends() -> None:
    world = lives(World(SEED, poison=7, journal=Forgetful), most=20)
    assert world.deaths == 20
    assert world.aside == []


async def test_who_was_tried_already_comes_first_and_is_cleared() -> None:
    world = World(SEED)
    world.committed = (0, Note(open=BATCH, tried={5: 1}).text())
    journal = InFlightJournal(world, world.look)
    asked: list[int] = []

    class Noting:
        async def handle(self, batch: Sequence[Record]) -> AsyncIterator[Sequence[Settled]]:
            for record in batch:
                asked.append(record.offset)
                yield [Settled(record, "answered")]

    trials = PoisonIsolation(
        Noting(), journal, SharedExclusiveLock(), lambda record: [Settled(record, "aside")]
    )
    async for _ in trials.handle([SimRecord(0, offset) for offset in range(BATCH)]):
        if len(asked) == 2:
            # The next one is begun once it is written down that this one was no danger.
            assert 5 not in Note.parse(world.committed[1]).tried
    assert asked == [5, 0, 1, 2, 3, 4, 6, 7]


async def test_a_send_that_fails_during_trials_sets_nothing_aside_however_often() -> None:
    world = World(SEED)
    world.committed = (0, Note(open=BATCH).text())
    for _ in range(5):
        trials = PoisonIsolation(
            world, InFlightJournal(world, world.look), SharedExclusiveLock(), world.set_aside
        )
        # As the engine does where the labels topic is gone: it takes a group and no more.
        async with aclosing(trials.handle([SimRecord(0, n) for n in range(BATCH)])) as groups:
            await anext(groups)
        assert Note.parse(world.committed[1]) == Note(open=BATCH)
    assert world.aside == []


class Unsure(InFlightJournal):
    """Kafka refuses to note that a trial ended well, and takes the next write again."""

    async def finish(self, record: Record) -> None:
        raise BrokerError("refused")


class Gone:
    """It finds that what it works with is another by now."""

    async def handle(self, batch: Sequence[Record]) -> AsyncGenerator[Sequence[Settled], None]:
        raise OutsideFault("another model")
        yield []


async def test_an_end_for_a_fault_that_lies_elsewhere_is_no_death() -> None:
    world = World(SEED)
    world.committed = (0, Note(open=BATCH).text())
    for _ in range(5):
        journal = InFlightJournal(world, world.look)
        trials = PoisonIsolation(Gone(), journal, SharedExclusiveLock(), world.set_aside)
        with pytest.raises(OutsideFault):
            _ = [group async for group in trials.handle([SimRecord(0, n) for n in range(BATCH)])]
    assert Note.parse(world.committed[1]).tried == {}
    assert world.aside == []


async def test_an_end_that_kafka_did_not_let_be_noted_is_no_death() -> None:
    world = World(SEED)
    world.committed = (0, Note(open=BATCH).text())
    for _ in range(5):
        trials = PoisonIsolation(
            world, Unsure(world, world.look), SharedExclusiveLock(), world.set_aside
        )
        with pytest.raises(BrokerError):
            _ = [group async for group in trials.handle([SimRecord(0, n) for n in range(BATCH)])]
    assert Note.parse(world.committed[1]).tried == {}
    assert world.aside == []

"""Nothing is lost, in hundreds of simulated hours of trouble; broken engines are found out.

`STREAMER_SEED` sets the first seed and `STREAMER_RUNS` the number of runs, to look at one again.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import pytest
from aiokafka import TopicPartition

from streamer.stream import assignment, engine
from streamer.stream.backlog import Backlog
from streamer.stream.engine import Engine
from streamer.stream.handler import Record
from streamer.stream.offset_ledger import OffsetLedger
from streamer.stream.publisher import Publisher
from tests.stream.chaos import LIMITS, Outcome, Parts, simulate

SEED = int(os.environ.get("STREAMER_SEED", "1"))
RUNS = int(os.environ.get("STREAMER_RUNS", "150"))
CONTROL_RUNS = 12


def runs(count: int) -> list[Outcome]:
    return [simulate(seed) for seed in range(SEED, SEED + count)]


def test_nothing_is_lost() -> None:
    outcomes = runs(RUNS)
    print(f"seeds {SEED} to {SEED + RUNS - 1}")
    for outcome in outcomes:
        print(outcome)
    assert [outcome for outcome in outcomes if outcome.violations] == []


def test_the_runs_have_all_kinds_of_trouble_and_stay_bounded() -> None:
    outcomes = runs(CONTROL_RUNS)
    print(outcomes)
    assert all(outcome.rebalances > 5 for outcome in outcomes)
    assert sum(outcome.kills for outcome in outcomes) > CONTROL_RUNS
    assert sum(outcome.failures for outcome in outcomes) > CONTROL_RUNS
    assert sum(outcome.repeats for outcome in outcomes) > 0
    assert max(outcome.most_buffered for outcome in outcomes) == LIMITS.max_buffered


def test_a_run_repeats_itself_for_the_same_seed() -> None:
    assert simulate(SEED) == simulate(SEED)


class HighestFinished(OffsetLedger):
    """Commits past what is still being worked on."""

    __slots__ = ()

    def finish(self, offsets: Iterable[int]) -> None:
        for offset in offsets:
            self._read.remove(offset)
            self.watermark = max(self.watermark or 0, offset + 1)


def test_control_committing_the_highest_finished_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "OffsetLedger", HighestFinished)
    assert found("not done", at_least=CONTROL_RUNS // 2 + 1)


class Impatient(Publisher):
    """Says that Kafka has it as soon as it is sent."""

    async def acknowledged(self, sent: Iterable[asyncio.Future[Any]]) -> None: ...


def test_control_marking_done_before_acknowledgement() -> None:
    parts = Parts(publisher=Impatient)
    assert found("not done", parts, at_least=CONTROL_RUNS // 2 + 1)
    assert found("lost", parts)


class Announced(Engine):
    """Trusts the assigned callback to come before the records."""

    known: frozenset[TopicPartition] = frozenset()

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self.known = frozenset()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self.known = frozenset(assigned)

    def _take(self, got: Mapping[TopicPartition, Sequence[Record]]) -> None:
        super()._take({tp: records for tp, records in got.items() if tp in self.known})


def test_control_making_ledgers_when_the_assignment_is_announced() -> None:
    parts = Parts(engine=Announced)
    assert found("not done", parts, at_least=CONTROL_RUNS // 2 + 1)
    assert found("lost", parts)


class Hoarder(Backlog):
    """Keeps what was read when the partitions are taken away."""

    def drop(self) -> None:
        """Nothing."""


def test_control_keeping_the_buffer_through_a_rebalance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "Backlog", Hoarder)
    # No loss, because the ledgers were dropped: work for nothing, on records of somebody else.
    assert found("the engine failed by itself")


def found(what: str, parts: Parts | None = None, at_least: int = 1) -> bool:
    """Whether the violation is in so many of the first runs; no more are run than it takes."""
    outcomes = (simulate(seed, parts) for seed in range(SEED, SEED + CONTROL_RUNS))
    hits = (outcome for outcome in outcomes if any(what in v for v in outcome.violations))
    return len(list(islice(hits, at_least))) == at_least

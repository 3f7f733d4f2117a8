"""Records that end the process, among rebalances, kills and failures: set aside, and only they.

`STREAMER_SEED` sets the first seed and `STREAMER_RUNS` the number of runs, to look at one again.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest

from streamer.stream.handler import Handler, Record
from streamer.stream.isolation import poison_isolation
from tests.stream.chaos import Outcome, Parts, SimJournal, simulate

SEED = int(os.environ.get("STREAMER_SEED", "1"))
RUNS = int(os.environ.get("STREAMER_RUNS", "30"))
CONTROL_RUNS = 12
# One by one takes its time here: a trial takes up to four seconds, and each death costs a batch.
DEADLY = Parts(deadly=0.01, quiet=3000)
IN_VAIN = replace(DEADLY, quiet=100)


def runs(count: int, parts: Parts) -> list[Outcome]:
    print(f"seeds {SEED} to {SEED + count - 1}")
    return [simulate(seed, parts) for seed in range(SEED, SEED + count)]


def test_deadly_records_are_set_aside_and_nothing_else_is_that_did_not_die_twice() -> None:
    outcomes = runs(RUNS, DEADLY)
    for outcome in outcomes:
        print(outcome)
    assert [outcome for outcome in outcomes if outcome.violations] == []
    assert all(outcome.set_aside >= outcome.deadly for outcome in outcomes)
    # One death among others and two alone, wherever the partition went in between.
    assert max(outcome.most_deaths for outcome in outcomes) == 3
    innocent = sum(outcome.set_aside - outcome.deadly for outcome in outcomes)
    killed = sum(outcome.kills + outcome.failures for outcome in outcomes)
    print(f"{innocent} set aside of chance among {killed} unclean ends")
    assert innocent < killed / 50


def found(what: str, parts: Parts, at_least: int, of: int = CONTROL_RUNS) -> bool:
    """Whether the violation is in so many of the first runs; no more are run than it takes."""
    outcomes = (simulate(seed, parts) for seed in range(SEED, SEED + of))
    hits = (outcome for outcome in outcomes if any(what in v for v in outcome.violations))
    return len(list(islice(hits, at_least))) == at_least


def untried(handler: Handler, *_: object) -> Handler:
    return handler


def test_control_without_trials_it_never_ends() -> None:
    assert found("stuck", replace(IN_VAIN, trials=untried), at_least=CONTROL_RUNS)


class Silent(SimJournal):
    """Has records in flight without a word."""

    async def open(self, records: Sequence[Record]) -> None:
        """Nothing."""


def test_control_without_a_note_of_what_is_in_flight_it_never_ends() -> None:
    assert found("stuck", replace(IN_VAIN, journal=Silent), at_least=CONTROL_RUNS // 2 + 1)


class Late(SimJournal):
    """Notes only with the next commit that a trial ended well."""

    async def finish(self, record: Record) -> None:
        self._page(record).finish(record.offset)
        self.trying.discard((record.partition, record.offset))


def test_control_noting_the_end_of_a_trial_late() -> None:
    late = replace(DEADLY, journal=Late)
    assert found("set aside after", late, at_least=1, of=CONTROL_RUNS * 2)


def test_control_one_death_alone_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poison_isolation, "DEATHS", 1)
    assert found("set aside after 1", DEADLY, at_least=CONTROL_RUNS // 2 + 1)

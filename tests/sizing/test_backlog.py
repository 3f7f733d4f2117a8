"""The queue by formula beside one that is played through, ticket by ticket."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.sizing.backlog import BurstBacklog, Phase

RATES = st.floats(0.5, 200)
LENGTHS = st.lists(st.floats(1, 300), min_size=1, max_size=4)


def phases_of(lengths: list[float], rates: list[tuple[float, float]], spare: float) -> list[Phase]:
    """Phases of these lengths, and a last one that serves `spare` times what comes."""
    made, at = [], 0.0
    for length, (arrive, serve) in zip(lengths, rates, strict=False):
        made.append(Phase(at, arrive, serve))
        at += length
    return [*made, Phase(at, 10.0, 10.0 * spare)]


@st.composite
def drained(draw: st.DrawFn) -> list[Phase]:
    lengths = draw(LENGTHS)
    rates = draw(st.lists(st.tuples(RATES, RATES), min_size=len(lengths), max_size=len(lengths)))
    return phases_of(lengths, rates, draw(st.floats(1.2, 5)))


def played(phases: list[Phase], step: float = 0.01) -> BurstBacklog:
    """The same queue in small steps: a batch for each step, served in their order."""
    batches: list[tuple[float, float]] = []
    queue = most = oldest = empty_at = at = 0.0
    first = 0
    end = phases[-1].start
    while at < end or queue > 1e-6:
        phase = max((p for p in phases if p.start <= at + step / 2), key=lambda p: p.start)
        batches.append((at, phase.arrive * step))
        queue += phase.arrive * step
        room = phase.serve * step
        while room > 1e-12 and first < len(batches):
            came, left = batches[first]
            taken = min(room, left)
            room, queue = room - taken, queue - taken
            oldest = max(oldest, at - came)
            if taken == left:
                first += 1
            else:
                batches[first] = (came, left - taken)
        at += step
        if queue > 1e-6:
            most, empty_at = max(most, queue), at
    return BurstBacklog(most, oldest, empty_at)


@given(drained())
def test_nothing_waits_longer_or_in_greater_number_than_it_can(phases: list[Phase]) -> None:
    found = BurstBacklog.of(phases)
    came = sum(p.arrive * (q.start - p.start) for p, q in pairwise(phases))
    assert 0 <= found.most <= came + 1e-6
    assert 0 <= found.oldest <= found.empty_at + 1e-6
    assert found.empty_at < inf


@given(drained(), st.floats(1.05, 3))
def test_who_serves_more_has_no_longer_queue(phases: list[Phase], more: float) -> None:
    slow = BurstBacklog.of(phases)
    quick = BurstBacklog.of([Phase(p.start, p.arrive, p.serve * more) for p in phases])
    assert quick.most <= slow.most + 1e-6
    assert quick.oldest <= slow.oldest + 1e-6
    assert quick.empty_at <= slow.empty_at + 1e-6


@pytest.mark.parametrize(
    "phases",
    [
        [Phase(0, 50, 20), Phase(30, 5, 20)],
        [Phase(0, 100, 30), Phase(20, 20, 30), Phase(35, 20, 60)],
        [Phase(0, 40, 0), Phase(10, 40, 100), Phase(12, 10, 60)],
        [Phase(0, 10, 20), Phase(15, 60, 20), Phase(25, 10, 20)],
        [Phase(0, 60, 50), Phase(10, 10, 50), Phase(30, 60, 50), Phase(50, 10, 50)],
    ],
)
def test_it_is_the_queue_that_is_played_through(phases: list[Phase]) -> None:
    found, played_out = BurstBacklog.of(phases), played(phases)
    assert found.most == pytest.approx(played_out.most, rel=0.02, abs=1)
    assert found.oldest == pytest.approx(played_out.oldest, rel=0.02, abs=0.05)
    assert found.empty_at == pytest.approx(played_out.empty_at, rel=0.02, abs=0.05)


def test_a_burst_by_hand() -> None:
    # 100 s of 30 a second more than are served, then 10 a second less.
    found = BurstBacklog.of([Phase(0, 50, 20), Phase(100, 10, 20)])
    assert (found.most, found.empty_at) == (3000, 400)
    # The last of the burst came at 100 as number 5,000, and is served at 250.
    assert found.oldest == pytest.approx(150)


def test_a_queue_that_only_grows_is_never_empty() -> None:
    assert BurstBacklog.of([Phase(0, 50, 20)]) == BurstBacklog(inf, inf, inf)
    assert BurstBacklog.of([Phase(0, 50, 20), Phase(10, 20, 20)]) == BurstBacklog(300, inf, inf)


def test_without_a_burst_nothing_waits() -> None:
    assert BurstBacklog.of([Phase(0, 10, 20), Phase(60, 20, 20)]) == BurstBacklog(0, 0, 0)

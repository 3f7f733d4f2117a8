"""The cap on judge calls under loads that step up and down."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.decide.budget import JudgeBudget, RateCap, ShareCap

BATCH = 200


def changes(states: list[bool]) -> list[bool]:
    """The states that it changed to."""
    return [after for before, after in pairwise([False, *states]) if before != after]


@pytest.mark.parametrize("seed", range(5))
def test_a_step_of_load_suspends_once_and_recovery_returns_once(seed: int) -> None:
    print("seed", seed)
    rng = np.random.default_rng(seed)
    budget = JudgeBudget(ShareCap(0.10, burst=5000), now=0)
    allowed, states = [], []
    wanted = rng.binomial(BATCH, np.repeat([0.05, 0.30, 0.05], 300))
    for at, want in enumerate(wanted.tolist()):
        allowed.append(budget.allow(want, BATCH, float(at)))
        states.append(budget.suspended)
    assert changes(states) == [True, False]
    assert not any(states[:300])
    assert allowed[:300] == wanted[:300].tolist()
    assert allowed[-100:] == wanted[-100:].tolist()
    # In the plateau, once what was saved is spent, all that the cap allows is used.
    assert sum(allowed[400:600]) / (200 * BATCH) == pytest.approx(0.10, abs=0.001)


def test_a_rate_is_shared_by_the_parts_and_returns_after_the_step() -> None:
    parts = (0.25, 0.75)
    budgets = [JudgeBudget(RateCap(8, burst=20), now=0) for _ in parts]
    allowed, states = [], []
    for second in range(600):
        load = 40 if 200 <= second < 400 else 4
        found = [
            budget.allow(round(load * part), BATCH, float(second), part)
            for budget, part in zip(budgets, parts, strict=True)
        ]
        allowed.append(sum(found))
        states.append([budget.suspended for budget in budgets])
    for mine in zip(*states, strict=True):
        assert changes(list(mine)) == [True, False]
    assert sum(allowed[250:400]) == pytest.approx(8 * 150, rel=0.01)
    assert allowed[:200] == [4] * 200
    assert allowed[-100:] == [4] * 100


loads = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 300)), min_size=1, max_size=200)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(loads, st.floats(0.01, 1), st.floats(1, 5000))
def test_never_more_goes_than_was_earned_and_saved(
    load: list[tuple[int, int]], share: float, burst: float
) -> None:
    budget, went, tickets = JudgeBudget(ShareCap(share, burst), now=0), 0, 0
    for wanted, seen in load:
        allowed = budget.allow(wanted, seen, 0.0)
        assert 0 <= allowed <= wanted
        went, tickets = went + allowed, tickets + seen
        assert went <= max(1, share * burst) + share * tickets + 1e-6


@settings(max_examples=200, derandomize=True, deadline=None)
@given(loads, st.floats(0.05, 1))
def test_a_suspension_lasts_until_half_of_the_burst_is_saved_again(
    load: list[tuple[int, int]], share: float
) -> None:
    """So it can't come and go with every batch, whatever the load."""
    budget, since = JudgeBudget(ShareCap(share, burst=2000), now=0), 0
    for wanted, seen in load:
        before = budget.suspended
        allowed = budget.allow(wanted, seen, 0.0)
        since += seen
        if allowed < wanted:
            assert budget.suspended
            since = 0
        if before and not budget.suspended:
            assert since >= 0.5 * 2000 - 1 / share - 1e-6


def test_a_small_part_still_gets_its_calls() -> None:
    budget = JudgeBudget(RateCap(1, burst=10), now=0)
    allowed = [budget.allow(1, 1, float(second), part=1 / 50) for second in range(1000)]
    assert sum(allowed) == pytest.approx(20, abs=1)


def test_a_clock_that_goes_back_earns_nothing() -> None:
    budget = JudgeBudget(RateCap(1, burst=1), now=100)
    assert [budget.allow(1, 1, now) for now in (100, 50, 99, 100, 101)] == [1, 0, 0, 0, 1]


def test_caps_that_mean_nothing_are_refused() -> None:
    for make in (
        lambda: ShareCap(0),
        lambda: ShareCap(1.5),
        lambda: RateCap(-1),
        lambda: JudgeBudget(RateCap(1), 0, resume_at=0),
    ):
        with pytest.raises(ValueError, match="above 0"):
            make()

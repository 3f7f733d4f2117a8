"""The cap on judge calls under loads that step up and down."""

import math
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


def test_one_call_is_saved_up_where_the_share_of_a_burst_is_less() -> None:
    budget = JudgeBudget(ShareCap(0.1, burst=1), now=0)
    assert [budget.allow(5, tickets, 0.0) for tickets in (1, 9, 1)] == [1, 0, 1]


def test_half_a_bucket_ends_a_suspension_and_less_does_not() -> None:
    budget = JudgeBudget(ShareCap(0.5, burst=4), now=0)
    assert not budget.suspended
    suspended = []
    for wanted, tickets in ((3, 1), (0, 1), (0, 1)):
        budget.allow(wanted, tickets, 0.0)
        suspended.append(budget.suspended)
    assert suspended == [True, True, False]


def test_it_tells_what_is_left_and_what_is_spent() -> None:
    budget = JudgeBudget(ShareCap(0.5, burst=8), now=0)
    assert (budget.left, budget.spent) == (math.inf, 0)
    budget.allow(1, 1, 0.0)
    assert (budget.left, budget.spent) == (3, 0.25)
    budget.allow(9, 0, 0.0)
    assert (budget.left, budget.spent) == (0, 1)


def test_ten_thousand_tickets_and_thirty_seconds_of_all_are_saved_if_nothing_else_is_said() -> None:
    assert JudgeBudget(ShareCap(0.01), now=0).allow(1000, 1, 0.0) == 100
    assert ShareCap(1).capacity(1) == 10_000
    assert JudgeBudget(RateCap(2), now=0).allow(1000, 1, 0.0) == 60


@pytest.mark.parametrize("resume_at", [0.001, 1])
def test_the_least_and_the_most_that_a_cap_takes(resume_at: float) -> None:
    for cap in (ShareCap(1e-9), ShareCap(1, burst=1), RateCap(1e-9), RateCap(1, burst=1e-9)):
        assert JudgeBudget(cap, 0, resume_at).allow(1, 1, 0.0) == 1


def test_caps_that_mean_nothing_are_refused() -> None:
    for make in (
        lambda: ShareCap(0),
        lambda: ShareCap(1.5),
        lambda: ShareCap(0.5, burst=0.9),
        lambda: RateCap(-1),
        lambda: RateCap(0),
        lambda: RateCap(math.inf),
        lambda: RateCap(1, burst=0),
        lambda: JudgeBudget(RateCap(1), 0, resume_at=0),
        lambda: JudgeBudget(RateCap(1), 0, resume_at=1.1),
    ):
        with pytest.raises(ValueError, match="above 0"):
            make()

"""Plans by hand, and what must hold for every load."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.sizing.capacity import Capacity
from streamer.sizing.load import Load
from streamer.sizing.plan import Burst, Plan

CAN = Capacity(
    classify=1000,
    workers=500,
    judge_tokens=10_000,
    ticket_tokens=250,
    cpu_price=0.1,
    gpu_price=3.0,
    busy=0.5,
)
LOADS = st.builds(Load, st.floats(1, 1e5), st.floats(0, 1), st.floats(1, 5), st.floats(0, 0.2))


def test_a_load_by_hand() -> None:
    load = Load(rate=1000, coverage=0.9, tasks=2, audit=0.01)
    assert (load.deferred, load.audits) == (pytest.approx(200), pytest.approx(18))
    plan = Plan.of(load, CAN)
    # 1000 / 500; 2000 / 250; 218 / (40 x 0.5).
    assert (plan.classify, plan.workers, plan.judges, plan.most_judges) == (2, 8, 11, 22)
    assert (plan.partitions, plan.judge_partitions) == (6, 24)
    assert plan.cost == pytest.approx((10 * 0.1 + 11 * 3) / 3.6)


@given(LOADS)
def test_what_is_planned_holds_the_load_and_partitions_the_pods(load: Load) -> None:
    plan = Plan.of(load, CAN)
    assert plan.judges * CAN.judged * CAN.busy >= (load.deferred + load.audits) * (1 - 1e-9)
    assert plan.classify * CAN.classify * CAN.busy >= load.rate * (1 - 1e-9)
    assert plan.partitions >= plan.classify
    assert plan.judge_partitions >= plan.most_judges >= plan.judges


@given(LOADS, st.floats(1, 10))
def test_more_tickets_never_need_less(load: Load, more: float) -> None:
    small, large = Plan.of(load, CAN), Plan.of(replace(load, rate=load.rate * more), CAN)
    assert large.classify >= small.classify
    assert large.workers >= small.workers
    assert large.judges >= small.judges


@given(LOADS, st.floats(0, 1000), st.floats(1, 1000))
def test_a_judge_that_starts_later_catches_up_no_sooner(
    load: Load, start: float, later: float
) -> None:
    plan = Plan.of(load, CAN)
    soon = Burst(10, 300, start).backlog(load, CAN, plan)
    late = Burst(10, 300, start + later).backlog(load, CAN, plan)
    assert late.empty_at >= soon.empty_at - 1e-6
    assert late.oldest >= soon.oldest - 1e-6


def test_more_judges_than_asked_for_are_never_planned_away() -> None:
    load = Load(rate=1000, coverage=0.5)
    assert Plan.of(load, CAN, most_judges=1).most_judges == Plan.of(load, CAN).judges
    assert Plan.of(load, CAN, most_judges=100).most_judges == 100

"""What is published before the judge has spoken."""

import pytest

from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import OutagePolicy


def test_nothing_comes_before_the_judge_and_an_outage_waits_unless_it_is_asked_for() -> None:
    assert ServingPolicy() == ServingPolicy("sequential", "wait")
    assert not ServingPolicy().publishes_first
    assert ServingPolicy("optimistic").publishes_first


@pytest.mark.parametrize("on_outage", ["wait", "judge", "fallback"])
def test_most_workers_stand_in_only_in_an_outage_and_where_that_is_wanted(
    on_outage: OutagePolicy,
) -> None:
    policy = ServingPolicy(on_outage=on_outage)
    assert policy.falls_back(outage=True) == (on_outage == "fallback")
    assert not policy.falls_back(outage=False)

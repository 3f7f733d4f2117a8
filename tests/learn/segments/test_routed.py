"""Routing beside one way for all, on tickets that chose nothing."""

from dataclasses import replace

import numpy as np

from streamer.decide.predictions import Predictions
from streamer.learn.segments.routed import route
from tests.learn.segments.test_assigning import EXPERTS, PRICES, planted


def test_routing_that_is_worth_it_has_a_lead_whose_interval_excludes_0() -> None:
    cases, places = planted(EXPERTS)
    made = route(cases, places, [4, 7, 9], PRICES, 0.0011)
    assert made is not None
    assert made.chosen_on + made.tested_on == len(cases)
    ways = [made.ways.get(number, made.general) for number in ("4", "7", "9")]
    assert [way.workers for way in ways] == [("one",), ("two",), ("three",)]
    assert made.lead.agreement.low > 0.2
    assert made.routed.agreement.value > 0.94
    assert made.lead.judge_rate.value == 0


def test_routing_among_equal_workers_has_a_lead_whose_interval_holds_0() -> None:
    cases, places = planted([[0.8, 0.8, 0.8]] * 3)
    made = route(cases, places, [1, 2, 3], PRICES, 0.1)
    assert made is not None
    assert made.lead.agreement.low <= 0.01
    assert abs(made.lead.agreement.value) < 0.05


def test_one_segment_leads_by_exactly_nothing() -> None:
    cases, places = planted(EXPERTS)
    made = route(cases, np.zeros_like(places), [1], PRICES, 0.3)
    assert made is not None
    lead = made.lead.agreement
    assert (lead.value, lead.low, lead.high) == (0, 0, 0)


def test_tickets_without_verdicts_choose_and_test_nothing() -> None:
    cases, places = planted(EXPERTS)
    nobody = replace(cases, judge=Predictions(np.full(len(cases), -1), None))
    assert route(nobody, places, [1, 2, 3], PRICES, 0.3) is None


def test_the_choice_is_the_same_whatever_the_order_of_the_tickets() -> None:
    cases, places = planted(EXPERTS)
    order = np.random.default_rng(3).permutation(len(cases))
    one, other = (
        route(cases[rows], places[rows], [1, 2, 3], PRICES, 0.2)
        for rows in (np.arange(len(cases)), order)
    )
    assert one is not None
    assert other is not None
    assert (one.general, one.ways) == (other.general, other.ways)

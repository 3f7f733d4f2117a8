"""Workers and rules per segment, on tickets whose best workers are planted."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.votes import VoteRule
from streamer.learn.data.dataset import Dataset
from streamer.learn.segments.assigning import LEAST, ChosenRoutes, assign
from streamer.learn.segments.by_segment import SegmentRoute, accepted_by_segment

WORKERS = ("one", "two", "three")
PRICES = dict.fromkeys(WORKERS, 0.001)
SIZE = 6


def planted(rates: list[list[float]], each: int = 400, seed: int = 1) -> tuple[Dataset, np.ndarray]:
    """Judged tickets of `len(rates[0])` segments; worker w is the judge's equal on segment s with
    the chance rates[w][s], and errs in its own way.
    """
    rng = np.random.default_rng(seed)
    places = rng.permutation(np.repeat(np.arange(len(rates[0])), each))
    judge = rng.integers(SIZE, size=len(places))
    worker_predictions = []
    for chances in rates:
        hits = rng.random(len(places)) < np.array(chances)[places]
        wrong = (judge + rng.integers(1, SIZE, len(places))) % SIZE
        worker_predictions.append(Predictions(np.where(hits, judge, wrong), None))
    ids = tuple(f"T-{number}" for number in range(len(places)))
    gold = np.full(len(places), -1)
    labels = tuple(f"label {code}" for code in range(SIZE))
    cases = Dataset(
        "topic", labels, WORKERS, tuple(worker_predictions), Predictions(judge, None), gold, ids
    )
    return cases, places


def agreement(accepted: np.ndarray, cases: Dataset) -> float:
    return float(((accepted == ABSTAINED) | (accepted == cases.judge.label_ids)).mean())


def spent(made: ChosenRoutes, cases: Dataset, places: np.ndarray) -> float:
    ways = [made.routes.get(int(place), made.general) for place in places]
    answers = np.mean([len(way.workers) * 0.001 for way in ways])
    return float((made.accepted(cases, places) == ABSTAINED).mean() + answers)


EXPERTS = [[0.98, 0.5, 0.5], [0.5, 0.98, 0.5], [0.5, 0.5, 0.98]]


def test_the_planted_best_worker_of_every_segment_is_chosen() -> None:
    cases, places = planted(EXPERTS)
    made = assign(cases, places, 3, PRICES, budget=0.0011)
    ways = [made.routes.get(place, made.general) for place in range(3)]
    assert [way.workers for way in ways] == [(0,), (1,), (2,)]


def test_routed_beats_the_best_single_way_by_the_planted_margin_on_new_tickets() -> None:
    made = assign(*planted(EXPERTS), 3, PRICES, budget=0.0011)
    cases, places = planted(EXPERTS, seed=2)
    routed = agreement(made.accepted(cases, places), cases)
    single = max(
        agreement(predictions.label_ids, cases) for predictions in cases.worker_predictions
    )
    assert routed == pytest.approx(0.98, abs=0.02)
    assert routed - single > 0.25
    assert agreement(made.unrouted(cases), cases) <= single + 1e-9


@pytest.mark.parametrize("budget", [0.002, 0.05, 0.1, 0.3, 0.6, 1.0])
def test_the_budget_is_respected_and_used(budget: float) -> None:
    cases, places = planted(EXPERTS)
    made = assign(cases, places, 3, PRICES, budget)
    assert made.price <= budget + 1e-9
    # Prices that were shrunk to those of all tickets lie near those that are really spent.
    assert spent(made, cases, places) <= budget + 0.06
    more = assign(cases, places, 3, PRICES, budget + 0.3)
    assert (
        agreement(more.accepted(cases, places), cases)
        >= agreement(made.accepted(cases, places), cases) - 0.01
    )


def test_a_segment_that_no_worker_serves_goes_straight_to_the_judge() -> None:
    cases, places = planted([[0.97, 0.97, 0.2]] * 3)
    made = assign(cases, places, 3, PRICES, budget=0.4)
    assert made.routes[2] == SegmentRoute((), None)
    assert all(made.routes[place].workers for place in (0, 1))
    assert (made.accepted(cases, places)[places == 2] == ABSTAINED).all()


def test_identical_workers_gain_nothing_by_routing() -> None:
    cases, places = planted([[0.8, 0.8, 0.8]])
    same = replace(cases, worker_predictions=cases.worker_predictions * 3)
    made = assign(same, places, 3, PRICES, budget=0.01)
    np.testing.assert_array_equal(made.accepted(same, places), made.unrouted(same))


@pytest.mark.parametrize("budget", [0.001, 0.05, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_one_segment_is_the_unrouted_choice_exactly(budget: float, seed: int) -> None:
    cases, places = planted([[0.9, 0.6], [0.8, 0.8], [0.6, 0.9]], seed=seed)
    made = assign(cases, np.zeros_like(places), 1, PRICES, budget)
    np.testing.assert_array_equal(made.accepted(cases, np.zeros_like(places)), made.unrouted(cases))


def test_a_segment_with_few_tickets_is_served_like_all_others() -> None:
    cases, places = planted(EXPERTS)
    small = places.copy()
    small[np.flatnonzero(places == 1)[LEAST - 1 :]] = -1
    made = assign(cases, small, 3, PRICES, budget=0.0011)
    assert 1 not in made.routes
    assert len({made.general.workers, *(way.workers for way in made.routes.values())}) == 2
    np.testing.assert_array_equal(
        made.accepted(cases, small)[small == 1], made.unrouted(cases)[small == 1]
    )


def test_far_tickets_take_the_general_way() -> None:
    cases, places = planted(EXPERTS)
    made = assign(cases, places, 3, PRICES, budget=0.0011)
    nowhere = np.full_like(places, -1)
    np.testing.assert_array_equal(made.accepted(cases, nowhere), made.unrouted(cases))


def test_thresholds_are_chosen_per_segment_where_workers_say_how_sure_they_are() -> None:
    rng = np.random.default_rng(6)
    cases, places = planted([[0.95, 0.6], [0.95, 0.6], [0.95, 0.6]])
    soft = []
    for predictions in cases.worker_predictions:
        right = predictions.label_ids == cases.judge.label_ids
        # As sure in both segments, so that one threshold for both asks too little in one.
        top = np.clip(rng.normal(np.where(right, 0.75, 0.7), 0.1), 0.3, 0.99)
        rows = np.repeat(((1 - top) / (SIZE - 1))[:, None], SIZE, axis=1)
        rows[np.arange(len(top)), predictions.label_ids] = top
        soft.append(Predictions.of(rows.astype(np.float32)))
    sure = replace(cases, worker_predictions=tuple(soft))
    made = assign(sure, places, 2, PRICES, budget=0.25)
    asked = made.accepted(sure, places) == ABSTAINED
    assert asked[places == 1].mean() > asked[places == 0].mean() + 0.1
    assert agreement(made.accepted(sure, places), sure) > agreement(made.unrouted(sure), sure)


def test_no_judged_ticket_chooses_nothing() -> None:
    cases, places = planted(EXPERTS)
    with pytest.raises(ValueError, match="no judged tickets"):
        assign(cases[np.zeros(0, np.int64)], places[:0], 3, PRICES, 0.1)


def test_every_ticket_is_decided_by_its_own_way() -> None:
    cases, places = planted(EXPERTS)
    ways = {0: SegmentRoute((2,), VoteRule("majority", 1)), 2: SegmentRoute((), None)}
    general = SegmentRoute((0, 1), VoteRule("unanimity", 2))
    label_ids = accepted_by_segment(places, ways, general, cases.worker_predictions)
    one, two, three = (predictions.label_ids for predictions in cases.worker_predictions)
    by_hand = np.where(one == two, one, ABSTAINED)
    by_hand = np.where(places == 0, three, by_hand)
    np.testing.assert_array_equal(label_ids, np.where(places == 2, ABSTAINED, by_hand))

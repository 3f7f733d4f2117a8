"""Every ticket of a batch is decided by the way of its own segment."""

import numpy as np
import pytest

from streamer.decide.chow import Chow
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.temperature import tempered
from streamer.decide.votes import VoteRule
from streamer.learn.segments.by_segment import SegmentRoute, accepted_by_segment

GENERAL = SegmentRoute((0, 1, 2), VoteRule("majority", 3))
WAYS = {
    0: SegmentRoute((2,), Chow(0.4, 1)),
    1: SegmentRoute((1, 2), VoteRule("majority", 2)),
    2: SegmentRoute((0, 1, 2), None),
    4: SegmentRoute((0, 2), VoteRule("unanimity", 2, "min", 0.4), (0.5, 2.0)),
}


def worker_predictions(seed: int, count: int = 300) -> list[Predictions]:
    print("seed", seed)
    rng = np.random.default_rng(seed)
    raw = [rng.dirichlet(np.full(4, 0.5), count).astype(np.float32) for _ in range(3)]
    raw[1][rng.random(count) < 0.1] = np.nan
    return [tempered(Predictions.of(each), 1.0) for each in raw]


def alone(place: int, said: list[Predictions], row: int) -> int:
    """One ticket, read off the way of its segment."""
    way = WAYS.get(place, GENERAL)
    if way.rule is None:
        return ABSTAINED
    own = [said[worker][np.array([row])] for worker in way.workers]
    heat = way.temperatures or (1.0,) * len(own)
    warm = [tempered(one, t) for one, t in zip(own, heat, strict=True)]
    return int(way.rule.decide(warm).label_ids[0])


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_decided_ticket_by_ticket(seed: int) -> None:
    said = worker_predictions(seed)
    places = np.random.default_rng(seed).integers(-1, 6, 300)
    found = accepted_by_segment(places, WAYS, GENERAL, said).tolist()
    assert found == [alone(place, said, row) for row, place in enumerate(places.tolist())]
    for place in (-1, 0, 1, 3, 4, 5):
        assert any(code != ABSTAINED for code, at in zip(found, places, strict=True) if at == place)


def test_without_a_rule_the_judge_decides_all_and_nobody_need_answer() -> None:
    nobody = [Predictions.none(5)] * 3
    assert WAYS[2].accepted(nobody).tolist() == [ABSTAINED] * 5
    assert WAYS[2].decided(worker_predictions(9, 5)).tolist() == [ABSTAINED] * 5


def test_temperatures_are_by_worker_in_the_ways_own_order() -> None:
    said = worker_predictions(4)
    turned = SegmentRoute((2, 0), VoteRule("unanimity", 2, "min", 0.4), (2.0, 0.5))
    assert (turned.accepted(said) == WAYS[4].accepted(said)).all()
    wrong = SegmentRoute((0, 2), VoteRule("unanimity", 2, "min", 0.4), (2.0, 0.5))
    assert (wrong.accepted(said) != WAYS[4].accepted(said)).any()
    warm = [tempered(said[0], 0.5), said[1], tempered(said[2], 2.0)]
    assert (WAYS[4].decided(warm) == WAYS[4].accepted(said)).all()


def test_a_temperature_for_each_worker_or_none() -> None:
    with pytest.raises(ValueError, match="zip"):
        SegmentRoute((0, 1), VoteRule("majority", 2), (1.0,)).accepted(worker_predictions(5))


def test_a_threshold_of_a_way_is_met_by_equality() -> None:
    said = [tempered(Predictions.of(np.array([[0.9, 0.05, 0.05]], np.float32)), 1.0)] * 3
    for way in (
        SegmentRoute((0,), Chow(0.1, 1)),
        SegmentRoute((0, 1), VoteRule("majority", 2, "mean", 0.9)),
    ):
        assert way.accepted(said).tolist() == [0]


def test_no_tickets_are_no_decisions() -> None:
    nothing = np.zeros(0, np.int64)
    said = [one[nothing] for one in worker_predictions(1)]
    assert accepted_by_segment(nothing, WAYS, GENERAL, said).tolist() == []

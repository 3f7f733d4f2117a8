"""Votes against a brute-force oracle, over every tuple there is."""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.third_worker import asked_first
from streamer.decide.votes import Measure, VoteRule, plurality

LABELS = 3
VOTES = (ABSTAINED, *range(LABELS))
RULES = [VoteRule(kind, of) for kind in ("majority", "unanimity") for of in (2, 3)]
MEASURES: tuple[Measure, ...] = get_args(Measure)


def every_tuple(of: int) -> list[Predictions]:
    """All vote tuples of `of` workers, one ticket each."""
    columns = zip(*itertools.product(VOTES, repeat=of), strict=True)
    return [Predictions(np.array(column), None) for column in columns]


def oracle(votes: Sequence[int], needed: int) -> int:
    for label, count in Counter(vote for vote in votes if vote != ABSTAINED).items():
        if count >= needed:
            return label
    return ABSTAINED


def random_opinions(seed: int, of: int, count: int = 10_000) -> list[Predictions]:
    print("seed", seed)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(of):
        raw = rng.dirichlet(np.ones(LABELS), count).astype(np.float32)
        raw[rng.random(count) < 0.1] = np.nan
        found.append(Predictions.of(raw))
    return found


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_decides_as_the_oracle_for_every_vote_tuple(rule: VoteRule) -> None:
    needed = rule.of if rule.kind == "unanimity" else {2: 2, 3: 2}[rule.of]
    decision = rule.decide(every_tuple(rule.of))
    expected = [oracle(votes, needed) for votes in itertools.product(VOTES, repeat=rule.of)]
    assert decision.label_ids.tolist() == expected


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_order_of_workers_changes_nothing(rule: VoteRule) -> None:
    worker_predictions = every_tuple(rule.of)
    expected = rule.decide(worker_predictions).label_ids.tolist()
    for order in itertools.permutations(worker_predictions):
        assert rule.decide(order).label_ids.tolist() == expected


def test_identical_workers_accept_everything_and_strangers_nothing() -> None:
    same = Predictions(np.arange(LABELS), None)
    assert (VoteRule("majority", 2).decide([same, same]).label_ids == same.label_ids).all()
    other = Predictions((same.label_ids + 1) % LABELS, None)
    assert (VoteRule("majority", 2).decide([same, other]).label_ids == ABSTAINED).all()


@given(
    arrays.arrays(
        np.float32, (5, LABELS), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)
    )
)
def test_a_row_that_is_no_distribution_is_an_abstention(raw: np.ndarray) -> None:
    label_ids = Predictions.of(raw).label_ids
    for row, code in zip(raw.astype(np.float64), label_ids, strict=True):
        usable = np.isfinite(row).all() and (row >= 0).all() and abs(row.sum() - 1) < 0.0099
        spoilt = not np.isfinite(row).all() or (row < 0).any() or abs(row.sum() - 1) > 0.0101
        assert not (usable and code == ABSTAINED)
        assert not (spoilt and code != ABSTAINED)
        assert code == ABSTAINED or row[code] == row.max()


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.parametrize("measure", MEASURES)
def test_a_threshold_of_zero_is_the_plain_majority(measure: Measure, of: int) -> None:
    worker_predictions = random_opinions(1, of)
    plain = VoteRule("majority", of).decide(worker_predictions)
    sure = VoteRule("majority", of, measure, 0.0).decide(worker_predictions)
    assert (plain.label_ids == sure.label_ids).all()


@pytest.mark.parametrize("of", [2, 3])
@pytest.mark.parametrize("measure", MEASURES)
def test_a_higher_threshold_never_asks_the_judge_less(measure: Measure, of: int) -> None:
    worker_predictions = random_opinions(2, of)
    rates = [
        (
            VoteRule("majority", of, measure, tau).decide(worker_predictions).label_ids == ABSTAINED
        ).mean()
        for tau in (0.0, 0.3, 0.5, 0.7, 0.9, 1.01)
    ]
    assert rates == sorted(rates)
    assert rates[0] < rates[3] < rates[-1] == 1.0


@pytest.mark.parametrize("measure", MEASURES)
def test_confidences_equal_a_scalar_reading_of_their_names(measure: Measure) -> None:
    worker_predictions = random_opinions(3, 3, 500)
    decision = VoteRule("majority", 3, measure).decide(worker_predictions)
    assert (decision.label_ids != ABSTAINED).mean() > 0.5
    for row, code in enumerate(decision.label_ids.tolist()):
        if code == ABSTAINED:
            assert np.isnan(decision.confidence[row])
            continue
        voters = [o for o in worker_predictions if o.label_ids[row] != ABSTAINED]
        agreeing = [o for o in voters if o.label_ids[row] == code]
        assert all(o.probabilities is not None for o in voters)
        of_all = [float(o.probabilities[row, code]) for o in voters]
        values = [float(o.probabilities[row, code]) for o in agreeing]
        expected = {
            "mean": np.mean(values),
            "min": min(values),
            "max": max(values),
            "ensemble": np.mean(of_all),
        }[measure]
        assert decision.confidence[row] == pytest.approx(expected, abs=1e-6)


def test_labels_without_probabilities_decide_but_carry_no_confidence() -> None:
    worker_predictions = [predictions.labels_only() for predictions in random_opinions(4, 2, 100)]
    decision = VoteRule("majority", 2).decide(worker_predictions)
    assert (decision.label_ids != ABSTAINED).any()
    assert np.isnan(decision.confidence).all()


def test_a_threshold_asks_every_worker_or_the_order_would_matter() -> None:
    worker_predictions = random_opinions(5, 3)
    rule = VoteRule("majority", 3, "mean", 0.6)
    assert asked_first(rule) == 3
    expected = rule.decide(worker_predictions)
    for order in itertools.permutations(worker_predictions):
        assert (rule.decide(order).label_ids == expected.label_ids).all()


def test_the_plurality_takes_what_most_of_those_present_say() -> None:
    present = [Predictions(np.array([1, 2, ABSTAINED]), None), Predictions.none(3)]
    assert plurality(present).label_ids.tolist() == [1, 2, ABSTAINED]


def test_the_plurality_is_as_sure_as_those_who_name_its_label() -> None:
    first, other, third = ([0.8, 0.2], [0.6, 0.4], [0.1, 0.9])
    workers = [Predictions.of(np.array([row], np.float32)) for row in (first, other, third)]
    assert plurality(workers).confidence.tolist() == pytest.approx([0.7])
    assert plurality(workers[2:]).confidence.tolist() == pytest.approx([0.9])
    assert np.isnan(plurality([Predictions.none(1)]).confidence).all()

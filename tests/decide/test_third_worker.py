"""Who is asked when, against a look at every answer that the third worker could give."""

import itertools

import numpy as np
import pytest

from streamer.decide.candidate import likeliest
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.third_worker import as_asked, asked_first, decide_as_asked, third_asked
from streamer.decide.votes import Kind, VoteRule
from tests.decide.drawn_ballots import ballots, router

VOTES = (ABSTAINED, 0, 1, 2)
PLAIN = [VoteRule("majority", 3), VoteRule("unanimity", 3)]


def every(of: int) -> list[Predictions]:
    """Every tuple of votes, a row each."""
    columns = zip(*itertools.product(VOTES, repeat=of), strict=True)
    return [Predictions(np.array(column), None) for column in columns]


def drawn(seed: int) -> np.random.Generator:
    print("seed", seed)
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        *(
            (VoteRule(kind, of), min(2, of))
            for kind in ("majority", "unanimity")
            for of in (1, 2, 3)
        ),
        (VoteRule("majority", 3, "mean", 0.0), 3),
        (VoteRule("unanimity", 2, "min", 0.9), 2),
        (Chow(0.1, 3), 3),
        (Chow(0.1, 3, 0), 3),
        (Chow(0.1, 1), 1),
        (router(np.random.default_rng(1), 3), 3),
    ],
    ids=str,
)
def test_two_come_first_where_votes_alone_decide_and_else_all(
    rule: DeferralRule, first: int
) -> None:
    assert asked_first(rule) == first
    waits = third_asked(rule, every(3)[: rule.of])
    assert waits.dtype == np.bool_
    assert waits.any() == (first < rule.of)


@pytest.mark.parametrize("rule", PLAIN, ids=str)
def test_the_third_is_asked_exactly_where_it_can_still_decide(rule: VoteRule) -> None:
    first = every(2)
    possible = np.zeros(len(first[0].label_ids), np.bool_)
    for vote in VOTES:
        third = Predictions(np.full(len(possible), vote), None)
        possible |= rule.decide([*first, third]).label_ids != ABSTAINED
    undecided = rule.decide(first).label_ids == ABSTAINED
    assert third_asked(rule, first).tolist() == (possible & undecided).tolist()


@pytest.mark.parametrize("kind", ["majority", "unanimity"])
def test_the_labels_are_those_of_asking_all(kind: Kind) -> None:
    rule = VoteRule(kind, 3)
    decision = decide_as_asked(rule, every(3))
    assert decision.label_ids.tolist() == rule.decide(every(3)).label_ids.tolist()


def test_two_abstentions_go_to_the_judge_without_the_third() -> None:
    assert not third_asked(VoteRule("majority", 3), [Predictions.none(1)] * 2).any()


@pytest.mark.parametrize("seed", range(30))
def test_each_row_comes_once_with_those_who_have_a_say(seed: int) -> None:
    for _ in range(20):
        ballot = ballots(drawn(seed))
        rule, order = ballot.rule, []
        third = third_asked(rule, ballot.raw)
        for rows, predictions in as_asked(rule, ballot.raw):
            order += rows.tolist()
            asked = rule.of if third[rows].any() else asked_first(rule)
            assert (third[rows] == third[rows[0]]).all()
            assert len(predictions) == asked
            for one, whole in zip(predictions, ballot.raw, strict=False):
                np.testing.assert_array_equal(one.label_ids, whole.label_ids[rows])
                assert (one.probabilities is None) == (whole.probabilities is None)
        assert sorted(order) == list(range(len(third)))


@pytest.mark.parametrize("seed", range(30))
def test_a_ticket_is_decided_as_if_it_came_alone(seed: int) -> None:
    """A third worker that was not asked changes neither the label nor its confidence."""
    ballot = ballots(drawn(seed))
    rule, decision = ballot.rule, decide_as_asked(ballot.rule, ballot.raw)
    for row in range(len(ballot.rule_index)):
        alone = [predictions[np.array([row])] for predictions in ballot.raw]
        asked = rule.of if third_asked(rule, alone)[0] else asked_first(rule)
        expected = rule.decide(alone[:asked])
        assert decision.label_ids[row] == expected.label_ids[0]
        np.testing.assert_allclose(decision.confidence[row], expected.confidence[0], atol=1e-9)


def test_who_was_not_asked_has_no_say_in_the_candidate() -> None:
    certain = np.eye(3, dtype=np.float32)
    first, other = Predictions.of(certain[[0, 0]]), Predictions.of(certain[[0, 1]])
    third = Predictions.of(certain[[2, 2]])
    parts = as_asked(VoteRule("majority", 3), [first, other, third])
    means = {int(rows[0]): likeliest(predictions).ensemble for rows, predictions in parts}
    assert means[0] is not None
    assert means[0].tolist() == [[1, 0, 0]]
    assert means[1] is not None
    assert np.allclose(means[1], 1 / 3)

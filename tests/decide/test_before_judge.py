"""What holds for every rule that can spare the judge."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.decide.before_judge import BeforeJudge
from streamer.decide.chow import Chow
from streamer.decide.opinion import ABSTAINED, Opinion
from streamer.decide.votes import Kind, VoteRule
from streamer.records.label import Rule

LABELS = 3
VOTES = (ABSTAINED, *range(LABELS))
RULES: list[BeforeJudge] = [
    VoteRule("majority", 3),
    VoteRule("unanimity", 3),
    VoteRule("majority", 3, "ensemble", 0.5),
    Chow(0.5, 3),
    Chow(0.5, 3, 1),
]


def certain(votes: Sequence[int]) -> list[Opinion]:
    """Of one ticket: each worker is sure of its label, or abstains."""
    vectors = np.eye(LABELS, dtype=np.float32)
    return [Opinion.none(1) if v == ABSTAINED else Opinion.of(vectors[[v]]) for v in votes]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_label_can_stand_exactly_where_the_rule_says_that_one_can(rule: BeforeJudge) -> None:
    for answering in itertools.product([True, False], repeat=rule.of):
        votes = [0 if answers else ABSTAINED for answers in answering]
        stands = rule.decide(certain(votes)).codes[0] == 0
        assert stands == rule.decidable(answering)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_that_asks_all_leaves_nothing_open(rule: BeforeJudge) -> None:
    for votes in itertools.product(VOTES, repeat=rule.of):
        assert not rule.decide(certain(votes)).open.any()


def test_a_label_carries_the_rule_with_the_name_of_the_worker_that_decides() -> None:
    names = ("word", "char", "net")
    assert [rule.described(names) for rule in RULES] == [
        Rule("majority", 2, 3),
        Rule("unanimity", 3, 3),
        Rule("majority", 2, 3, "ensemble", 0.5),
        Rule("chow", 3, 3, alpha=0.5),
        Rule("chow", 1, 3, alpha=0.5, worker="char"),
    ]


def test_one_workers_rule_sees_that_worker_alone() -> None:
    print("seed 1")
    rng = np.random.default_rng(1)
    opinions = [
        Opinion.of(rng.dirichlet(np.ones(LABELS), 1000).astype(np.float32)) for _ in range(3)
    ]
    alone = Chow(0.4, 1).decide([opinions[2]])
    for others in (opinions[:2], [Opinion.none(1000)] * 2, [opinions[0].labels_only()] * 2):
        decision = Chow(0.4, 3, worker=2).decide([*others, opinions[2]])
        assert (decision.codes == alone.codes).all()
        assert np.array_equal(decision.confidence, alone.confidence, equal_nan=True)
    with pytest.raises(ValueError, match="no worker has place 3"):
        Chow(0.4, 3, worker=3)


ALPHAS = {  # where Chow's rule on the vote share is the vote: from, and up to but not including
    ("majority", 2): (Fraction(0), Fraction(1, 2)),
    ("majority", 3): (Fraction(1, 3), Fraction(2, 3)),
    ("unanimity", 3): (Fraction(0), Fraction(1, 3)),
}


@settings(max_examples=50, derandomize=True, deadline=None)
@given(kind_of=st.sampled_from(sorted(ALPHAS)), place=st.fractions(0, 1, max_denominator=60))
def test_a_vote_is_chows_rule_on_the_share_of_votes(
    kind_of: tuple[Kind, int], place: Fraction
) -> None:
    kind, of = kind_of
    least, below = ALPHAS[kind_of]
    alpha = least + place * (below - least) * Fraction(59, 60)
    for votes in itertools.product(VOTES, repeat=of):
        shares = [Fraction(votes.count(label), of) for label in range(LABELS)]
        expected = shares.index(max(shares)) if max(shares) >= 1 - alpha else ABSTAINED
        assert VoteRule(kind, of).decide(certain(votes)).codes[0] == expected


def test_two_of_three_are_a_majority_although_floats_deny_it() -> None:
    assert not Chow(1 / 3, 1).accepts(np.array([[2 / 3, 1 / 3]]))[0]
    assert VoteRule("majority", 3).decide(certain((1, 2, 1))).codes[0] == 1

"""Twenty rows by hand, and what must hold for any rows."""

import numpy as np
import pytest

from streamer.learn.measures.shares import (
    Committee,
    Share,
    cohen_kappa,
    committees,
    figures,
    figures_by_label,
    predicted_speedup,
)

# Three labels. The pair accepts where both say the same: rows 0-13, of which the judge denies two.
ONE = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 1, 1, 2, -1])
TWO = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 1, 2, 0, 2, 0, -1])
SIX = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 1, 1, 0, 1, 2, 2])
JUDGE = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0, 2, 0, 1, 2, 2])
GOLD = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 2, 1, 1, 2, 0])
ANSWERS = {"one": ONE, "two": TWO, "six": SIX}


def test_a_pair_by_hand() -> None:
    accepted = Committee(("one", "two"), "majority").accepted(ANSWERS)
    assert accepted.tolist() == [0] * 6 + [1] * 4 + [2] * 4 + [-1] * 6
    found = figures(accepted, JUDGE, GOLD)
    assert found.coverage == Share(14, 20)
    assert found.fidelity == Share(12, 14)
    assert found.agreement == Share(12, 20)
    # Right when accepted: rows 0-3, 6-8, 10-13; by the judge: 14, 15, 17, 18.
    assert found.accuracy == Share(15, 20)
    # Expected by chance: (6*6 + 4*5 + 4*3) / 14**2.
    assert found.kappa == pytest.approx((12 / 14 - 68 / 196) / (1 - 68 / 196))


def test_three_by_hand() -> None:
    majority = Committee(("one", "two", "six"), "majority").accepted(ANSWERS)
    assert majority.tolist() == [0] * 6 + [1] * 4 + [2] * 4 + [1, -1, 0, 1, 2, -1]
    assert figures(majority, JUDGE, GOLD).coverage == Share(18, 20)
    assert figures(majority, JUDGE, GOLD).fidelity == Share(15, 18)
    unanimous = Committee(("one", "two", "six"), "unanimity").accepted(ANSWERS)
    assert figures(unanimous, JUDGE, GOLD).coverage == Share(11, 20)
    assert figures(unanimous, JUDGE, GOLD).fidelity == Share(11, 11)
    # As the pair, but row 5 is saved by the judge and row 13 is lost.
    assert figures(unanimous, JUDGE, GOLD).accuracy == Share(15, 20)


def test_each_label_by_hand() -> None:
    accepted = Committee(("one", "two"), "majority").accepted(ANSWERS)
    found = figures_by_label(accepted, JUDGE, GOLD, ("a", "b", "c", "never"))
    assert list(found) == ["a", "b", "c"]
    assert (found["a"].coverage, found["a"].fidelity) == (Share(6, 8), Share(5, 6))
    assert (found["b"].coverage, found["b"].fidelity) == (Share(5, 6), Share(4, 5))
    assert (found["c"].coverage, found["c"].fidelity) == (Share(3, 6), Share(3, 3))


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        # E. B. Wilson's interval, values as published for n = 10 and n = 263 (Newcombe 1998).
        (Share(0, 10), 0.0, 0.2775),
        (Share(10, 10), 0.7225, 1.0),
        (Share(5, 10), 0.2366, 0.7634),
        (Share(81, 263), 0.2553, 0.3662),
        (Share(15, 148), 0.0624, 0.1605),
    ],
)
def test_wilson_intervals_as_published(share: Share, low: float, high: float) -> None:
    assert share.interval == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_share_of_none_knows_nothing() -> None:
    assert np.isnan(Share(0, 0).value)
    assert Share(0, 0).interval == (0.0, 1.0)
    assert str(Share(0, 0)) == "-"
    assert str(Share(5, 10)) == "0.500 [0.237, 0.763]"


def test_identical_answers_need_no_judge_and_contrary_ones_always() -> None:
    same = Committee(("a", "b"), "majority").accepted({"a": JUDGE, "b": JUDGE})
    found = figures(same, JUDGE, JUDGE)
    assert (found.coverage, found.fidelity, found.accuracy) == (Share(20, 20),) * 3
    assert found.kappa == 1.0
    never = Committee(("a", "b"), "majority").accepted({"a": JUDGE, "b": (JUDGE + 1) % 3})
    found = figures(never, JUDGE, GOLD)
    assert found.coverage == Share(0, 20)
    assert found.accuracy.hits == int((JUDGE == GOLD).sum())
    assert np.isnan(found.kappa)


def test_kappa_beyond_chance() -> None:
    yes, no = np.ones(4, np.int64), np.zeros(4, np.int64)
    assert cohen_kappa(yes, yes) == 1.0
    assert cohen_kappa(yes, no) == 0.0
    assert cohen_kappa(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])) == -1.0


def test_every_committee_once() -> None:
    assert [str(one) for one in committees(["a", "b"])] == ["a + b"]
    assert [str(one) for one in committees(["a", "b", "c"])] == [
        "a + b",
        "a + c",
        "b + c",
        "majority of a + b + c",
        "unanimity of a + b + c",
    ]


def test_the_third_costs_only_where_it_is_asked() -> None:
    costs = {"one": 1.0, "two": 2.0, "six": 10.0}
    assert Committee(("one", "two"), "majority").cost(ANSWERS, costs) == 3
    # The first two name the same in 14 of 20 rows, and both abstain in one: no third mends that.
    assert Committee(("one", "two", "six"), "majority").cost(ANSWERS, costs) == 3 + 10 * 5 / 20
    assert Committee(("one", "two", "six"), "unanimity").cost(ANSWERS, costs) == 3 + 10 * 14 / 20


def test_predicted_speedup() -> None:
    assert predicted_speedup(0, 1, 0.8) == pytest.approx(5)
    assert predicted_speedup(0.157, 1, 0.8) == pytest.approx(2.8, abs=0.01)
    assert predicted_speedup(3.37, 1, 0.8) == pytest.approx(0.28, abs=0.001)
    assert predicted_speedup(0.5, 1, 0.5) == 1

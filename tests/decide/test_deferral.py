"""Deferral rules against scalar readings of their formulas, and the identities between them."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from streamer.decide.after_judge import AfterJudge, Diff, Opt, TokenV1, TokenV2, TokenV3
from streamer.decide.before_judge import Chow
from streamer.decide.distributions import greedy, total_variation
from streamer.decide.opinion import Opinion
from streamer.decide.votes import VoteRule, decide

K = 4
AFTER: list[Callable[[float], AfterJudge]] = [
    Diff,
    Opt,
    lambda alpha: Opt(alpha, soft=False),
    TokenV1,
    TokenV2,
    TokenV3,
]
NAMES = ["diff", "opt", "opt-greedy", "v1", "v2", "v3"]


def pairs(seed: int, count: int = 10_000) -> tuple[np.ndarray, np.ndarray]:
    """Random (q, p), a part of them on a coarse grid so that ties are common."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    q, p = (rng.dirichlet(np.full(K, 0.7), count) for _ in range(2))
    grid = rng.integers(1, 5, (2, count // 4, K)).astype(float)
    q[: count // 4], p[: count // 4] = grid / grid.sum(axis=2, keepdims=True)
    return q, p


def served(rule: AfterJudge, q: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.where(rule.keeps(q, p), q.argmax(axis=1), p.argmax(axis=1))


def scalar(name: str, alpha: float, q: list[float], p: list[float]) -> bool:
    y, best = q.index(max(q)), max(p)
    soft = sum(max(0.0, b - a) for a, b in zip(q, p, strict=True))
    hard = float(y != p.index(best))
    return {
        "diff": max(q) >= best - alpha,
        "opt": max(q) >= best - alpha * soft,
        "opt-greedy": max(q) >= best - alpha * hard,
        "v1": q[y] >= best - alpha,
        "v2": p[y] >= best - alpha,
        "v3": p[y] >= (1 - alpha) * best,
    }[name]


@pytest.mark.parametrize(("make", "name"), list(zip(AFTER, NAMES, strict=True)), ids=NAMES)
def test_a_rule_is_its_formula(make: Callable[[float], AfterJudge], name: str) -> None:
    q, p = pairs(1)
    for alpha in (-0.5, 0.0, 0.1, 0.5, 1.0):
        expected = [scalar(name, alpha, a, b) for a, b in zip(q.tolist(), p.tolist(), strict=True)]
        # D_TV is a sum, which the scalar adds in another order: rows on the very edge may differ.
        assert np.mean(make(alpha).keeps(q, p) == expected) > 0.999


def test_chow_accepts_at_its_threshold_and_above() -> None:
    q = np.array([[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]])
    assert Chow(0.25).accepts(q).tolist() == [True, False, True]
    assert Chow(1.0).accepts(q).all()
    assert Chow(0.0).accepts(q).tolist() == [False, False, True]


@pytest.mark.parametrize(
    "bad", [[[math.nan, 1.0]], [[-0.1, 1.1]], [[0.5, 0.2]], [[math.inf, 0.0]], [0.5, 0.5]]
)
def test_what_is_no_distribution_is_refused(bad: list[list[float]]) -> None:
    good, rows = np.array([[0.5, 0.5]]), np.array(bad)
    with pytest.raises(ValueError, match=r"row|matrix"):
        Chow(0.1).accepts(rows)
    for make in AFTER:
        with pytest.raises(ValueError, match=r"row|matrix"):
            make(0.1).keeps(good, rows)
        with pytest.raises(ValueError, match=r"row|matrix"):
            make(0.1).keeps(rows, good)


def test_the_ends_of_each_range_are_the_judges_and_the_workers_labels() -> None:
    q, p = pairs(2)
    ends = [(Diff, -1, 1), (TokenV1, -1, 1), (TokenV2, -1, 1), (TokenV3, 0, 1), (Opt, -1e9, 1e9)]
    for make, judge_end, worker_end in ends:
        apart = total_variation(p, q) > 0
        labels = served(make(judge_end), q, p)
        # By value: of several that the judge likes best, the workers' is as much its label.
        assert (p[np.arange(len(p)), labels] == p.max(axis=1))[apart].all()
        assert (served(make(worker_end), q, p) == q.argmax(axis=1))[apart].all()


@pytest.mark.parametrize("make", AFTER, ids=NAMES)
def test_a_larger_alpha_never_overrules_more(make: Callable[[float], AfterJudge]) -> None:
    q, p = pairs(3)
    kept = [make(alpha).keeps(q, p) for alpha in np.linspace(-1, 1, 21)]
    assert all((less <= more).all() for less, more in itertools.pairwise(kept))


@pytest.mark.parametrize("make", AFTER, ids=NAMES)
def test_equal_models_change_nothing(make: Callable[[float], AfterJudge]) -> None:
    _, p = pairs(4)
    for alpha in (0.0, 0.3, 1.0):
        assert (served(make(alpha), p, p) == p.argmax(axis=1)).all()


def test_greedy_opt_diff_and_v1_serve_the_same_labels() -> None:
    q, p = pairs(5)
    for alpha in (0.0, 0.05, 0.3, 0.9):
        expected = served(Diff(alpha), q, p)
        assert (served(TokenV1(alpha), q, p) == expected).all()
        assert (served(Opt(alpha, soft=False), q, p) == expected).all()


def test_total_variation_is_a_distance_between_zero_and_one() -> None:
    q, p = pairs(6)
    distance = total_variation(p, q)
    assert distance == pytest.approx(total_variation(q, p))
    assert distance == pytest.approx(np.abs(p - q).sum(axis=1) / 2)
    assert ((distance >= 0) & (distance <= 1 + 1e-9)).all()
    assert (total_variation(p, p) == 0).all()
    assert ((distance > 0) == (np.abs(p - q).max(axis=1) > 0)).all()
    assert distance == pytest.approx(1 - np.minimum(p, q).sum(axis=1))
    assert total_variation(greedy(p), greedy(q)) == pytest.approx(
        (p.argmax(1) != q.argmax(1)) * 1.0
    )


def test_opt_may_keep_a_wrong_worker_where_v3_does_not() -> None:
    q, p = np.array([[0.90, 0.05, 0.05]]), np.array([[0.03, 0.95, 0.02]])
    assert total_variation(p, q) == pytest.approx([0.90])
    assert Opt(0.1).keeps(q, p)[0]
    assert not Opt(0.05).keeps(q, p)[0]
    assert not TokenV3(0.95).keeps(q, p)[0]


@pytest.mark.parametrize("of", [2, 3])
def test_a_majority_is_chows_rule_on_the_share_of_votes(of: int) -> None:
    votes = np.array(list(np.ndindex(*(K,) * of)))
    opinions = [Opinion(votes[:, i], None) for i in range(of)]
    accepted = decide(VoteRule("majority", of), opinions).codes >= 0
    most = np.array([np.bincount(row, minlength=K).max() for row in votes])
    # In counts: max share >= 1 - alpha, with alpha = 1/2 - 1/(2 of) just under the majority.
    assert (accepted == (2 * most > of)).all()
    assert not 2 / 3 >= 1 - 1 / 3  # why counts, and not shares

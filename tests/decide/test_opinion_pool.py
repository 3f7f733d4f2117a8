"""The label that workers and judge together find likeliest."""

from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.arbitration import arbitrate, quantised
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.opinion_pool import OpinionPool
from tests.decide.test_arbitration_rules import with_ties

How = Literal["log", "linear"]
HOW: tuple[How, ...] = get_args(How)
KINDS = ("pool", "pool_linear")


def scalar(how: str, q: list[float], p: list[float], alpha: float) -> list[float]:
    """What each label has of both, word for word."""
    if how == "linear":
        return [alpha * a + (1 - alpha) * b for a, b in zip(q, p, strict=True)]
    seen = [[max(round(one, 5), 5e-6) for one in row] for row in (q, p)]
    powers = [a**alpha * b ** (1 - alpha) for a, b in zip(*seen, strict=True)]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("how", HOW)
def test_the_likeliest_of_both_stands_as_a_scalar_reading_has_it(how: How) -> None:
    neither = 0
    for part in range(10):
        q, p = with_ties(part, 400)
        alpha = float(np.random.default_rng(part).uniform())
        found = OpinionPool(alpha, how).label_ids(q, p).tolist()
        for label, a, b in zip(found, q.tolist(), p.tolist(), strict=True):
            each = scalar(how, a, b, alpha)
            assert each[label] >= max(each) - 1.1e-5
            neither += label not in (a.index(max(a)), b.index(max(b)))
    assert neither > 20


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.sampled_from([None, 0.3, 1.0, 4.0]))
def test_at_0_it_is_the_judge_bit_for_bit(seed: int, kind: str, temperature: float | None) -> None:
    print("seed", seed)
    q, p = with_ties(seed, 60)
    verdicts = quantised(p.astype(np.float32))
    candidates = np.random.default_rng(seed).integers(-1, 4, 60)
    pooled, alone = (
        arbitrate(arbitration_rule(*rule), verdicts, temperature, candidates, q)
        for rule in ((kind, 0.0), ("v3", 0.0))
    )
    for name in ("label_ids", "judged", "kept", "confidence", "own_confidence"):
        assert getattr(pooled, name).tobytes() == getattr(alone, name).tobytes(), name
    assert {pooled.source(row) for row in range(60)} == {"judge"}


@pytest.mark.parametrize("how", HOW)
def test_at_1_it_is_the_workers_likeliest(how: How) -> None:
    q, p = with_ties(4, 2000)
    found = OpinionPool(1.0, how).label_ids(q, p)
    assert (q[np.arange(2000), found] >= q.max(axis=1) - 1e-5).all()


@pytest.mark.parametrize("how", HOW)
def test_what_both_find_likeliest_always_stands(how: How) -> None:
    q, p = with_ties(5, 4000)
    agree = q.argmax(axis=1) == p.argmax(axis=1)
    for alpha in np.linspace(0, 1, 9):
        assert (OpinionPool(alpha, how).label_ids(q, p) == p.argmax(axis=1))[agree].all()


def test_a_label_that_neither_finds_likeliest_may_stand_and_says_so() -> None:
    q, p = np.array([[0.5, 0.45, 0.05]]), quantised(np.array([[0.05, 0.45, 0.5]], np.float32))
    found = arbitrate(arbitration_rule("pool", 0.5), p, None, np.array([0]), q)
    assert (found.label_ids.tolist(), found.judged.tolist()) == ([1], [2])
    assert (found.kept.tolist(), found.source(0)) == ([False], "pool")
    assert found.confidence.tolist() == [pytest.approx(0.45)]
    for alpha, label, source in ((0.0, 2, "judge"), (1.0, 0, "workers")):
        found = arbitrate(arbitration_rule("pool", alpha), p, None, np.array([0]), q)
        assert (found.label_ids.tolist(), found.source(0)) == ([label], source)


def test_a_rounded_zero_forbids_no_label() -> None:
    q, p = np.array([[0.6, 0.4, 0.0]]), np.array([[0.0, 0.1, 0.9]])
    assert OpinionPool(0.2).label_ids(q, p).tolist() == [1]
    assert OpinionPool(0.05).label_ids(q, p).tolist() == [2]


@pytest.mark.parametrize("how", HOW)
def test_a_tie_goes_to_the_judges_own_label_then_to_the_first(how: How) -> None:
    q = np.array([[0.6, 0.4], [0.4, 0.6]])
    assert OpinionPool(0.5, how).label_ids(q, q[::-1]).tolist() == [1, 0]
    others = np.array([[0.4, 0.4, 0.2]]), np.array([[0.3, 0.3, 0.4]])
    assert OpinionPool(0.8, how).label_ids(*others).tolist() == [0]


def test_it_keeps_the_workers_label_where_that_stands() -> None:
    q, p = with_ties(6, 2000)
    pool = OpinionPool(0.5)
    stands, named = pool.label_ids(q, p), np.arange(2000) % 4
    assert (pool.keeps(q, p) == (stands == q.argmax(axis=1))).all()
    assert (pool.keeps(q, p, named) == (stands == named)).all()
    assert 500 < pool.keeps(q, p).sum() < 2000


@pytest.mark.parametrize("alpha", [-0.1, 1.1, np.nan, np.inf])
def test_an_alpha_without_meaning_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must be"):
        OpinionPool(alpha)

"""Whose label stands, after the rule and the temperature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.after_judge import TokenV3
from streamer.decide.after_rule import after_rule
from streamer.decide.standing import quantised, standing

KINDS: tuple[str, ...] = ("v3", "diff", "opt", "opt_greedy")


def material(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Verdicts, candidates and ensembles; half of them in eighths, so that many tie."""
    rng = np.random.default_rng(seed)
    p = np.where(
        np.arange(count)[:, None] % 2 == 0,
        rng.multinomial(8, np.ones(4) / 4, count) / 8,
        rng.dirichlet(np.ones(4), count),
    ).astype(np.float32)
    q = rng.dirichlet(np.ones(4), count)
    return quantised(p), rng.integers(-1, 4, count), q


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 0.3, 1.0, 4.0]))
def test_with_v3_and_alpha_0_the_judges_own_label_always_stands(
    seed: int, temperature: float | None
) -> None:
    p, candidates, q = material(seed, 40)
    found = standing(after_rule("v3", 0.0), p, temperature, candidates, q)
    assert not found.kept.any()
    assert (found.codes == found.judged).all()
    assert (found.confidence == found.sure).all()
    if temperature is None:
        assert (found.judged == p.argmax(axis=1)).all()


def test_the_formula_alone_would_keep_some_ties() -> None:
    p, candidates, q = material(1)
    assert standing(TokenV3(0.0), p, None, candidates, q).kept.any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_rule_decides_wherever_the_labels_differ(kind: str) -> None:
    rule = after_rule(kind, 0.25)
    p, _, q = material(2)
    candidates = q.argmax(axis=1)
    found = standing(rule, p, None, candidates, q)
    differ = candidates != p.argmax(axis=1)
    assert (found.kept == (differ & rule.keeps(q, p))).all()
    assert (found.codes == np.where(found.kept, candidates, p.argmax(axis=1))).all()
    assert found.kept.any()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_without_a_candidate_nor_compared_without_a_distribution(
    kind: str,
) -> None:
    p, candidates, q = material(3)
    most = after_rule(kind, 1.0)
    none = np.full(len(p), -1)
    assert not standing(most, p, None, none, q).kept.any()
    unknown = standing(most, p, None, candidates, np.zeros_like(q)).kept
    against = (candidates >= 0) & (candidates != p.argmax(axis=1))
    assert (unknown == (against & (kind == "v3"))).all()


def test_a_temperature_changes_how_sure_the_judge_is() -> None:
    p, candidates, q = material(4)
    plain, soft = (standing(after_rule("v3", 0), p, t, candidates, q) for t in (None, 3.0))
    assert (soft.sure <= plain.sure + 1e-5).all()
    assert (soft.sure < plain.sure).any()


def test_an_alpha_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha"):
        after_rule("v3", 1.5)

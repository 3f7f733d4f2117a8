"""Whose label stands, after the rule and the temperature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.arbitration import arbitrate, quantised
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.arbitration_rules import TokenV3

KEEPING: tuple[str, ...] = ("v3", "diff", "opt", "opt_greedy")
KINDS = (*KEEPING, "pool", "pool_linear")


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
    found = arbitrate(arbitration_rule("v3", 0.0), p, temperature, candidates, q)
    assert not found.kept.any()
    assert (found.label_ids == found.judged).all()
    assert (found.confidence == found.own_confidence).all()
    if temperature is None:
        assert (found.judged == p.argmax(axis=1)).all()


def test_the_formula_alone_would_keep_some_ties() -> None:
    p, candidates, q = material(1)
    assert arbitrate(TokenV3(0.0), p, None, candidates, q).kept.any()


@pytest.mark.parametrize("kind", KEEPING)
def test_the_rule_decides_wherever_the_labels_differ(kind: str) -> None:
    rule = arbitration_rule(kind, 0.25)
    p, _, q = material(2)
    candidates = q.argmax(axis=1)
    found = arbitrate(rule, p, None, candidates, q)
    differ = candidates != p.argmax(axis=1)
    assert (found.kept == (differ & rule.keeps(q, p))).all()
    assert (found.label_ids == np.where(found.kept, candidates, p.argmax(axis=1))).all()
    assert found.kept.any()


@pytest.mark.parametrize("kind", ["diff", "opt", "opt_greedy"])
def test_a_majority_against_the_mean_and_the_judge_does_not_stand(kind: str) -> None:
    workers = np.array([[0.5, 0.45, 0.05], [0.02, 0.96, 0.02], [0.5, 0.45, 0.05]])
    mean = np.round(workers.mean(axis=0, keepdims=True), 5)
    p = quantised(np.array([[0.25, 0.6, 0.15]], np.float32))
    found = arbitrate(arbitration_rule(kind, 0.0), p, None, np.array([0]), mean)
    assert found.label_ids.tolist() == [1]
    assert found.kept.tolist() == [False]


@pytest.mark.parametrize("kind", ["diff", "opt", "opt_greedy"])
def test_a_label_is_vouched_for_by_its_own_probability_alone(kind: str) -> None:
    """Whatever stands is at least as likely to the workers as the rule asks the label to be."""
    p, candidates, q = material(5, 2000)
    some = candidates >= 0
    found = arbitrate(arbitration_rule(kind, 0.0), p, None, candidates, q)
    mine = q[np.arange(2000), candidates]
    assert (mine >= p.max(axis=1) - 1e-5)[found.kept].all()
    unlikely = some & (candidates != q.argmax(axis=1))
    assert (found.kept & unlikely).any()
    assert not (found.kept & unlikely & (mine < p.max(axis=1) - 1e-5)).any()


@pytest.mark.parametrize(("kind", "alpha"), [("diff", 1.0), ("opt", 1e9), ("opt_greedy", 1e9)])
def test_at_the_workers_end_their_published_label_stands(kind: str, alpha: float) -> None:
    p, candidates, q = material(6)
    found = arbitrate(arbitration_rule(kind, alpha), p, None, candidates, q)
    assert (found.label_ids == candidates)[candidates >= 0].all()


@pytest.mark.parametrize(
    ("kind", "alpha", "q", "p"),
    [
        ("diff", 0.1, (0.5, 0.3, 0.2), (0.2, 0.6, 0.2)),
        ("diff", -0.1, (0.7, 0.2, 0.1), (0.2, 0.6, 0.2)),
        ("opt_greedy", 0.1, (0.5, 0.3, 0.2), (0.2, 0.6, 0.2)),
        ("opt", 0.5, (0.5, 0.3, 0.2), (0.1, 0.7, 0.2)),
        ("v3", 0.3, (0.9, 0.1, 0.0), (0.35, 0.5, 0.15)),
        ("v3", 0.7, (0.9, 0.1, 0.0), (0.21, 0.7, 0.09)),
    ],
)
def test_equality_keeps_the_workers_label(
    kind: str, alpha: float, q: tuple[float, ...], p: tuple[float, ...]
) -> None:
    judged = quantised(np.array([p], np.float32))
    for step, expected in ((0.0, True), (1e-5, False)):
        rule = arbitration_rule(kind, alpha - step)
        assert arbitrate(rule, judged, None, np.array([0]), np.array([q])).kept[0] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_kept_without_a_candidate_nor_compared_without_a_distribution(
    kind: str,
) -> None:
    p, candidates, q = material(3)
    most = arbitration_rule(kind, 1.0)
    none = np.full(len(p), -1)
    assert not arbitrate(most, p, None, none, q).kept.any()
    unknown = arbitrate(most, p, None, candidates, np.zeros_like(q)).kept
    against = (candidates >= 0) & (candidates != p.argmax(axis=1))
    assert (unknown == (against & (kind == "v3"))).all()


def test_a_temperature_changes_how_sure_the_judge_is() -> None:
    p, candidates, q = material(4)
    plain, soft = (arbitrate(arbitration_rule("v3", 0), p, t, candidates, q) for t in (None, 3.0))
    assert (soft.own_confidence <= plain.own_confidence + 1e-5).all()
    assert (soft.own_confidence < plain.own_confidence).any()


def test_an_alpha_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha"):
        arbitration_rule("v3", 1.5)

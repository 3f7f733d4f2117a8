"""Rules that choose between the workers' and the judge's label, against their table."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from streamer.decide.arbitration_rules import ArbitrationRule, Diff, Opt, TokenV1, TokenV2, TokenV3
from streamer.decide.distributions import greedy, total_variation
from tests.decide.test_distributions import drawn

Make = Callable[[float], ArbitrationRule]
MADE: dict[str, tuple[Make, float, float]] = {  # how it is made, and from which alpha to which
    "diff": (Diff, -1, 1),
    "opt": (Opt, -3, 3),
    "opt greedy": (lambda alpha: Opt(alpha, "greedy"), -3, 3),
    "v1": (TokenV1, -1, 1),
    "v2": (TokenV2, -1, 1),
    "v3": (TokenV3, 0, 1),
}


def with_ties(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Every second pair in eighths, so that comparisons meet ties that floats hold exactly."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    coarse = rng.multinomial(8, np.ones(4) / 4, (2, count)) / 8
    fine = rng.dirichlet(np.ones(4), (2, count))
    q, p = np.where(np.arange(count)[None, :, None] % 2 == 0, coarse, fine)
    return q, p


def scalar(name: str, q: list[float], p: list[float], y: int, alpha: float) -> bool:
    """The accept forms of the table, word for word, with q(label) for max q.

    They are the same where the label is the workers' likeliest.
    """
    distance = sum(max(0.0, b - a) for a, b in zip(q, p, strict=True))
    labels_differ = y != p.index(max(p))
    return {
        "diff": q[y] >= max(p) - alpha,
        "opt": q[y] >= max(p) - alpha * distance,
        "opt greedy": q[y] >= max(p) - alpha * labels_differ,
        "v1": q[y] >= max(p) - alpha,
        "v2": p[y] >= max(p) - alpha,
        "v3": p[y] >= (1 - alpha) * max(p),
    }[name]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("given_labels", [False, True])
def test_decides_as_a_scalar_reading_of_the_table(name: str, given_labels: bool) -> None:
    make, least, most = MADE[name]
    rng = np.random.default_rng(1)
    kept = 0
    for part in range(20):
        q, p = with_ties(part, 500)
        alpha = rng.integers(least * 8, most * 8 + 1) / 8 if part % 2 else rng.uniform(least, most)
        label_ids = rng.integers(0, 4, 500) if given_labels else q.argmax(axis=1)
        found = make(alpha).keeps(q, p, label_ids if given_labels else None)
        each = zip(q.tolist(), p.tolist(), label_ids.tolist(), strict=True)
        assert found.tolist() == [scalar(name, a, b, y, alpha) for a, b, y in each]
        kept += found.sum()
    assert 500 < kept < 9500


def labels(rule: ArbitrationRule, q: np.ndarray, p: np.ndarray) -> list[int]:
    kept = rule.keeps(q, p)
    found: list[int] = np.where(kept, q.argmax(axis=1), p.argmax(axis=1)).tolist()
    return found


@pytest.mark.parametrize("name", MADE)
def test_the_ends_of_alpha_are_the_judges_labels_and_the_workers(name: str) -> None:
    make, least, most = MADE[name]
    if name.startswith("opt"):
        least, most = -1e9, 1e9
    q, p = drawn(3)
    judge, workers = p.argmax(axis=1).tolist(), q.argmax(axis=1).tolist()
    assert judge != workers
    assert labels(make(least), q, p) == judge
    assert labels(make(most), q, p) == workers


@pytest.mark.parametrize("name", MADE)
def test_a_larger_alpha_never_lets_the_judge_overrule_more(name: str) -> None:
    make, least, most = MADE[name]
    q, p = with_ties(4, 2000)
    kept = [make(alpha).keeps(q, p) for alpha in np.linspace(least, most, 33)]
    for before, after in pairwise(kept):
        assert not (before & ~after).any()
    assert kept[0].sum() < kept[-1].sum()


@pytest.mark.parametrize("name", MADE)
def test_workers_equal_to_the_judge_change_nothing(name: str) -> None:
    make, _, most = MADE[name]
    _, p = with_ties(5, 2000)
    for alpha in np.linspace(0, most, 9):
        assert labels(make(alpha), p, p) == p.argmax(axis=1).tolist()


def test_greedily_opt_and_diff_and_v1_are_one_rule() -> None:
    q, p = drawn(6)
    for alpha in (0, 0.05, 0.3, 0.7, 1):
        expected = labels(Diff(alpha), q, p)
        assert labels(Opt(alpha, "greedy"), q, p) == expected
        assert labels(TokenV1(alpha), q, p) == expected
    assert labels(Opt(0.3), q, p) != labels(Diff(0.3), q, p)


def test_v3_at_zero_is_the_judge_alone_ticket_by_ticket() -> None:
    q, p = with_ties(7, 5000)
    assert labels(TokenV3(0), q, greedy(p)) == p.argmax(axis=1).tolist()
    # Where the judge finds two labels as likely, it is the workers' choice among them.
    tied = TokenV3(0).keeps(q, p) & (q.argmax(axis=1) != p.argmax(axis=1))
    assert tied.any()
    assert (p.max(axis=1) == p[np.arange(5000), q.argmax(axis=1)])[tied].all()


def test_opt_keeps_more_where_the_two_differ_more() -> None:
    q, p = np.array([[0.90, 0.05, 0.05]]), np.array([[0.03, 0.95, 0.02]])
    assert total_variation(p, q) == pytest.approx(0.90)
    assert Opt(0.1).keeps(q, p)[0]
    assert not Opt(0.05).keeps(q, p)[0]
    assert Diff(0.06).keeps(q, p)[0]
    assert not TokenV3(0.95).keeps(q, p)[0]


@pytest.mark.parametrize("name", MADE)
def test_nothing_is_kept_for_an_abstention(name: str) -> None:
    make, _, most = MADE[name]
    p = np.array([[0.1, 0.9]])
    assert make(most).keeps(p, p, np.array([1]))[0]
    assert not make(most).keeps(p, p, np.array([-1]))[0]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("bad", [[np.nan, 1.0], [-0.1, 1.1], [0.5, 0.2]])
def test_what_is_no_distribution_is_refused(name: str, bad: list[float]) -> None:
    rule, good = MADE[name][0](0.5), np.array([[0.5, 0.5]])
    for q, p in ((good, np.array([bad])), (np.array([bad]), good)):
        with pytest.raises(ValueError, match="probabilities"):
            rule.keeps(q, p)


@pytest.mark.parametrize("name", MADE)
def test_an_alpha_without_meaning_is_refused(name: str) -> None:
    make, least, most = MADE[name]
    outside = () if name.startswith("opt") else (least - 0.1, most + 0.1)
    for alpha in (*outside, np.inf, -np.inf, np.nan):
        with pytest.raises(ValueError, match="alpha must be"):
            make(alpha)

"""The outcome of speculative sampling has the distribution that each rule aims at."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import chisquare

from streamer.decide.arbitration_rules import Diff, Opt, TokenV1, TokenV2, TokenV3
from streamer.decide.chow import Chow
from streamer.decide.distributions import greedy, total_variation
from tests.decide.speculative_sampling import Sampler, Vector, cascade_target, token_target
from tests.decide.test_distributions import drawn

Target = Callable[[Vector, Vector, float], Vector]
TARGETS: dict[str, Target] = {
    "chow": lambda q, p, a: cascade_target(bool(Chow(a, 1).accepts(q[None])[0]), q, p),
    "diff": lambda q, p, a: cascade_target(bool(Diff(a).keeps(q[None], p[None])[0]), q, p),
    "opt": lambda q, p, a: cascade_target(bool(Opt(a).keeps(q[None], p[None])[0]), q, p),
    "v1": lambda q, p, a: token_target(TokenV1(a), q, p),
    "v2": lambda q, p, a: token_target(TokenV2(a), q, p),
    "v3": lambda q, p, a: token_target(TokenV3(a), q, p),
}
Q, P = np.array([0.5, 0.25, 0.15, 0.1, 0.0]), np.array([0.3, 0.05, 0.4, 0.2, 0.05])


@pytest.mark.parametrize("name", TARGETS)
def test_the_exact_outcome_is_the_target_and_rejections_its_distance(name: str) -> None:
    for q, p in zip(*drawn(1, 500), strict=True):
        for alpha in (0.0, 0.1, 0.4, 0.8):
            pi = TARGETS[name](q, p, alpha)
            assert pi.sum() == pytest.approx(1, abs=1e-9)
            sampler = Sampler.of(q, pi)
            assert np.abs(sampler.marginal() - pi).max() < 1e-9
            assert sampler.rejected == pytest.approx(float(total_variation(pi[None], q[None])[0]))


@pytest.mark.parametrize("name", TARGETS)
def test_a_million_draws_have_the_target_and_its_rate_of_rejections(name: str) -> None:
    print("seed 11")
    count = 1_000_000
    alpha = {"diff": -0.2, "opt": -0.5}.get(name, 0.2)
    pi = TARGETS[name](Q, P, alpha)
    assert not np.allclose(pi, Q)
    outcomes, rejected = Sampler.of(Q, pi).draw(count, np.random.default_rng(11))
    seen = np.bincount(outcomes, minlength=len(pi))
    possible = pi > 0
    assert not seen[~possible].any()
    assert chisquare(seen[possible], count * pi[possible]).pvalue > 0.01
    rate = float(total_variation(pi[None], Q[None])[0])
    assert abs(rejected / count - rate) < 4 * np.sqrt(rate * (1 - rate) / count)


def test_the_judge_as_the_target_loses_nothing() -> None:
    for q, p in zip(*drawn(2, 500), strict=True):
        assert np.abs(Sampler.of(q, p).marginal() - p).max() < 1e-9
        exact, lossy = Sampler.of(q, p), Sampler.lossy(q, p, 0.0)
        assert np.array_equal(exact.accept, lossy.accept)
        assert np.array_equal(exact.rest, lossy.rest)


def test_lossy_sampling_moves_the_outcome_towards_the_drafts() -> None:
    far = [abs(Sampler.lossy(Q, P, alpha).marginal() - P).sum() for alpha in (0, 0.2, 0.4, 0.6)]
    assert far == sorted(far)
    assert far[0] < 1e-9 < 0.05 < far[-1]


def test_lossy_sampling_of_greedy_drafts_gives_the_judges_label() -> None:
    q, p = drawn(3, 300)
    for one, other in zip(greedy(q), greedy(p), strict=True):
        for alpha in (0.0, 0.3, 0.99):
            assert np.array_equal(Sampler.lossy(one, other, alpha).marginal(), other)

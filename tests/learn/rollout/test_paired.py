"""The test of two versions may be looked at again and again."""

import numpy as np
import pytest

from streamer.learn.rollout.paired import Paired

RUNS, TICKETS, ALPHA = 300, 3000, 0.05
LOOKS = np.unique(np.geomspace(10, TICKETS, 50).astype(int))


def drawn(seed: int, share: float) -> np.ndarray:
    """[RUNS, TICKETS] of gains, on tickets that tell the two versions apart."""
    print(f"seed {seed}")
    return np.random.default_rng(seed).random((RUNS, TICKETS)) < share


def proposed(gains: np.ndarray, alpha: float = ALPHA) -> np.ndarray:
    """[RUNS]: whether any look says better."""
    counts = gains.cumsum(axis=1)[:, LOOKS - 1]
    return np.array(
        [
            any(
                Paired.test(look, int(hits), look - int(hits), alpha).verdict == "better"
                for look, hits in zip(LOOKS.tolist(), run, strict=True)
            )
            for run in counts
        ]
    )


def test_a_version_that_is_as_good_is_seldom_proposed_over_many_looks() -> None:
    gains = drawn(20261126, 0.5)
    assert proposed(gains).mean() <= ALPHA
    # The same looks with the interval for a single one: it is wrong far more often.
    counts = gains.cumsum(axis=1)[:, LOOKS - 1]
    fixed = (counts - LOOKS / 2) / np.sqrt(LOOKS / 4) > 1.96
    assert fixed.any(axis=1).mean() > 2 * ALPHA


@pytest.mark.slow
def test_three_versions_that_are_as_good_share_the_chance() -> None:
    found = [proposed(drawn(seed, 0.5), ALPHA / 3) for seed in (3, 4, 5)]
    assert np.any(found, axis=0).mean() <= ALPHA


def test_a_better_version_is_proposed_and_a_worse_one_never() -> None:
    assert proposed(drawn(1, 0.65)).mean() > 0.95
    assert not proposed(drawn(2, 0.4)).any()


@pytest.mark.parametrize(
    ("gained", "lost", "verdict"),
    [(0, 0, "not yet known"), (40, 5, "better"), (5, 40, "worse"), (12, 9, "not yet known")],
)
def test_the_verdict_lies_with_the_interval(gained: int, lost: int, verdict: str) -> None:
    found = Paired.test(1000, gained, lost, ALPHA)
    assert found.verdict == verdict
    assert found.low <= (gained / (gained + lost) if gained + lost else 0.5) <= found.high


def test_it_says_how_many_more_tickets_it_takes() -> None:
    found = Paired.test(1000, 12, 6, ALPHA)
    assert found.more
    grown = (1000 + found.more) / 1000
    assert Paired.test(2000, int(12 * grown) + 1, int(6 * grown), ALPHA).verdict == "better"
    assert Paired.test(2000, int(11 * grown), int(6 * grown), ALPHA).verdict == "not yet known"
    assert Paired.test(1000, 40, 5, ALPHA).more == 0
    assert Paired.test(1000, 7, 7, ALPHA).more is None
    assert Paired.test(1000, 0, 0, ALPHA).more is None

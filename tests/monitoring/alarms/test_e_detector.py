"""The detectors keep the run length that they state, and find what was planted."""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest

from streamer.monitoring.alarms.e_detector import EDetector

EXPECTED, TOLERANCE = 0.8, 0.05
RUNS, LONGEST = 300, 1200


def run_lengths(
    share: float, *, size: int, run_length: float, seed: int, shares: int = 1
) -> np.ndarray:
    """Steps until each of `RUNS` runs is out, with `size` tickets per step; `LONGEST` at most."""
    rng = np.random.default_rng(seed)
    shape = (RUNS, shares)
    detector = EDetector(
        np.full(shape, EXPECTED - TOLERANCE), np.full(shape, EXPECTED + TOLERANCE), run_length
    )
    evidence, lengths = detector.start(), np.full(RUNS, LONGEST)
    for step in range(1, LONGEST + 1):
        hits = rng.binomial(size, share, shape)
        evidence = detector.after(evidence, hits, np.full(shape, size))
        out = detector.out(evidence, np.zeros(RUNS, bool))
        lengths[(lengths == LONGEST) & out] = step
        if (lengths < LONGEST).all():
            break
    return lengths


def naive_run_lengths(share: float, *, size: int, stated: float, seed: int) -> np.ndarray:
    """The same for fixed-sample tests at 1 / `stated`, of the last few steps, after every step."""
    rng = np.random.default_rng(seed)
    hits = rng.binomial(size, share, (LONGEST, RUNS)).cumsum(axis=0)
    normal, lengths = NormalDist().inv_cdf(1 - 0.5 / stated), np.full(RUNS, LONGEST)
    for step in range(1, LONGEST):
        for back in (1, 2, 4, 8, 16, 32, 64):
            if back <= step:
                of = back * size
                found = (hits[step] - hits[step - back]) / of
                far = np.abs(found - share) > normal * math.sqrt(share * (1 - share) / of)
                lengths[(lengths == LONGEST) & far] = step
    return lengths


def least_mean(lengths: np.ndarray) -> float:
    """A lower end for the mean run length: three standard errors below what was seen."""
    return float(lengths.mean() - 3 * lengths.std() / math.sqrt(len(lengths)))


@pytest.mark.parametrize("share", [EXPECTED, EXPECTED - TOLERANCE, EXPECTED + TOLERANCE])
@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize("shares", [1, 3])
def test_false_alarms_are_as_rare_as_stated(share: float, size: int, shares: int) -> None:
    seed, stated = 7, 50
    lengths = run_lengths(share, size=size, run_length=stated, seed=seed, shares=shares)
    print("seed", seed, "stated", stated, "mean", lengths.mean(), "median", np.median(lengths))
    assert least_mean(lengths) >= stated


def test_a_test_that_is_repeated_raises_far_too_many() -> None:
    # The negative control: the check above must be able to fail.
    seed, stated = 7, 50
    lengths = naive_run_lengths(EXPECTED, size=20, stated=stated, seed=seed)
    print("seed", seed, "stated", stated, "mean", lengths.mean(), "median", np.median(lengths))
    assert lengths.mean() + 3 * lengths.std() / math.sqrt(RUNS) < stated


@pytest.mark.parametrize(
    ("share", "size", "within"), [(0.6, 100, 6), (0.7, 100, 40), (0.9, 100, 40)]
)
def test_a_planted_shift_is_found(share: float, size: int, within: int) -> None:
    seed, stated = 11, 30 * 8640
    lengths = run_lengths(share, size=size, run_length=stated, seed=seed)
    print("seed", seed, "from", EXPECTED, "to", share, "mean delay in steps", lengths.mean())
    assert lengths.mean() < within


def test_evidence_to_the_contrary_ends_it() -> None:
    detector = EDetector([[0.75]], [[0.85]], 1000)
    evidence, standing, states = detector.start(), False, []
    for hits in [80] * 10 + [60] * 10 + [80] * 40:
        evidence = detector.after(evidence, [[hits]], [[100]])
        standing = bool(detector.out(evidence, [standing])[0])
        states.append(standing)
    assert not any(states[:10])
    assert states[19]
    assert not states[-1]
    assert sum(a != b for a, b in pairwise(states)) == 2


def test_longer_steps_only_delay_it() -> None:
    """What was folded in many steps is worth no more when it is folded in few."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        detector, hits = EDetector([[0.2]], [[0.4]], 1e9), rng.binomial(10, 0.35, 30)
        fine = coarse = detector.start()
        for start in range(0, 30, 5):
            for one in hits[start : start + 5]:
                fine = detector.after(fine, [[one]], [[10]])
            coarse = detector.after(coarse, [[hits[start : start + 5].sum()]], [[50]])
            assert (detector.log_sums(coarse) <= detector.log_sums(fine) + 1e-9).all()


def test_the_odd_ends() -> None:
    free = EDetector([[0.0]], [[1.0]], 10)
    assert not free.out(free.after(free.start(), [[100]], [[100]]), [False])[0]
    assert free.log_sums(free.start())[0] == -math.inf
    strict = EDetector([[1.0]], [[1.0]], 10)
    assert strict.out(strict.after(strict.start(), [[95]], [[100]]), [False])[0]
    still = strict.after(strict.start(), [[0]], [[0]])
    assert np.array_equal(still.wealth, strict.start().wealth)
    with pytest.raises(ValueError, match="run length"):
        EDetector([[0.1]], [[0.2]], 0.5)
    with pytest.raises(ValueError, match="one shape"):
        EDetector([[0.1]], [[0.2, 0.3]], 10)

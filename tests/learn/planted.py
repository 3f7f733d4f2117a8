"""Cases whose truth is planted, for everything that learns from a log."""

import numpy as np
from numpy.typing import NDArray

from streamer.decide.opinion import Codes, Opinion
from streamer.learn.data.cases import Cases

WORKERS = ("one", "two", "three")

Logits = NDArray[np.float64]


def well_behaved(rng: np.random.Generator, count: int, size: int = 5) -> Cases:
    """Calibrated workers of the same strength, and a judge that sees more."""
    truth = rng.integers(size, size=count)
    return _cases(truth, [_seen(rng, truth, size, 1.6) for _ in WORKERS], truth, size, rng)


def specialist(rng: np.random.Generator, count: int, size: int = 6) -> Cases:
    """Half of the labels look alike to every worker, who is sure all the same; the judge knows."""
    truth = rng.integers(size, size=count)
    seen_as = np.where((truth % 2 == 1) & (rng.random(count) < 0.5), truth - 1, truth)
    logits = [_seen(rng, seen_as, size, 2.2) for _ in WORKERS]
    return _cases(truth, logits, truth, size, rng)


def noisy(rng: np.random.Generator, count: int, size: int = 6) -> Cases:
    """Workers that learnt half of the labels from noisy data: right there, but never sure."""
    truth = rng.integers(size, size=count)
    logits = [_seen(rng, truth, size, 2.0) for _ in WORKERS]
    for vectors in logits:
        vectors[vectors.argmax(axis=1) < size // 2] *= 0.3
    return _cases(truth, logits, truth, size, rng)


def shifted(rng: np.random.Generator, count: int, size: int = 6) -> Cases:
    """For half of the tickets the third worker is as sure as ever, and guesses."""
    truth = rng.integers(size, size=count)
    logits = [_seen(rng, truth, size, 1.6) for _ in WORKERS]
    lost = rng.random(count) < 0.5
    logits[2][lost] = _seen(rng, rng.integers(size, size=count), size, 3.0)[lost]
    return _cases(truth, logits, truth, size, rng)


def over_confident(cases: Cases, worker: int, power: float) -> Cases:
    """The same cases with one worker's probabilities raised to a power."""
    opinions = list(cases.opinions)
    raw = opinions[worker].probabilities
    assert raw is not None
    sharp = raw.astype(np.float64) ** power
    opinions[worker] = Opinion.of((sharp / sharp.sum(axis=1, keepdims=True)).astype(np.float32))
    return Cases(
        cases.task, cases.labels, cases.workers, tuple(opinions), cases.judge, cases.gold, cases.ids
    )


def _seen(rng: np.random.Generator, truth: Codes, size: int, strength: float) -> Logits:
    """Log-likelihoods of normal evidence: with a uniform prior their softmax is calibrated."""
    evidence = rng.normal(size=(len(truth), size))
    evidence[np.arange(len(truth)), truth] += strength
    return strength * evidence


def _cases(
    truth: Codes, logits: list[Logits], gold: Codes, size: int, rng: np.random.Generator
) -> Cases:
    return Cases(
        task="planted",
        labels=tuple(f"label {code}" for code in range(size)),
        workers=WORKERS,
        opinions=tuple(Opinion.of(_softmax(each)) for each in logits),
        judge=Opinion.of(_softmax(_seen(rng, truth, size, 4.0))),
        gold=gold,
        ids=tuple(f"ticket {number}" for number in range(len(truth))),
        versions={**dict.fromkeys(WORKERS, "1"), "judge": "7"},
    )


def _softmax(logits: Logits) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def seen_again(rng: np.random.Generator, cases: Cases, strength: float) -> Opinion:
    """What another calibrated worker of this strength says of the same tickets."""
    return Opinion.of(_softmax(_seen(rng, cases.gold, len(cases.labels), strength)))

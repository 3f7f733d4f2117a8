"""Cases whose truth is planted, for everything that learns from a log."""

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import LabelIds, Predictions
from streamer.learn.data.dataset import Dataset

WORKERS = ("one", "two", "three")

Logits = NDArray[np.float64]


def well_behaved(rng: np.random.Generator, count: int, size: int = 5) -> Dataset:
    """Calibrated workers of the same strength, and a judge that sees more."""
    truth = rng.integers(size, size=count)
    return _cases(truth, [_seen(rng, truth, size, 1.6) for _ in WORKERS], truth, size, rng)


def specialist(rng: np.random.Generator, count: int, size: int = 6) -> Dataset:
    """Half of the labels look alike to every worker, who is sure all the same; the judge knows."""
    truth = rng.integers(size, size=count)
    seen_as = np.where((truth % 2 == 1) & (rng.random(count) < 0.5), truth - 1, truth)
    logits = [_seen(rng, seen_as, size, 2.2) for _ in WORKERS]
    return _cases(truth, logits, truth, size, rng)


def noisy(rng: np.random.Generator, count: int, size: int = 6) -> Dataset:
    """Workers that learnt half of the labels from noisy data: right there, but never sure."""
    truth = rng.integers(size, size=count)
    logits = [_seen(rng, truth, size, 2.0) for _ in WORKERS]
    for vectors in logits:
        vectors[vectors.argmax(axis=1) < size // 2] *= 0.3
    return _cases(truth, logits, truth, size, rng)


def shifted(rng: np.random.Generator, count: int, size: int = 6) -> Dataset:
    """For half of the tickets the third worker is as sure as ever, and guesses."""
    truth = rng.integers(size, size=count)
    logits = [_seen(rng, truth, size, 1.6) for _ in WORKERS]
    lost = rng.random(count) < 0.5
    logits[2][lost] = _seen(rng, rng.integers(size, size=count), size, 3.0)[lost]
    return _cases(truth, logits, truth, size, rng)


def over_confident(cases: Dataset, worker: int, power: float) -> Dataset:
    """The same cases with one worker's probabilities raised to a power."""
    worker_predictions = list(cases.worker_predictions)
    raw = worker_predictions[worker].probabilities
    assert raw is not None
    sharp = raw.astype(np.float64) ** power
    worker_predictions[worker] = Predictions.of(
        (sharp / sharp.sum(axis=1, keepdims=True)).astype(np.float32)
    )
    return Dataset(
        cases.task,
        cases.labels,
        cases.workers,
        tuple(worker_predictions),
        cases.judge,
        cases.gold,
        cases.ids,
    )


def _seen(rng: np.random.Generator, truth: LabelIds, size: int, strength: float) -> Logits:
    """Log-likelihoods of normal evidence: with a uniform prior their softmax is calibrated."""
    evidence = rng.normal(size=(len(truth), size))
    evidence[np.arange(len(truth)), truth] += strength
    return strength * evidence


def _cases(
    truth: LabelIds, logits: list[Logits], gold: LabelIds, size: int, rng: np.random.Generator
) -> Dataset:
    return Dataset(
        task="planted",
        labels=tuple(f"label {code}" for code in range(size)),
        workers=WORKERS,
        worker_predictions=tuple(Predictions.of(_softmax(each)) for each in logits),
        judge=Predictions.of(_softmax(_seen(rng, truth, size, 4.0))),
        gold=gold,
        ids=tuple(f"ticket {number}" for number in range(len(truth))),
        versions={**dict.fromkeys(WORKERS, "1"), "judge": "7"},
    )


def _softmax(logits: Logits) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def seen_again(rng: np.random.Generator, cases: Dataset, strength: float) -> Predictions:
    """What another calibrated worker of this strength says of the same tickets."""
    return Predictions.of(_softmax(_seen(rng, cases.gold, len(cases.labels), strength)))

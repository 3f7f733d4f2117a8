"""Tickets with experts of known quality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import Predictions
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.measures.bootstrap import Bootstrap

LABELS = ("billing", "delivery", "login")
FEW = Bootstrap(resamples=60)
OPTIONS = Options(Prices({"one": 0.05, "two": 0.05, "six": 0.1}, 1.0), bootstrap=FEW)


@dataclass(frozen=True)
class Expert:
    """Right with the probability that it states: `strong` on half of the topics, `weak` on the
    other half; which half is `topic`.
    """

    strong: float
    weak: float
    topic: int = 0

    def predictions(
        self, gold: NDArray[np.int64], topics: NDArray[np.int64], rng: np.random.Generator
    ) -> Predictions:
        sure = np.where(topics == self.topic, self.strong, self.weak)
        other = (gold + rng.integers(1, len(LABELS), len(gold))) % len(LABELS)
        named = np.where(rng.random(len(gold)) < sure, gold, other)
        rest = (1 - sure) / (len(LABELS) - 1)
        probs = np.repeat(rest[:, None], len(LABELS), axis=1)
        probs[np.arange(len(gold)), named] = sure
        return Predictions.of(probs.astype(np.float32))


def cases(experts: dict[str, Expert], judge: Expert, tickets: int = 2000, seed: int = 7) -> Dataset:
    """Calibrated experts whose errors are independent of each other."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(len(LABELS), size=tickets)
    topics = rng.integers(2, size=tickets)
    return Dataset(
        "queue",
        LABELS,
        tuple(experts),
        tuple(expert.predictions(gold, topics, rng) for expert in experts.values()),
        judge.predictions(gold, topics, rng),
        gold,
        tuple(str(place) for place in range(tickets)),
        {"topic": tuple(f"topic {topic}" for topic in topics)},
    )


def three(tickets: int = 600, seed: int = 7) -> Dataset:
    """Three middling workers and a better judge."""
    workers = {"one": Expert(0.9, 0.6), "two": Expert(0.85, 0.6), "six": Expert(0.7, 0.8)}
    return cases(workers, Expert(0.92, 0.88), tickets, seed)


def labels_only(known: Dataset) -> Dataset:
    """The same log of models that give no probabilities."""
    return Dataset(
        known.task,
        known.labels,
        known.workers,
        tuple(predictions.labels_only() for predictions in known.worker_predictions),
        known.judge.labels_only(),
        known.gold,
        known.ids,
        known.slices,
    )

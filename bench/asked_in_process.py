"""Workers and judge of a real task, taught on four fifths of its training data; no stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.mixture import WORKERS
from streamer.decide.predictions import Predictions
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.examples import Examples, drawn, read_examples
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.kinds import fitting
from streamer.learn.kinds.kind import Targets
from streamer.learn.train.worker import train_worker
from streamer.records.labelset import LabelSet

FILES: Mapping[str, str] = {
    "intent": "topic_banking77",
    "sentiment": "sentiment_airline",
    "reason": "sentiment_airline",
}
HELD_BACK = 0.2
_HELD_OUT = 0.15

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Material:
    """A task's training and test texts, and what the judge's encoder makes of them [N, D]."""

    task: str
    labels: LabelSet
    train: Examples
    test: Examples
    seen: Floats
    unseen: Floats

    @classmethod
    def read(cls, folder: Path, task: str, process: JudgeProcess) -> "Material":
        train, test = (
            read_examples(folder / f"{FILES[task]}.{part}.csv.gz", text=("text",), label=task)
            for part in ("train", "test")
        )
        vectors, _ = process.embed([*train.texts, *test.texts], lambda done, total: None)
        labels = LabelSet(tuple(sorted(set(train.labels))))
        return cls(task, labels, train, test, vectors[: len(train)], vectors[len(train) :])

    def asked(self, seed: int) -> tuple[Dataset, Dataset]:
        """The fifth of the training data that this seed holds back, and the test tickets, with what
        all say of them.

        Models hold out by another seed: by the same there would be nothing left to hold out.
        """
        held = np.array(drawn(self.train.texts, HELD_BACK, seed))
        taught, rest = self.train.where((~held).tolist()), self.train.where(held.tolist())
        with threadpool_limits(1):
            judge = self._judge(taught, self.seen[~held], seed + 100)
            models = {
                name: train_worker(kind, taught, self.labels, seed=seed + 100).model
                for name, kind in WORKERS.items()
            }
            learn, test = (
                self._dataset(
                    some,
                    {name: model.probabilities(some.texts) for name, model in models.items()},
                    judge.probabilities(vectors),
                )
                for some, vectors in ((rest, self.seen[held]), (self.test, self.unseen))
            )
        return learn, test

    def _judge(self, taught: Examples, vectors: Floats, seed: int) -> fitting.Linear:
        """As `JudgeTrainer` does it."""
        out = np.array(drawn(taught.texts, _HELD_OUT, seed))
        everything = Targets(taught.texts, self._codes(taught), len(self.labels))
        tuned = fitting.tune(
            vectors[~out], everything.where(~out), vectors[out], everything.where(out)
        )
        final = fitting.fit(vectors, everything, tuned.penalty)
        return fitting.Linear(final.weights, final.bias, tuned.model.temperature)

    def _dataset(self, some: Examples, workers: Mapping[str, Floats], judge: Floats) -> Dataset:
        return Dataset(
            self.task,
            self.labels.labels,
            tuple(workers),
            tuple(Predictions.of(rows) for rows in workers.values()),
            Predictions.of(judge),
            self._codes(some),
            tuple(f"{self.task} {number}" for number in range(len(some))),
        )

    def _codes(self, some: Examples) -> NDArray[np.int64]:
        return np.array([self.labels.index[label] for label in some.labels], np.int64)

"""The real tasks as one stream: a judge that learnt a part, and what it says of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from streamer.backends.features import Floats
from streamer.config.tasks import STARTERS
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.learn.align.sample import JudgedSample
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.kinds import KINDS
from streamer.learn.kinds.kind import Kind
from streamer.learn.segments.nearest import Embeddings
from streamer.learn.segments.sample import SegmentSample
from streamer.learn.segments.shape import with_shape
from streamer.records.labelset import LabelSet

Task = tuple[str, tuple[str, ...], str]
Labels = NDArray[np.int64]

TASKS: Mapping[str, Task] = {
    "intent": ("topic_banking77", ("text",), "intent"),
    "sentiment": ("sentiment_airline", ("text",), "sentiment"),
    "similar": ("similar_askubuntu", ("a", "b"), "label"),
    "alike": ("similar_banking77", ("a", "b"), "label"),
}
"""Files, columns of the text, and column of the label, by name."""

SEED = 20260729
RESAMPLES = 2000
WORKERS: dict[str, Kind] = {name: KINDS[name] for name in STARTERS.values()}


@dataclass(frozen=True, slots=True)
class Stream:
    """N tickets of all tasks: the task of each by its place, the true label, the judge's
    distribution [N, K], and the embedding [N, D].
    """

    texts: tuple[str, ...]
    tasks: Labels
    gold: Labels
    judge: Floats
    embeddings: Embeddings

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: Labels) -> "Stream":
        return Stream(
            tuple(self.texts[row] for row in rows.tolist()),
            self.tasks[rows],
            self.gold[rows],
            self.judge[rows],
            self.embeddings[rows],
        )

    @property
    def material(self) -> SegmentSample:
        """To find segments in."""
        ids = [f"T-{number:06}" for number in range(len(self))]
        texts = dict(zip(ids, self.texts, strict=True))
        return SegmentSample.of(dict.fromkeys(ids, "2026-01-01T00:00:00Z"), texts, len(self))

    @property
    def judged(self) -> JudgedSample:
        """To align workers on; every ticket counts alike."""
        return JudgedSample(
            self.texts,
            self.judge.argmax(axis=1),
            self.judge,
            np.ones(len(self), np.float32),
            None,
        )

    def cases(self, labels: LabelSet, answers: Mapping[str, Floats]) -> Dataset:
        """With the `answers` [N, K] of workers by name."""
        ids = tuple(f"T-{number:06}" for number in range(len(self)))
        worker_predictions = tuple(map(Predictions.of, answers.values()))
        judge = Predictions(self.judge.argmax(axis=1), self.judge)
        return Dataset(
            "mixture", labels.labels, tuple(answers), worker_predictions, judge, self.gold, ids
        )

    def agreed(self, codes: Labels) -> NDArray[np.bool_]:
        """[N]: whether the published label is the judge's, of `codes` that are -1 where it is."""
        return np.asarray((codes == ABSTAINED) | (codes == self.judge.argmax(axis=1)))


@dataclass(frozen=True, slots=True)
class Mixture:
    """`log` is what is learnt from, `test` the test splits, whole and untouched."""

    labels: LabelSet
    log: Stream
    test: Stream
    encoder: str


def mixture(
    folder: Path, tasks: Sequence[str], each: int, judge_share: float, process: JudgeProcess
) -> Mixture:
    """Of the first `each` training tickets of every task the share `judge_share` teaches the judge,
    a logistic regression over embeddings and shapes; the others are the log.
    """
    lessons, logs, tests = [], [], []
    for name in tasks:
        # Another seed than training's, whose held-out texts would all be the judge's.
        log, lesson = first(examples(folder, name, "train"), each).split(judge_share, SEED + 1)
        lessons.append(lesson)
        logs.append(log)
        tests.append(examples(folder, name, "test"))
    parts = [*lessons, *logs, *tests]
    labels = LabelSet(tuple(sorted({label for part in parts for label in part.labels})))
    texts = [text for part in parts for text in part.texts]
    vectors, encoder = process.embed(texts, lambda done, total: None)
    vectors = with_shape(vectors, texts)
    cuts = np.cumsum([sum(map(len, some)) for some in (lessons, logs)])
    lesson, log, test = np.split(vectors, cuts)
    says = _judge(lesson, _codes(lessons, labels), len(labels))
    return Mixture(
        labels, _stream(logs, labels, log, says(log)), _stream(tests, labels, test, says(test)),
        encoder,
    )  # fmt: skip


def examples(folder: Path, name: str, split: str) -> Examples:
    """A split of a task; its labels begin with the task's name."""
    stem, text, label = TASKS[name]
    found = read_examples(folder / f"{stem}.{split}.csv.gz", text=text, label=label)
    return Examples(found.texts, tuple(f"{name}: {one}" for one in found.labels))


def lead(differences: NDArray[np.float64]) -> list[float]:
    """The mean and the ends of its 95 % interval, by the paired bootstrap."""
    rng = np.random.default_rng(SEED)
    count = len(differences)
    means = [differences[rng.integers(count, size=count)].mean() for _ in range(RESAMPLES)]
    return [float(differences.mean()), *np.quantile(means, (0.025, 0.975)).tolist()]


class _Says:
    """What the judge says of embeddings."""

    def __init__(self, model: LogisticRegression, size: int) -> None:
        self._model = model
        self._size = size

    def __call__(self, vectors: Embeddings) -> Floats:
        found = np.zeros((len(vectors), self._size), np.float32)
        found[:, self._model.classes_] = self._model.predict_proba(vectors)
        return found


def _judge(vectors: Embeddings, codes: Labels, size: int) -> _Says:
    with threadpool_limits(1):
        return _Says(LogisticRegression(C=10, max_iter=300).fit(vectors, codes), size)


def first(some: Examples, count: int) -> Examples:
    """The first of them, in the order of the file."""
    return Examples(some.texts[:count], some.labels[:count])


def _codes(parts: Sequence[Examples], labels: LabelSet) -> Labels:
    return np.array([labels.index[label] for part in parts for label in part.labels])


def _stream(
    parts: Sequence[Examples], labels: LabelSet, vectors: Embeddings, judge: Floats
) -> Stream:
    return Stream(
        tuple(text for part in parts for text in part.texts),
        np.repeat(np.arange(len(parts)), list(map(len, parts))),
        _codes(parts, labels),
        judge,
        vectors,
    )

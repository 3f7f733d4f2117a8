"""Scripted judges that like a place in the list, and tickets that say what they are."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from streamer.judging.engine.softmax import softmax
from streamer.judging.judge import Headers, JudgeScores
from streamer.learn.data.examples import Examples
from streamer.learn.judge_test.variant import Question
from streamer.records.labelset import LabelSet

LABELS = LabelSet(("good", "bad", "ugly"))
TASK = "mood"


def tickets(count: int, seed: int) -> Examples:
    """Each tells its label, how clearly it does, and a number of its own."""
    draw = np.random.default_rng(seed)
    places = draw.integers(3, size=count).tolist()
    clear = draw.uniform(0, 4, size=count).tolist()
    texts = [f"{p} {c:.4f} {seed}x{n}" for n, (p, c) in enumerate(zip(places, clear, strict=True))]
    return Examples(tuple(texts), tuple(LABELS.labels[place] for place in places))


def gold(examples: Examples) -> np.ndarray:
    return np.array([LABELS.index[label] for label in examples.labels], np.int64)


@dataclass
class Leaning:
    """The first place of its list gets `lean` more; a ticket's own label as much as it is clear.

    With `by_label`, labels get so much more wherever they stand. An empty ticket tells of that
    unless it `hides`. `asked` are all texts in order. After more than `dies_after` of them its
    process is asked to end.
    """

    question: Question
    lean: float = 0.0
    by_label: tuple[float, float, float] = (0.0, 0.0, 0.0)
    hides: bool = False
    asked: list[str] = field(default_factory=list)
    dies_after: int | None = None
    stopped: bool = False

    async def start(self) -> None: ...

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        return (LABELS,)

    def version(self, task: str, label_set: str) -> str:
        return repr(self.question)

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        if self.dies_after is not None and len(self.asked) > self.dies_after:
            self.dies_after = None
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        self.asked += texts
        scores = np.zeros((len(texts), 3))
        for row, text in zip(scores, texts, strict=True):
            if text or not self.hides:
                row += self.by_label
                row[self.question.shift] += self.lean
            if text:
                place, clear, _ = text.split()
                row[int(place)] += float(clear)
        coverage = np.full(len(texts), 0.9, np.float32)
        return JudgeScores(softmax(scores), np.zeros(len(texts), bool), coverage)

    @property
    def full(self) -> bool:
        return False

    async def healthy(self) -> None: ...

    async def stop(self) -> None:
        self.stopped = True


def judges(made: Mapping[Question, Leaning]) -> dict[Question, Leaning]:
    """The same for every shift of the labels."""
    return {
        Question(one.prompt, one.codes, shift, one.examples): Leaning(
            Question(one.prompt, one.codes, shift, one.examples),
            judge.lean,
            judge.by_label,
            judge.hides,
        )
        for one, judge in made.items()
        for shift in range(3)
    }

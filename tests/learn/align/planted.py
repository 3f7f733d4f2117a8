"""Streams of tickets whose truth is planted: what the judge says, and who was asked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.learn.align.sample import JudgedSample
from streamer.records.labelset import LabelSet

LABELS = LabelSet(("refund", "login", "shipping"))
TOPICS = (("board", "sprint"), ("parcel", "courier"))
SIGNS = (("red", "crimson"), ("green", "olive"), ("blue", "navy"))
FILLER = ("please", "help", "since", "monday", "thanks", "again", "hello", "today")


@dataclass(frozen=True)
class Stream:
    """N tickets: texts, the judge's labels [N], and the topic [N] that each is about."""

    texts: tuple[str, ...]
    label_ids: NDArray[np.int64]
    topics: NDArray[np.int64]

    def judged(
        self, weights: NDArray[np.floating] | None = None, soft: bool = True
    ) -> JudgedSample:
        """As material, with the judge rather sure."""
        probabilities = np.full((len(self.label_ids), len(LABELS)), 0.05, np.float32)
        probabilities[np.arange(len(self.label_ids)), self.label_ids] = 0.9
        given = np.ones(len(self.label_ids)) if weights is None else weights
        known = probabilities if soft else None
        return JudgedSample(
            self.texts, self.label_ids, known, given.astype(np.float32), self.topics
        )


def two_topics(rng: np.random.Generator, count: int) -> Stream:
    """The same signs mean different labels in each topic, so that only their pair tells."""
    topics = rng.integers(2, size=count)
    signs = rng.integers(len(SIGNS), size=count)
    texts = tuple(
        _text(rng, [rng.choice(TOPICS[topic]), rng.choice(SIGNS[sign])], number)
        for number, (topic, sign) in enumerate(zip(topics, signs, strict=True))
    )
    return Stream(texts, (signs + topics) % len(SIGNS), topics)


def _text(rng: np.random.Generator, said: list[str], number: int | None = None) -> str:
    found = [*said, *rng.choice(FILLER, 3)]
    rng.shuffle(found)
    return " ".join(found if number is None else [*found, f"n{number}"])


def biased(rng: np.random.Generator) -> tuple[Stream, NDArray[np.float64], Stream]:
    """The judged part of a stream, with weights, and fresh tickets of all of it.

    Signs mean one label in the 80 % of tickets that workers settle, and the next one in the others,
    where no word tells which it is. 10 % of the first are judged and all of the others.
    """
    whole, settled = _one_topic(rng, 4000)
    drawn = ~settled | (rng.random(len(settled)) < 0.1)
    weights = np.where(settled, 1 / 0.1, 1.0)[drawn]
    rows = np.flatnonzero(drawn)
    texts = tuple(whole.texts[row] for row in rows)
    return (
        Stream(texts, whole.label_ids[rows], whole.topics[rows]),
        weights,
        _one_topic(rng, 1000)[0],
    )


def unsure(rng: np.random.Generator, count: int) -> JudgedSample:
    """Of each sign the judge knows only how likely the labels are, and names one by chance."""
    stream, _ = _one_topic(rng, count, settled=1.0)
    known = np.array([[0.6, 0.35, 0.05], [0.1, 0.5, 0.4], [0.3, 0.1, 0.6]], np.float32)
    rows = known[stream.label_ids]
    named = np.array([rng.choice(len(row), p=row / row.sum()) for row in rows.astype(np.float64)])
    return JudgedSample(stream.texts, named, rows, np.ones(count, np.float32), None)


def _one_topic(
    rng: np.random.Generator, count: int, settled: float = 0.8
) -> tuple[Stream, NDArray[np.bool_]]:
    signs, easy = rng.integers(len(SIGNS), size=count), rng.random(count) < settled
    texts = tuple(_text(rng, [rng.choice(SIGNS[sign])]) for sign in signs)
    label_ids = np.where(easy, signs, (signs + 1) % len(SIGNS))
    return Stream(texts, label_ids, np.zeros(count, np.int64)), easy

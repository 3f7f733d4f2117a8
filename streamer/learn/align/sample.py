"""What workers are aligned on: tickets with the judge's answer, weighted back to all tickets."""

from collections.abc import Container
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.backends.features import Floats
from streamer.backends.ngrams import MAX_CHARS
from streamer.decide.predictions import LabelIds
from streamer.records.segments import GENERAL

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """`texts` [N] with the judge's `label_ids` [N] and, where known, its `probabilities` [N, K].

    `weights` [N] are 1 / P(the ticket is judged and logged), at any scale. `segments` [N] are the
    segment ids of the tickets, -1 for none; None where there are no segments.
    """

    texts: tuple[str, ...]
    label_ids: LabelIds
    probabilities: Floats | None
    weights: Floats
    segments: LabelIds | None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sha256(self) -> str:
        """A hash of all that is learnt from, in its order."""
        distributions = b"" if self.probabilities is None else self.probabilities.tobytes()
        arrays = (self.label_ids.tobytes(), distributions, self.weights.tobytes())
        return sha256(b"\0".join([orjson.dumps(self.texts), *arrays])).hexdigest()

    @property
    def effective(self) -> float:
        """The effective sample size (sum w)^2 / sum w^2: tickets of equal weight that would tell
        as much (Kish 1965).
        """
        return float(self.weights.sum(dtype=np.float64) ** 2 / (self.weights**2.0).sum())

    def where(self, mine: Mask) -> "JudgedSample":
        """Some of the tickets."""
        rows = np.flatnonzero(mine)
        return JudgedSample(
            tuple(self.texts[row] for row in rows.tolist()),
            self.label_ids[rows],
            None if self.probabilities is None else self.probabilities[rows],
            self.weights[rows],
            None if self.segments is None else self.segments[rows],
        )

    def without(self, read: Container[str]) -> "JudgedSample":
        """Without the tickets whose text, `as_read`, is among these."""
        return self.where(np.array([as_read(text) not in read for text in self.texts], np.bool_))

    def normalised(self) -> "JudgedSample":
        """With weights of mean 1 (Hájek's: only how they differ counts)."""
        return replace(self, weights=self.weights / self.weights.mean()) if len(self) else self

    def and_examples(self, other: "JudgedSample") -> "JudgedSample":
        """Followed by examples, each of which counts as a ticket of mean weight."""
        mine, segments = self.normalised(), None
        if self.segments is not None:
            theirs = other.segments
            none = np.full(len(other), GENERAL) if theirs is None else theirs
            segments = np.concatenate([self.segments, none])
        return JudgedSample(
            (*mine.texts, *other.texts),
            np.concatenate([mine.label_ids, other.label_ids]),
            _stacked(mine, other),
            np.concatenate([mine.weights, other.normalised().weights]),
            segments,
        )


def as_read(text: str) -> str:
    """What the workers see of a text: two texts with the same are copies."""
    return " ".join(text[:MAX_CHARS].lower().split())


def _stacked(first: JudgedSample, second: JudgedSample) -> Floats | None:
    """Who has labels only among those with distributions is sure of its labels."""
    if first.probabilities is None:
        return None
    distributions = second.probabilities
    if distributions is None:
        distributions = np.eye(first.probabilities.shape[1], dtype=np.float32)[second.label_ids]
    return np.concatenate([first.probabilities, distributions])

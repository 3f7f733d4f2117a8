"""A light classifier that names a ticket's segment: to embed every ticket would be too dear."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from streamer.backends import ngrams
from streamer.backends.features import Features, Floats, softmax
from streamer.backends.gate import Gate
from streamer.backends.linear import LinearModel
from streamer.learn.kinds.kind import Targets
from streamer.learn.kinds.linear import LinearKind
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Share, share
from streamer.records.segments import GENERAL

WANTED = 0.95
"""Agreement with the nearest centroid that the sure tickets shall reach (we choose)."""

LARGEST = 5_000_000
"""Bytes that the classifier may take."""

_EIGHTHS = 8
_LEAST = 10
_SURE_AT_LEAST = 0.5
_NEVER = 1.01
_FAR = 0.01
_KNOWN_AT_MOST = 0.5
_SURE_OF_NOTHING = 0.9

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ClassifierFigures:
    """The same figures as `Classifier` has, each with its interval."""

    at_least: float
    agreement: Interval
    sure: Interval
    answered: Interval


@dataclass(frozen=True, slots=True)
class Classifier:
    """What is served, as `gate`, and how well it does.

    `agreement` with the nearest centroid, and that of the `sure` tickets alone, are of held-out
    tickets on a model that did not see them; `answered` is the share of those that are sure.
    """

    gate: Gate
    agreement: Share
    sure: Share
    answered: Share

    @property
    def figures(self) -> "ClassifierFigures":
        """For a report."""
        shares = (self.agreement, self.sure, self.answered)
        return ClassifierFigures(self.gate.at_least, *map(Interval.of_share, shares))

    def segment_ids(self, texts: Sequence[str]) -> Labels:
        """[N]: the segment id of each text, or -1 for the general set."""
        return self.gate.names(texts).segment_ids


def learn_classifier(
    texts: Sequence[str], segment_ids: Labels, segments: int, seed: int
) -> Classifier | None:
    """Of N texts and their segment ids [N]; None where there is one segment only, or a
    segment has too few tickets to hold some out.

    A quarter, drawn by the texts' hashes, is held out: half of it scales the probabilities and
    sets the limits, the other half is reported. How sure it must be is the lowest, from 0.5 on,
    from which on the sure ones agree as often as wanted, and always above what a text without any
    known word gets. The words that must be known are as many as 99 % of the tickets have, or half.
    """
    eighth = np.array([_eighth(text) for text in texts])
    train, tune, test = eighth >= 2, eighth == 0, eighth == 1
    counts = np.bincount(segment_ids[train], minlength=segments)
    if segments < 2 or counts.min() < _LEAST or not tune.any() or not test.any():
        return None
    learnt, kind = _targets(texts, segment_ids, segments, train), _kind(texts, segments)
    # One thread: the order of a sum must not vary.
    with threadpool_limits(1):
        tuned, _ = kind.tune(learnt, _targets(texts, segment_ids, segments, tune), seed)
    model = _tempered(tuned)
    rows, known_shares = model.features.known_rows(
        [texts[row] for row in np.flatnonzero(tune)], ngrams.SHAPE_PAIRS
    )
    probabilities = softmax(rows @ model.weights + model.bias)
    limit = _limit(probabilities.max(axis=1), probabilities.argmax(axis=1) == segment_ids[tune])
    limit = max(limit, _sure_of_nothing(model) + 1e-4)
    gate = Gate(model, limit, min(float(np.quantile(known_shares, _FAR)), _KNOWN_AT_MOST))
    return _measured(gate, [texts[row] for row in np.flatnonzero(test)], segment_ids[test])


def _measured(gate: Gate, texts: Sequence[str], segment_ids: Labels) -> Classifier:
    right = gate.model.probabilities(texts).argmax(axis=1) == segment_ids
    confident = gate.names(texts).segment_ids != GENERAL
    return Classifier(gate, share(right), share(right[confident]), share(confident))


def _eighth(text: str) -> int:
    """0 and 1 are an eighth each, what is above is for training; copies stay together."""
    return sha256(text.encode("utf-8", "replace")).digest()[0] % _EIGHTHS


def _targets(texts: Sequence[str], segment_ids: Labels, size: int, mine: Mask) -> Targets:
    rows = np.flatnonzero(mine)
    return Targets([texts[row] for row in rows], segment_ids[rows], size)


def _tempered(model: LinearModel) -> LinearModel:
    """The same answers, less sure where a text of no known n-gram would be named with certainty.

    Segments that words tell apart without an error are given so large a factor that every
    probability is 1, and no limit could lie above what such a text gets.
    """
    while _sure_of_nothing(model) > _SURE_OF_NOTHING:
        half = np.float32(0.5)
        model = replace(model, weights=model.weights * half, bias=model.bias * half)
    return model


def _sure_of_nothing(model: LinearModel) -> float:
    return float(softmax(model.bias[None]).max())


def _kind(texts: Sequence[str], segments: int) -> LinearKind:
    """Words, without so many rare ones that the model would grow too large."""
    least = 2
    extract = ngrams.words_and_shape
    while len(Features.fit(extract, texts, min_texts=least).buckets) > _most(segments):
        least += 1
    return LinearKind("segments", extract, least)


def _most(segments: int) -> int:
    """Buckets, each with its number, its weight by rarity and one weight per segment."""
    return LARGEST // (4 * (segments + 2)) - 1000


def _limit(confidence: Floats, right: Mask) -> float:
    order = np.argsort(-confidence, kind="stable")
    agreed = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(agreed >= WANTED)
    if not len(good):
        return _NEVER
    return max(_SURE_AT_LEAST, float(confidence[order[good[-1]]]))

"""Rules that decide from the workers' answers alone whether a label stands without the judge.

Criterion 1 (a majority of the configured workers) and Criterion 2 (the same, with a confidence
threshold) of "A Multi-Model Adaptation of Speculative Decoding for Classification"
(arXiv 2503.18076). The text leaves the confidence formula open: we choose among four. And Chow's
rule on the mean of the workers' distributions, which alone works with a single worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.chow import Chow
from streamer.decide.opinion import ABSTAINED, Codes, Opinion

Kind = Literal["majority", "unanimity", "chow"]
Measure = Literal["mean", "min", "max", "ensemble"]


@dataclass(frozen=True, slots=True)
class VoteRule:
    """How many of the configured workers must name a label, and how sure they must be.

    The quorum counts against the configured workers and not against those that answered, so an
    outage never makes a decision easier. `measure` with `at_least` is Criterion 2: over the
    workers that agree (mean, min, max), or over all workers (ensemble). Chow's rule has an `alpha`
    instead, and needs the answer of every worker.
    """

    kind: Kind
    of: int
    measure: Measure | None = None
    at_least: float = 0.0
    alpha: float | None = None

    @property
    def quorum(self) -> int:
        """Workers that must name the same label, for Chow's rule: answer; more than half or all."""
        return self.of // 2 + 1 if self.kind == "majority" else self.of

    @property
    def asks_all(self) -> bool:
        """Whether every worker is asked at once.

        With a confidence threshold the third worker counts even where two agree, or the decision
        would depend on the order in which the workers are configured.
        """
        return self.measure is not None or self.alpha is not None


@dataclass(frozen=True, slots=True)
class Decision:
    """Of N tickets: the label that stands, or -1; its confidence; and what is still open.

    `confidence` [N] is the measure's value (the mean of those that agree where the rule has none),
    NaN where no label stands or no probabilities are known. `open` [N] marks tickets for which
    the workers not yet asked can still make a quorum; all others without a label go to the judge.
    """

    codes: Codes
    confidence: NDArray[np.float32]
    open: NDArray[np.bool_]


def decide(rule: VoteRule, opinions: Sequence[Opinion], left: int = 0) -> Decision:
    """Apply the rule to the opinions of the workers asked so far, `left` of them not yet asked.

    Integer counts only: with floats, 2/3 >= 1 - 1/3 is false. Invariant under permutation of the
    opinions.
    """
    if rule.alpha is not None:
        return _chow(Chow(rule.alpha), opinions)
    codes, count = _plurality(opinions)
    agreed = np.where(count >= rule.quorum, codes, ABSTAINED)
    confidence = _measure(rule.measure or "mean", opinions, agreed)
    if rule.measure is not None:
        sure = confidence >= rule.at_least
        agreed = np.where(sure, agreed, ABSTAINED)
        confidence = np.where(sure, confidence, np.float32(np.nan))
    undecided = (agreed == ABSTAINED) & (count < rule.quorum)
    return Decision(agreed, confidence, undecided & (count + left >= rule.quorum) & (left > 0))


def plurality(opinions: Sequence[Opinion]) -> Decision:
    """The label that most workers name, with no quorum: for an outage, never for a doubt."""
    codes, _ = _plurality(opinions)
    confidence = _measure("mean", opinions, codes)
    return Decision(codes, confidence, np.zeros(len(codes), np.bool_))


def _chow(rule: Chow, opinions: Sequence[Opinion]) -> Decision:
    known = [opinion.probabilities for opinion in opinions]
    count = len(opinions[0].codes)
    codes, confidence = np.full(count, ABSTAINED), np.full(count, np.nan, np.float32)
    vectors = [vector for vector in known if vector is not None]
    if len(vectors) == len(known):
        usable = np.flatnonzero(np.all([o.codes != ABSTAINED for o in opinions], axis=0))
        ensemble = np.mean([vector[usable] for vector in vectors], axis=0, dtype=np.float64)
        sure = rule.accepts(ensemble)
        codes[usable[sure]] = ensemble[sure].argmax(axis=1)
        confidence[usable[sure]] = ensemble[sure].max(axis=1)
    return Decision(codes, confidence, np.zeros(count, np.bool_))


def _plurality(opinions: Sequence[Opinion]) -> tuple[Codes, Codes]:
    """The label named most often and by how many, abstentions left out."""
    votes = [opinion.codes for opinion in opinions]
    label, most = votes[0], np.zeros(len(votes[0]), np.int64)
    for mine in votes:
        named = np.sum([mine == other for other in votes], axis=0) * (mine != ABSTAINED)
        label, most = np.where(named > most, mine, label), np.maximum(named, most)
    return label, most


def _measure(measure: Measure, opinions: Sequence[Opinion], agreed: Codes) -> NDArray[np.float32]:
    of_label = np.stack([opinion.of_label(agreed) for opinion in opinions])
    votes = np.stack([opinion.codes for opinion in opinions])
    counted = ~np.isnan(of_label)
    if measure != "ensemble":
        counted &= votes == agreed
    if measure == "min":
        values = np.where(counted, of_label, np.float32(np.inf)).min(axis=0)
    elif measure == "max":
        values = np.where(counted, of_label, np.float32(-np.inf)).max(axis=0)
    else:
        total = np.where(counted, of_label, np.float32(0)).sum(axis=0)
        values = total / np.maximum(counted.sum(axis=0), 1)
    return np.where(counted.any(axis=0), values, np.float32(np.nan)).astype(np.float32)

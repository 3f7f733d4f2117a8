"""Speculative sampling of one label, which the rules come from; no served label is ever drawn.

GenSpecSample of "Faster Cascades via Speculative Decoding" (arXiv 2405.19261, algorithm 4): draw y
from q, accept it with probability min(1, pi(y) / q(y)), else draw from what pi has beyond q. The
outcome has the distribution pi. Vectors are over K labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration_rules import ArbitrationRule

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws from q, accepts each label with its probability in `accept`, else draws from `rest`."""

    q: Vector
    accept: Vector
    rest: Vector

    @classmethod
    def of(cls, q: Vector, pi: Vector) -> "Sampler":
        """GenSpecSample for the target pi."""
        return cls(q, _ratio(pi, q), _beyond(pi, q))

    @classmethod
    def lossy(cls, q: Vector, p: Vector, alpha: float) -> "Sampler":
        """Lossy speculative sampling for alpha in [0, 1), the paper's baseline."""
        return cls(q, _ratio(p / (1 - alpha), q), _beyond(p, q))

    @property
    def rejected(self) -> float:
        """Probability that a draft is rejected."""
        return float((self.q * (1 - self.accept)).sum())

    def marginal(self) -> Vector:
        """Distribution of the outcome, summed over all drafts."""
        return self.q * self.accept + self.rejected * self.rest

    def draw(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
        """Outcomes [count], and how many drafts were rejected."""
        labels = len(self.q)
        drafts = rng.choice(labels, count, p=self.q)
        rejected = rng.random(count) >= self.accept[drafts]
        drafts[rejected] = rng.choice(labels, int(rejected.sum()), p=self.rest)
        return drafts, int(rejected.sum())


def cascade_target(kept: bool, q: Vector, p: Vector) -> Vector:
    """Of a rule that looks at the whole distribution: q where it keeps, else p."""
    return q if kept else p


def token_target(rule: ArbitrationRule, q: Vector, p: Vector) -> Vector:
    """Of a rule that looks at the drafted label: what it rejects is drawn from p instead."""
    labels = np.arange(len(q))
    every = np.tile(q, (len(q), 1)), np.tile(p, (len(q), 1))
    deferred = ~rule.keeps(*every, labels)
    return q * ~deferred + p * q[deferred].sum()


def _ratio(pi: Vector, q: Vector) -> Vector:
    return np.minimum(1, np.divide(pi, q, out=np.ones_like(q), where=q > 0))


def _beyond(pi: Vector, q: Vector) -> Vector:
    """norm(max(0, pi - q)); pi itself where there is nothing beyond q, and so never a draw."""
    beyond = np.maximum(0, pi - q)
    return beyond / beyond.sum() if beyond.sum() > 0 else pi

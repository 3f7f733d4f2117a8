"""What a cascade of workers and judge is worth: shares with intervals, kappa, expected speed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.third_worker import asked_first, third_asked
from streamer.decide.votes import Kind, VoteRule
from streamer.learn.measures.scores import Labels

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with the Wilson interval that holds the true share with 95 %."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """From 0 to 1; NaN of none."""
        return self.hits / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end; (0, 1) of none."""
        if not self.of:
            return 0.0, 1.0
        n, p, z2 = self.of, self.hits / self.of, _Z95 * _Z95
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        if not self.of:
            return "-"
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}]"


@dataclass(frozen=True, slots=True)
class Figures:
    """A cascade on N tickets.

    `coverage` is the share accepted without the judge, `fidelity` the share of those on which the
    judge says the same, `agreement` both at once; `accuracy` is that of all labels against gold,
    the judge's on what was deferred. `kappa` is Cohen's, of workers and judge on what was accepted.
    """

    coverage: Share
    fidelity: Share
    agreement: Share
    accuracy: Share
    kappa: float


@dataclass(frozen=True, slots=True)
class Committee:
    """Some workers under one rule, in the order in which they are asked."""

    workers: tuple[str, ...]
    kind: Kind

    def __str__(self) -> str:
        names = " + ".join(self.workers)
        return names if len(self.workers) == 2 else f"{self.kind} of {names}"

    def accepted(self, answers: Mapping[str, Labels]) -> Labels:
        """[N]: the label index that stands without the judge, or -1."""
        return self._rule.decide(self._predictions(answers)).label_ids

    def cost(self, answers: Mapping[str, Labels], costs: Mapping[str, float]) -> float:
        """Expected cost of the workers per ticket, in the unit of `costs`."""
        first = asked_first(self._rule)
        third = float(third_asked(self._rule, self._predictions(answers)).mean())
        own = [costs[name] for name in self.workers]
        return sum(own[:first]) + sum(own[first:]) * third

    @property
    def _rule(self) -> VoteRule:
        return VoteRule(self.kind, len(self.workers))

    def _predictions(self, answers: Mapping[str, Labels]) -> list[Predictions]:
        return [Predictions(answers[name], None) for name in self.workers]


def figures(accepted: Labels, judge: Labels, gold: Labels) -> Figures:
    """Label indices, each [N]; `accepted` is -1 where the judge was asked."""
    bypassed = accepted != ABSTAINED
    same = bypassed & (accepted == judge)
    final = np.where(bypassed, accepted, judge)
    return Figures(
        coverage=share(bypassed),
        fidelity=share(same[bypassed]),
        agreement=share(same),
        accuracy=share(final == gold),
        kappa=cohen_kappa(accepted[bypassed], judge[bypassed]),
    )


def figures_by_label(
    accepted: Labels, judge: Labels, gold: Labels, labels: Sequence[str]
) -> dict[str, Figures]:
    """The same for the tickets of each label that the judge gave, by its verdict."""
    by_label = {}
    for label_id, label in enumerate(labels):
        mine = judge == label_id
        if mine.any():
            by_label[label] = figures(accepted[mine], judge[mine], gold[mine])
    return by_label


def share(hits: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Share:
    """How many of N are true."""
    return Share(int(hits.sum()), len(hits))


def cohen_kappa(labels: Labels, other: Labels) -> float:
    """Agreement beyond chance, from -1 to 1; NaN of none, 1 where both only ever say one label."""
    if not len(labels):
        return float("nan")
    observed = float((labels == other).mean())
    label_ids = np.union1d(labels, other)
    chance = sum(
        float((labels == label_id).mean() * (other == label_id).mean()) for label_id in label_ids
    )
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def committees(workers: Sequence[str]) -> list[Committee]:
    """Every pair, and of three workers the majority and unanimity of all."""
    all_committees = [Committee(pair, "majority") for pair in combinations(workers, 2)]
    if len(workers) == 3:
        all_committees += [Committee(tuple(workers), kind) for kind in ("majority", "unanimity")]
    return all_committees


def predicted_speedup(worker_cost: float, judge_cost: float, coverage: float) -> float:
    """Of the cascade over asking the judge for all: 1 / (n rho + 1 - a)."""
    return 1 / (worker_cost / judge_cost + 1 - coverage)

"""Which workers err together.

Two workers that are wrong on the same tickets agree on wrong labels, and nobody looks again:
for a vote that counts as much as how often each of them is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from streamer.learn.measures.scores import Labels


@dataclass(frozen=True, slots=True)
class PairErrors:
    """Shares of all tickets: both wrong, both wrong alike, agreed; and Cohen's kappa."""

    workers: tuple[str, str]
    double_fault: float
    same_fault: float
    agreement: float
    kappa: float


def pair_errors(answers: Mapping[str, Labels], gold: Labels) -> list[PairErrors]:
    """Every pair of workers, those that err together least first. Label indices, each [N]."""
    pairs = [
        _pair((first, second), answers[first], answers[second], gold)
        for first, second in combinations(answers, 2)
    ]
    return sorted(pairs, key=lambda pair: pair.double_fault)


def _pair(names: tuple[str, str], first: Labels, second: Labels, gold: Labels) -> PairErrors:
    agree = first == second
    agreement = float(agree.mean())
    labels = np.union1d(first, second)
    chance = sum(float((first == k).mean() * (second == k).mean()) for k in labels)
    return PairErrors(
        workers=names,
        double_fault=float(((first != gold) & (second != gold)).mean()),
        same_fault=float((agree & (first != gold)).mean()),
        agreement=agreement,
        kappa=1.0 if chance == 1 else (agreement - chance) / (1 - chance),
    )

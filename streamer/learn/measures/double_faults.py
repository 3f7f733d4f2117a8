"""Which workers err together, and which of them make the best committee.

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


@dataclass(frozen=True, slots=True)
class Committee:
    """`quorum` of the `workers` must agree; `coverage` is the share of tickets where they do.

    `accuracy` is that of the accepted labels, `expected` that of all with the judge's on the rest.
    """

    workers: tuple[str, ...]
    quorum: int
    coverage: float
    accuracy: float
    expected: float


def pair_errors(answers: Mapping[str, Labels], gold: Labels) -> list[PairErrors]:
    """Every pair of workers, those that err together least first. Label indices, each [N]."""
    pairs = [
        _pair((first, second), answers[first], answers[second], gold)
        for first, second in combinations(answers, 2)
    ]
    return sorted(pairs, key=lambda pair: pair.double_fault)


def rank_committees(
    answers: Mapping[str, Labels], gold: Labels, *, judge_accuracy: float
) -> list[Committee]:
    """Every pair, and every three by majority and unanimity, the best expected accuracy first.

    `judge_accuracy` is the judge's on tickets that are deferred to it; they are hard, so it is
    lower than on all. Where two committees are expected equal, the one that defers less leads.
    """
    found = [
        _committee(members, quorum, answers, gold, judge_accuracy)
        for size in (2, 3)
        for members in combinations(answers, size)
        for quorum in range(2, size + 1)
    ]
    return sorted(found, key=lambda c: (c.expected, c.coverage), reverse=True)


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


def _committee(
    members: tuple[str, ...],
    quorum: int,
    answers: Mapping[str, Labels],
    gold: Labels,
    judge_accuracy: float,
) -> Committee:
    votes = np.stack([answers[name] for name in members])
    support = (votes[:, None, :] == votes[None, :, :]).sum(axis=1)
    accepted = support.max(axis=0) >= quorum
    named = votes[support.argmax(axis=0), np.arange(len(gold))]
    right = float((accepted & (named == gold)).mean())
    coverage = float(accepted.mean())
    return Committee(
        workers=members,
        quorum=quorum,
        coverage=coverage,
        accuracy=right / coverage if coverage else float("nan"),
        expected=right + (1 - coverage) * judge_accuracy,
    )

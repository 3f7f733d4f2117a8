"""What aligning did: to every worker, to how alike they are, and to their vote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.distributions import total_variation
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.learn.align.change import Change, change, mean_change
from streamer.learn.align.choosing import Choice, TriedCandidate
from streamer.learn.align.sample import Mask
from streamer.learn.data.dataset import Dataset

_WORSE = "the vote got worse: don't promote these versions"
_VERDICTS = {
    (-1, -1): "the vote got better: it asks the judge less, and differs from it less",
    (-1, 0): "the vote got better: it asks the judge less, and no more labels differ from its own",
    (0, -1): "the vote got better: fewer labels differ from the judge's, and it is asked no more",
    (-1, 1): "a trade, no gain: the vote asks the judge less, and differs from it more",
    (1, -1): "a trade, no gain: the vote differs from the judge less, and asks it more",
    (0, 0): "no difference is shown in the vote, whatever became of the workers",
    (1, 0): _WORSE,
    (0, 1): _WORSE,
    (1, 1): _WORSE,
}


@dataclass(frozen=True, slots=True)
class WorkerChange:
    """One worker on `tickets` of one `segment`, None for all: how often it says what the judge
    says, and the mean total variation to the judge's distribution, None without probabilities.
    """

    worker: str
    segment: str | None
    tickets: int
    agreement: Change
    distance: Change | None


@dataclass(frozen=True, slots=True)
class PairChange:
    """How often two workers agree; and of the tickets where at least one differs from the judge,
    the share where both name the same other label.
    """

    workers: tuple[str, str]
    agreement: Change
    wrong_alike: Change


@dataclass(frozen=True, slots=True)
class VoteChange:
    """The workers' vote under the task's `rule`.

    `coverage` is the share accepted without the judge (A1), `fidelity` that of them on which the
    judge says the same (A2), `agreement` both at once (A3), `judge_rate` what is left to the judge,
    and `differing` the share of all tickets that is published with another label than the judge's.
    `verdict` says in words whether the vote got better, by the intervals of the last two.
    """

    rule: str
    coverage: Change
    fidelity: Change
    agreement: Change
    judge_rate: Change
    differing: Change
    verdict: str


@dataclass(frozen=True, slots=True)
class Weighting:
    """What was trained on: `judged` tickets, `uniform` of them of the stratum, that tell as much as
    `effective` of equal weight; and labelled `examples`. `copies` of test texts were dropped.
    """

    judged: int
    uniform: int
    effective: float
    examples: int
    copies: int


@dataclass(frozen=True, slots=True)
class WorkerCandidates:
    """The candidates of one worker on the held-out tickets, and the `best`, which was trained."""

    worker: str
    tried: tuple[TriedCandidate, ...]
    best: TriedCandidate


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task on `tickets` test tickets from `since` on, all of the uniform stratum.

    `versions` are those that were written, by worker; empty where none was to be. `kept` workers
    stay as they were.
    """

    task: str
    tickets: int
    since: str
    kept: tuple[str, ...]
    versions: Mapping[str, int]
    weighting: Weighting
    trials: tuple[WorkerCandidates, ...]
    workers: tuple[WorkerChange, ...]
    pairs: tuple[PairChange, ...]
    vote: VoteChange | None


def trials(worker: str, choice: Choice) -> WorkerCandidates:
    """A choice as it is reported."""
    return WorkerCandidates(worker, choice.tried, choice.best)


def worker_changes(
    before: Dataset, after: Sequence[Predictions], segments: Mapping[str, Mask]
) -> tuple[WorkerChange, ...]:
    """Of judged tickets [N], each worker on all, and on those of every segment by its name."""
    everywhere: dict[str | None, Mask] = {None: np.ones(len(before), np.bool_)}
    parts = {name: np.flatnonzero(mine) for name, mine in (everywhere | dict(segments)).items()}
    return tuple(
        _worker(name, segment, old[rows], new[rows], before.judge[rows])
        for name, old, new in zip(before.workers, before.worker_predictions, after, strict=True)
        for segment, rows in parts.items()
    )


def pair_changes(before: Dataset, after: Sequence[Predictions]) -> tuple[PairChange, ...]:
    """Every pair of workers on judged tickets."""
    pairs = combinations(range(len(before.workers)), 2)
    return tuple(_pair(before, after, first, other) for first, other in pairs)


def vote_change(before: Dataset, after: Sequence[Predictions], rule: DeferralRule) -> VoteChange:
    """The vote on judged tickets, of tempered predictions."""
    judge = before.judge.label_ids
    voted_before, voted_after = (
        rule.decide(before.worker_predictions).label_ids,
        rule.decide(after).label_ids,
    )
    (settled, same), (settled_after, same_after) = (
        (label_ids != ABSTAINED, (label_ids != ABSTAINED) & (label_ids == judge))
        for label_ids in (voted_before, voted_after)
    )
    cost = mean_change(~settled, ~settled_after)
    harm = mean_change(settled & ~same, settled_after & ~same_after)
    return VoteChange(
        rule.described(before.workers).kind,
        mean_change(settled, settled_after),
        change((same, settled), (same_after, settled_after)),
        mean_change(same, same_after),
        cost,
        harm,
        verdict(cost.sign, harm.sign),
    )


def verdict(cost: int, harm: int) -> str:
    """What is said where the judge's share and the share published unlike it surely fell (-1),
    surely rose (1), or neither (0).
    """
    return _VERDICTS[cost, harm]


def _worker(
    name: str, segment: str | None, old: Predictions, new: Predictions, judge: Predictions
) -> WorkerChange:
    agreement = mean_change(old.label_ids == judge.label_ids, new.label_ids == judge.label_ids)
    return WorkerChange(name, segment, len(judge.label_ids), agreement, _distance(old, new, judge))


def _distance(old: Predictions, new: Predictions, judge: Predictions) -> Change | None:
    if old.probabilities is None or new.probabilities is None or judge.probabilities is None:
        return None
    p = judge.probabilities
    return mean_change(total_variation(p, old.probabilities), total_variation(p, new.probabilities))


def _pair(before: Dataset, after: Sequence[Predictions], left: int, right: int) -> PairChange:
    judge = before.judge.label_ids
    first, second = (_alike(each[left].label_ids, each[right].label_ids, judge)
                     for each in (before.worker_predictions, after))  # fmt: skip
    return PairChange(
        (before.workers[left], before.workers[right]),
        mean_change(first[0], second[0]),
        change(first[1:], second[1:]),
    )


def _alike(left: LabelIds, right: LabelIds, judge: LabelIds) -> tuple[Mask, Mask, Mask]:
    """[N] each: they agree, on another label than the judge's; at least one differs from it."""
    agree = left == right
    return agree, agree & (left != judge), (left != judge) | (right != judge)

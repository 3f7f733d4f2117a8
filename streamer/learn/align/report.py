"""What aligning did: to every worker, to how alike they are, and to their vote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from streamer.decide.before_judge import BeforeJudge
from streamer.decide.distributions import total_variation
from streamer.decide.opinion import ABSTAINED, Codes, Opinion
from streamer.learn.align.change import Change, change, mean_change
from streamer.learn.align.choosing import Choice, Tried
from streamer.learn.align.material import Mask
from streamer.learn.cases import Cases


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
    """

    rule: str
    coverage: Change
    fidelity: Change
    agreement: Change
    judge_rate: Change
    differing: Change

    @property
    def verdict(self) -> str:
        """In words, by the intervals of the differences."""
        cost, harm = self.judge_rate.sign, self.differing.sign
        if cost < 0 and harm > 0:
            return (
                "the vote asks the judge less, and publishes more labels that differ from the"
                " judge's: a trade, no gain; a stricter rule would have to buy them back"
            )
        if cost > 0 and harm < 0:
            return "the vote publishes fewer labels that differ from the judge's, and asks it more"
        if cost < 0 or harm < 0:
            return "the vote got better: " + _better(cost, harm)
        if cost > 0 or harm > 0:
            return "the vote got worse: don't promote these versions"
        return "the test shows no difference in the vote, better workers or not"


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
class Trials:
    """The candidates of one worker on the held-out tickets, and the `best`, which was trained."""

    worker: str
    tried: tuple[Tried, ...]
    best: Tried


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
    trials: tuple[Trials, ...]
    workers: tuple[WorkerChange, ...]
    pairs: tuple[PairChange, ...]
    vote: VoteChange | None


def trials(worker: str, choice: Choice) -> Trials:
    """A choice as it is reported."""
    return Trials(worker, choice.tried, choice.best)


def worker_changes(
    before: Cases, after: Sequence[Opinion], segments: Mapping[str, Mask]
) -> tuple[WorkerChange, ...]:
    """Of judged tickets [N], each worker on all, and on those of every segment by its name."""
    everywhere: dict[str | None, Mask] = {None: np.ones(len(before), np.bool_)}
    parts = {name: np.flatnonzero(mine) for name, mine in (everywhere | dict(segments)).items()}
    return tuple(
        _worker(name, segment, old[rows], new[rows], before.judge[rows])
        for name, old, new in zip(before.workers, before.opinions, after, strict=True)
        for segment, rows in parts.items()
    )


def pair_changes(before: Cases, after: Sequence[Opinion]) -> tuple[PairChange, ...]:
    """Every pair of workers on judged tickets."""
    places = combinations(range(len(before.workers)), 2)
    return tuple(_pair(before, after, one, other) for one, other in places)


def vote_change(before: Cases, after: Sequence[Opinion], rule: BeforeJudge) -> VoteChange:
    """The vote on judged tickets, of tempered opinions."""
    judge = before.judge.codes
    one, other = rule.decide(before.opinions).codes, rule.decide(after).codes
    (settled, same), (settled_after, same_after) = (
        (codes != ABSTAINED, (codes != ABSTAINED) & (codes == judge)) for codes in (one, other)
    )
    return VoteChange(
        rule.described(before.workers).kind,
        mean_change(settled, settled_after),
        change((same, settled), (same_after, settled_after)),
        mean_change(same, same_after),
        mean_change(~settled, ~settled_after),
        mean_change(settled & ~same, settled_after & ~same_after),
    )


def _worker(
    name: str, segment: str | None, old: Opinion, new: Opinion, judge: Opinion
) -> WorkerChange:
    agreement = mean_change(old.codes == judge.codes, new.codes == judge.codes)
    return WorkerChange(name, segment, len(judge.codes), agreement, _distance(old, new, judge))


def _distance(old: Opinion, new: Opinion, judge: Opinion) -> Change | None:
    if old.probabilities is None or new.probabilities is None or judge.probabilities is None:
        return None
    p = judge.probabilities
    return mean_change(total_variation(p, old.probabilities), total_variation(p, new.probabilities))


def _pair(before: Cases, after: Sequence[Opinion], one: int, other: int) -> PairChange:
    judge = before.judge.codes
    first, second = (_alike(each[one].codes, each[other].codes, judge)
                     for each in (before.opinions, after))  # fmt: skip
    return PairChange(
        (before.workers[one], before.workers[other]),
        mean_change(first[0], second[0]),
        change(first[1:], second[1:]),
    )


def _alike(one: Codes, other: Codes, judge: Codes) -> tuple[Mask, Mask, Mask]:
    """[N] each: they agree, on another label than the judge's; at least one differs from it."""
    agree = one == other
    return agree, agree & (one != judge), (one != judge) | (other != judge)


def _better(cost: int, harm: int) -> str:
    said = []
    if cost < 0:
        said.append("it asks the judge less")
    if harm < 0:
        said.append("it publishes fewer labels that differ from the judge's")
    return " and ".join(said)

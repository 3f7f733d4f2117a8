"""Which workers to put together: every pair and triple of the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from streamer.learn.evaluation.options import Prices
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.double_faults import PairErrors, pair_errors
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Committee, committees, figures

_TRIPLE = 3


@dataclass(frozen=True, slots=True)
class Subset:
    """Some workers under a vote, as `Committee` names them.

    `cost` is that of workers and judge relative to the judge on all. `double_fault` is the share of
    tickets on which two of them are both wrong, the largest of all pairs; `same_fault` wrong alike.
    Without gold labels the judge's count as the truth there.
    """

    name: str
    fidelity: Interval
    coverage: Interval
    accuracy: Interval | None
    cost: float
    double_fault: float
    same_fault: float


def subsets(tickets: Tickets, prices: Prices) -> list[Subset]:
    """The most faithful first, then those that cover more, then the cheaper ones."""
    raw = tickets.raw
    answers = {
        name: predictions.label_ids
        for name, predictions in zip(raw.workers, raw.worker_predictions, strict=True)
    }
    rows = tickets.graded
    truth = raw.gold[rows] if len(rows) else raw.judge.label_ids
    graded = {
        name: label_ids[rows] if len(rows) else label_ids for name, label_ids in answers.items()
    }
    faults = {pair.workers: pair for pair in pair_errors(graded, truth)}
    relative = dict(zip(raw.workers, prices.relative(raw.workers), strict=True))
    every_subset = [_subset(each, tickets, answers, relative, faults) for each in _all(raw.workers)]
    return sorted(every_subset, key=lambda s: (-s.fidelity.value, -s.coverage.value, s.cost))


def _all(workers: tuple[str, ...]) -> list[Committee]:
    threes = [
        committee
        for three in combinations(workers, _TRIPLE)
        for committee in committees(three)
        if len(committee.workers) == _TRIPLE
    ]
    return [Committee(pair, "majority") for pair in combinations(workers, 2)] + threes


def _subset(
    committee: Committee,
    tickets: Tickets,
    answers: Mapping[str, Labels],
    relative: Mapping[str, float],
    faults: Mapping[tuple[str, str], PairErrors],
) -> Subset:
    raw, rows = tickets.raw, tickets.graded
    accepted = committee.accepted(answers)
    measured = figures(accepted, raw.judge.label_ids, raw.gold)
    right = figures(accepted[rows], raw.judge.label_ids[rows], raw.gold[rows]).accuracy
    pairs = [faults[pair] for pair in combinations(committee.workers, 2)]
    return Subset(
        str(committee),
        Interval.of_share(measured.fidelity),
        Interval.of_share(measured.coverage),
        Interval.of_share(right) if len(rows) else None,
        committee.cost(answers, relative) + 1 - measured.coverage.value,
        max(pair.double_fault for pair in pairs),
        max(pair.same_fault for pair in pairs),
    )

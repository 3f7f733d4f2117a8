"""Pods, partitions, GPUs and cost for a load."""

from dataclasses import dataclass
from math import ceil

from streamer.sizing.backlog import BurstBacklog, Phase
from streamer.sizing.capacity import Capacity
from streamer.sizing.load import Load

_ROUND = 6
"""Partitions come in sixes, which two, three and six pods share evenly."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of each; `cost` is that of a million tickets, in the currency of the prices."""

    classify: int
    workers: int
    judges: int
    most_judges: int
    partitions: int
    judge_partitions: int
    cost: float

    @classmethod
    def of(cls, load: Load, can: Capacity, most_judges: int | None = None) -> "Plan":
        """The fewest pods that are `busy` at most; twice the judges at most, unless told."""
        classify = _pods(load.rate, can.classify * can.busy)
        workers = _pods(load.rate * load.tasks, can.workers * can.busy)
        judges = _pods(load.deferred + load.audits, can.judged * can.busy)
        most = 2 * judges if most_judges is None else max(most_judges, judges)
        hourly = (classify + workers) * can.cpu_price + judges * can.gpu_price
        return cls(
            classify,
            workers,
            judges,
            most,
            _partitions(2 * classify),
            _partitions(most),
            hourly / (load.rate * 3600) * 1e6,
        )


@dataclass(frozen=True, slots=True)
class Burst:
    """`factor` times the rate for `lasts` seconds. More judges are asked for `noticed` seconds
    after it began, and each takes `start` seconds until it judges.
    """

    factor: float
    lasts: float
    start: float
    noticed: float = 60.0

    def backlog(self, load: Load, can: Capacity, plan: Plan) -> BurstBacklog:
        """What it does to the judge's queue. Audits wait meanwhile; only live requests count."""
        more_at = self.noticed + self.start
        changes = sorted({0.0, self.lasts, more_at})
        return BurstBacklog.of(
            [
                Phase(
                    at,
                    load.deferred * (self.factor if at < self.lasts else 1.0),
                    can.judged * (plan.most_judges if at >= more_at else plan.judges),
                )
                for at in changes
            ]
        )


def _pods(rate: float, each: float) -> int:
    return max(1, ceil(rate / each))


def _partitions(pods: int) -> int:
    return _ROUND * ceil(pods / _ROUND)

"""What a person wants to see at one look."""

from dataclasses import dataclass

import numpy as np

from streamer.decide.distributions import Float64
from streamer.decide.predictions import ABSTAINED
from streamer.learn.evaluation.options import Options
from streamer.learn.evaluation.outcome import Outcome
from streamer.learn.evaluation.scalars import costs, latencies
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.bootstrap import Bootstrap
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Figures, cohen_kappa, figures, predicted_speedup, share


@dataclass(frozen=True, slots=True)
class Overview:
    """The service's setting in numbers.

    `coverage` (A1) is the share accepted without the judge, which is also the share of judge calls
    saved; `fidelity` (A2) the share of those on which the judge agrees; `agreement` (A3) both at
    once. `accuracy` and `judge_accuracy` are against gold, on the tickets that have it. `cost` and
    `latency` are relative to the judge on all, `speedup` is 1 / (n rho + 1 - A1).
    """

    coverage: Interval
    fidelity: Interval
    agreement: Interval
    accuracy: Interval | None
    judge_accuracy: Interval | None
    kappa: Interval
    judge_calls: int
    cost: Interval
    latency: Interval | None
    speedup: float


def overview(tickets: Tickets, outcome: Outcome, options: Options) -> Overview:
    """Shares with Wilson's interval, all else by the bootstrap."""
    pool, rows = tickets.pool, tickets.graded
    judge, gold = pool.judge.label_ids, pool.gold
    measured: Figures = figures(outcome.accepted, judge, gold)
    asked = tickets.asked(tickets.rule)
    cost = costs(asked, options.costs.relative(pool.workers))
    deferred = outcome.accepted == ABSTAINED
    times = options.latencies
    late = None if times is None else latencies(asked, times.relative(pool.workers))
    right = Interval.of_share(share(outcome.final[rows] == gold[rows]))
    alone = Interval.of_share(share(judge[rows] == gold[rows]))
    return Overview(
        Interval.of_share(measured.coverage),
        Interval.of_share(measured.fidelity),
        Interval.of_share(measured.agreement),
        right if len(rows) else None,
        alone if len(rows) else None,
        _kappa(outcome.accepted, judge, len(pool.labels), options.bootstrap),
        int(deferred.sum()),
        options.bootstrap.mean(cost + deferred),
        None if late is None else options.bootstrap.mean(late + deferred),
        predicted_speedup(float(cost.mean()), 1.0, measured.coverage.value),
    )


def _kappa(accepted: Labels, judge: Labels, labels: int, bootstrap: Bootstrap) -> Interval:
    """Cohen's, of workers and judge on what was accepted."""
    rows = np.flatnonzero(accepted != ABSTAINED)
    workers, other = accepted[rows], judge[rows]
    one_hot, other_hot = np.eye(labels)[workers], np.eye(labels)[other]

    def kappa(counts: Float64) -> Float64:
        total = np.maximum(counts[:, rows].sum(axis=1), 1)
        observed = counts[:, rows] @ (workers == other) / total
        named = (counts[:, rows] @ one_hot) * (counts[:, rows] @ other_hot)
        chance = named.sum(axis=1) / total**2
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(((observed - chance) / (1 - chance))[:, None])

    samples = bootstrap.of(kappa, len(accepted))
    return Interval.of_samples(cohen_kappa(workers, other), samples[:, 0])

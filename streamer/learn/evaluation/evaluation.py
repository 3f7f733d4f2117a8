"""All that can be said of a task's rules from one log."""

from dataclasses import dataclass

import numpy as np

from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.comparisons import Comparison, with_judge, with_plain
from streamer.learn.evaluation.corrections import corrections
from streamer.learn.evaluation.curves import Curve, Deferral, Measure, deferral
from streamer.learn.evaluation.families import Family, families
from streamer.learn.evaluation.ledger import ErrorSources
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.evaluation.outcome import Outcome
from streamer.learn.evaluation.overview import Overview, overview
from streamer.learn.evaluation.ranking import Ranking
from streamer.learn.evaluation.reliability import ModelReliability, reliabilities
from streamer.learn.evaluation.scalars import Worth, costs, latencies, worths
from streamer.learn.evaluation.second_judge import SecondJudge, second_judge
from streamer.learn.evaluation.slices import Slices, all_slices
from streamer.learn.evaluation.subsets import Subset, subsets
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.threshold_families import Sweep

_PROBABILITIES = (
    "Some worker gives labels only: there are no curves of confidence, of Chow's rule or of the"
    " router."
)
_CORRECTIONS = (
    "A worker or the judge gives labels only: there is no correction curve, which needs the"
    " probabilities of both."
)
_GOLD = "No true labels are known: quality is agreement with the judge, and errors can't be traced."
_SECOND_JUDGE = "No true labels are known: they must say whether a second judge pays."
_LATENCY = "No latencies were measured: none are stated."
_RELIABILITY = "No model gives probabilities with labels to hold them to: no reliability diagrams."


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A task's rules on `tickets`, with what is `missing` in words and why.

    `deferrals` start with the measure that the other parts use: accuracy where the truth is known.
    `by_latency` is None, as `ledger` and `second_judge`, where the log can't say or wasn't asked.
    """

    task: str
    workers: tuple[str, ...]
    rule: str
    labels: int
    tickets: int
    graded: int
    unjudged: int
    resamples: int
    overview: Overview
    deferrals: tuple[Deferral, ...]
    beside_plain: tuple[Comparison, ...]
    beside_judge: tuple[Comparison, ...]
    by_cost: tuple[Worth, ...]
    by_latency: tuple[Worth, ...] | None
    reliabilities: tuple[ModelReliability, ...]
    corrections: tuple[Curve, ...]
    subsets: tuple[Subset, ...]
    slices: tuple[Slices, ...]
    ledger: ErrorSources | None
    second_judge: SecondJudge | None
    missing: tuple[str, ...]


def evaluate(dataset: Dataset, options: Options) -> Evaluation:
    """Measure every rule on the tickets of the log that the judge has seen.

    The tickets must be the uniform stratum, or all; else shares hold for the log alone. Raises
    `ConfigError` for a log without verdicts and for a pool or prices that don't fit it.
    """
    tickets = Tickets.of(dataset, options)
    outcome = Outcome.of(tickets, options.after)
    every_family = families(tickets, options)
    fixed = {family.name for family in every_family if family.fixed}
    measures = _measures(tickets)
    ranked = {name: _ranked(every_family, tickets, *where) for name, where in measures.items()}
    main, (truth, rows) = next(iter(ranked.values())), next(iter(measures.values()))
    bootstrap = options.bootstrap
    corrected = corrections(tickets, truth, rows, bootstrap)
    reliable = reliabilities(tickets)
    return Evaluation(
        task=dataset.task,
        workers=tickets.pool.workers,
        rule=_described(tickets),
        labels=len(dataset.labels),
        tickets=len(tickets.pool),
        graded=len(tickets.graded),
        unjudged=tickets.unjudged,
        resamples=bootstrap.resamples,
        overview=overview(tickets, outcome, options),
        deferrals=tuple(deferral(name, each, fixed, bootstrap) for name, each in ranked.items()),
        beside_plain=tuple(with_plain(main, sorted(fixed), bootstrap)),
        beside_judge=tuple(with_judge(main, sorted(fixed), bootstrap)),
        by_cost=_by_price(every_family, main, tickets, rows, options, options.costs),
        by_latency=None
        if options.latencies is None
        else _by_price(every_family, main, tickets, rows, options, options.latencies),
        reliabilities=tuple(reliable),
        corrections=tuple(corrected),
        subsets=tuple(subsets(tickets, options.costs)),
        slices=tuple(all_slices(tickets, outcome)),
        ledger=_ledger(tickets, outcome),
        second_judge=second_judge(dataset, options),
        missing=_missing(tickets, options, bool(corrected), bool(reliable)),
    )


def _measures(tickets: Tickets) -> dict[Measure, tuple[Labels, Labels]]:
    """By measure: the labels [N] that count as right, and the tickets that have one."""
    by_measure: dict[Measure, tuple[Labels, Labels]] = {}
    if len(tickets.graded):
        by_measure["accuracy"] = (tickets.pool.gold, tickets.graded)
    by_measure["agreement with the judge"] = (
        tickets.pool.judge.label_ids,
        np.arange(len(tickets.pool)),
    )
    return by_measure


def _ranked(
    every_family: list[Family], tickets: Tickets, truth: Labels, rows: Labels
) -> dict[str, Ranking]:
    judge = tickets.pool.judge.label_ids
    return {
        family.name: Ranking.of(
            Sweep(family.sweep.label_ids[rows], family.sweep.confidence[rows]),
            tickets.fallback[rows],
            judge[rows],
            truth[rows],
        )
        for family in every_family
    }


def _by_price(
    every_family: list[Family],
    rankings: dict[str, Ranking],
    tickets: Tickets,
    rows: Labels,
    options: Options,
    prices: Prices,
) -> tuple[Worth, ...]:
    relative = prices.relative(tickets.pool.workers)
    price = costs if prices is options.costs else latencies
    each = {family.name: price(family.asked[:, rows], relative) for family in every_family}
    return tuple(worths(rankings, each, options.bootstrap))


def _ledger(tickets: Tickets, outcome: Outcome) -> ErrorSources | None:
    rows = tickets.graded
    if not len(rows):
        return None
    return ErrorSources.of(
        outcome[rows], tickets.pool.judge.label_ids[rows], tickets.pool.gold[rows]
    )


def _described(tickets: Tickets) -> str:
    rule = tickets.rule.described(tickets.pool.workers)
    thresholds = {"confidence": rule.measure, "at least": rule.at_least, "alpha": rule.alpha}
    parts = [f"{name} {value}" for name, value in thresholds.items() if value is not None]
    return ", ".join([str(rule.kind), *parts])


def _missing(
    tickets: Tickets, options: Options, corrected: bool, reliable: bool
) -> tuple[str, ...]:
    absent = {
        _GOLD: not len(tickets.graded),
        _PROBABILITIES: not tickets.soft,
        _CORRECTIONS: not corrected,
        _RELIABILITY: not reliable,
        _SECOND_JUDGE: options.small_judge is not None and not len(tickets.graded),
        _LATENCY: options.latencies is None,
    }
    return tuple(line for line, is_so in absent.items() if is_so)

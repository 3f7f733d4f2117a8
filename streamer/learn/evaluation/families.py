"""Every family of rules that can serve a pool, on the same tickets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.distributions import Float64
from streamer.learn.calibrate.router import cross_fitted, train_router
from streamer.learn.evaluation.options import Options
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.threshold_families import (
    NEVER,
    Sweep,
    ThresholdFamily,
    threshold_families,
)


@dataclass(frozen=True, slots=True)
class Family:
    """Rules that differ in one threshold alone; a `fixed` one is a single rule.

    `asked` [W, N] is 1 where the worker has to be asked.
    """

    name: str
    sweep: Sweep
    asked: Float64
    fixed: bool


def families(tickets: Tickets, options: Options) -> list[Family]:
    """Of the tickets' pool; of workers that give labels only, votes alone."""
    worker_predictions, judge = tickets.pool.worker_predictions, tickets.pool.judge.label_ids
    weights = options.router
    if weights is None and tickets.soft:
        weights = train_router(worker_predictions, judge)
    every_family = [
        _family(threshold_family, tickets)
        for threshold_family in threshold_families(
            len(worker_predictions), weights if tickets.soft else None
        )
    ]
    if tickets.soft and options.router is None:
        every_family = [family for family in every_family if family.name != "router"]
        honest = Sweep.of(cross_fitted(worker_predictions, judge))
        every_family.append(
            Family("router", honest, np.ones((len(worker_predictions), len(judge))), False)
        )
    return [*every_family, *_votes({family.name: family for family in every_family})]


def _family(threshold_family: ThresholdFamily, tickets: Tickets) -> Family:
    rule = threshold_family.at(0.0)
    return Family(
        _named(threshold_family.name, rule, tickets),
        threshold_family.sweep(tickets.pool.worker_predictions),
        _asked(rule, tickets),
        threshold_family.fixed,
    )


def _named(name: str, rule: DeferralRule, tickets: Tickets) -> str:
    if isinstance(rule, Chow) and rule.worker is not None:
        return f"chow {tickets.pool.workers[rule.worker]}"
    return name


def _asked(rule: DeferralRule, tickets: Tickets) -> Float64:
    asked = tickets.asked(rule)
    if isinstance(rule, Chow) and rule.worker is not None:
        # Who trusts one worker alone configures no others.
        asked = np.zeros_like(asked)
        asked[rule.worker] = 1
    return asked


def _votes(by_name: Mapping[str, Family]) -> list[Family]:
    """Unanimous tickets first, then those of a majority: the threshold where workers give none."""
    if len(next(iter(by_name.values())).asked) < 3:
        return []
    majority, unanimity = by_name["majority"], by_name["unanimity"]
    agreeing = (majority.sweep.confidence != NEVER) * 1.0 + (unanimity.sweep.confidence != NEVER)
    sweep = Sweep(majority.sweep.label_ids, np.where(agreeing > 0, agreeing, NEVER))
    return [Family("votes", sweep, np.ones_like(majority.asked), False)]

"""The optimistic mode: every first label is published at once, and the judge may correct it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from streamer.decide.arbitration_rules import ArbitrationRule, Diff, Opt, TokenV1, TokenV2, TokenV3
from streamer.decide.distributions import Float64, Rows
from streamer.learn.evaluation.curves import Curve, curve
from streamer.learn.evaluation.ranking import Ranking
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.bootstrap import Bootstrap
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.served import Served
from streamer.learn.measures.threshold_families import NEVER, Sweep

_STEPS = 201
_BOUNDED = np.linspace(-1, 1, _STEPS)
_UNBOUNDED = np.tan(np.linspace(-1.57, 1.57, _STEPS))

_RULES: Mapping[str, tuple[Callable[[float], ArbitrationRule], Float64]] = {
    "diff": (Diff, _BOUNDED),
    "opt soft": (Opt, _UNBOUNDED),
    "opt greedy": (lambda alpha: Opt(alpha, "greedy"), _UNBOUNDED),
    "token v1": (TokenV1, _BOUNDED),
    "token v2": (TokenV2, _BOUNDED),
    "token v3": (TokenV3, np.linspace(0, 1, _STEPS)),
}


def corrections(tickets: Tickets, truth: Labels, rows: Labels, bootstrap: Bootstrap) -> list[Curve]:
    """Of every rule after the judge on the tickets in `rows`, with `truth` [N] for all.

    The label of the workers is that which the stream publishes first: what the rule accepts, else
    the likeliest of their mean. The rate of a curve is that of corrections. A pool has no curve: it
    may correct to a third label. Empty where a worker or the judge gives labels only.
    """
    judge = tickets.pool.judge
    if not tickets.soft or judge.probabilities is None:
        return []
    served = Served.of(tickets.pool, tickets.rule)
    rated = np.intersect1d(rows, np.flatnonzero(served.mean.any(axis=1)))
    q, p, named = served.mean[rated], judge.probabilities[rated], served.candidate[rated]
    verdicts = judge.label_ids[rated]
    differ = float((named != verdicts).mean())
    curves = []
    for name, (make, alphas) in _RULES.items():
        sweep = _sweep(make, alphas, q, p, named, verdicts)
        ranking = Ranking.of(sweep, sweep.label_ids, verdicts, truth[rated])
        curves.append(_up_to(differ, curve(name, ranking, bootstrap)))
    return curves


def _up_to(rate: float, whole: Curve) -> Curve:
    """To replace a label by itself is no correction."""
    points = [
        pair for pair in zip(whole.rates, whole.quality, strict=True) if pair[0] < rate + 1e-9
    ]
    rates, quality = zip(*points, strict=True)
    return replace(whole, rates=rates, quality=quality)


def _sweep(
    make: Callable[[float], ArbitrationRule],
    alphas: Float64,
    q: Rows,
    p: Rows,
    named: Labels,
    verdicts: Labels,
) -> Sweep:
    """Sure is what is kept at a small alpha; what needs no correction is surest of all."""
    differ = np.flatnonzero(named != verdicts)
    label, rules = named[differ], [make(float(alpha)) for alpha in alphas]
    kept = np.stack([rule.keeps(q[differ], p[differ], label) for rule in rules])
    confidence = np.full(len(named), float(len(alphas) + 1))
    first = (len(alphas) - kept.argmax(axis=0)).astype(np.float64)
    confidence[differ] = np.where(kept.any(axis=0), first, NEVER)
    return Sweep(named, confidence)

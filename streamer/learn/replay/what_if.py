"""What another rule or mode would have done on the tickets of a log."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.errors import ConfigError
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.options import Prices
from streamer.learn.measures.served import Served, third_asked
from streamer.learn.measures.shares import Share, share

Mode = Literal["sequential", "optimistic", "hedged"]
Float64 = NDArray[np.float64]

_SEED = 20_260_101
_REPEATS = 50


@dataclass(frozen=True, slots=True)
class Hedge:
    """What it costs and gains to ask the judge together with the workers, and withdraw the request
    where they settle it.

    `waste` is the share of the judge's time that goes into requests withdrawn; `p99` is in seconds,
    of deferred tickets, beside that of the sequential mode.
    """

    waste: float
    p99: float
    p99_sequential: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A rule and mode on N tickets that the judge has seen.

    `coverage` is the share published without the judge, `fidelity` that of them on which the judge
    says the same. `corrections` are the tickets whose label of before the judge it replaces.
    """

    mode: Mode
    tickets: int
    coverage: Share
    fidelity: Share
    judge_rate: Share
    corrections: Share
    hedge: Hedge | None = None


def what_if(
    cases: Dataset,
    rule: DeferralRule,
    after: ArbitrationRule,
    mode: Mode,
    latencies: Prices | None = None,
) -> WhatIf:
    """Of tempered `cases` with the judge's label. In mode optimistic the judge verifies all.

    `latencies` are mean seconds of one answer. Raises `ConfigError` where mode hedged has none.
    """
    found = Served.of(cases, rule)
    accepted, named = found.accepted, found.named
    if mode == "optimistic":
        accepted = named
    kept = _kept(cases, after, found)
    settled = accepted != ABSTAINED
    differs = (named != ABSTAINED) & (named != cases.judge.label_ids) & ~kept
    return WhatIf(
        mode,
        len(cases),
        share(settled),
        share((accepted == cases.judge.label_ids)[settled]),
        share(~settled | (mode == "optimistic")),
        share(differs & settled & (mode == "optimistic")),
        _hedge(cases, rule, ~settled, latencies) if mode == "hedged" else None,
    )


@dataclass(frozen=True, slots=True)
class Published:
    """Of N tickets [N]: whether the judge is asked, and whether the label is the one it gives.

    In mode optimistic that is the first label, before the judge may correct it.
    """

    asked: NDArray[np.bool_]
    agrees: NDArray[np.bool_]

    @classmethod
    def of(
        cls, cases: Dataset, rule: DeferralRule, after: ArbitrationRule, mode: Mode
    ) -> "Published":
        """As `what_if`, ticket by ticket."""
        found, judge = Served.of(cases, rule), cases.judge.label_ids
        if mode == "optimistic":
            return cls(np.ones(len(cases), np.bool_), found.named == judge)
        asked = found.accepted == ABSTAINED
        own = np.where(asked, ~_kept(cases, after, found) | (found.named == judge), False)
        return cls(asked, own | (found.accepted == judge))


def _kept(cases: Dataset, after: ArbitrationRule, found: Served) -> NDArray[np.bool_]:
    return found.standing(cases.judge, after, found.named).kept


def _hedge(
    cases: Dataset, rule: DeferralRule, deferred: NDArray[np.bool_], latencies: Prices | None
) -> Hedge:
    """By simulation with exponential times around the given means (we choose): what matters for
    the tail is that times vary, and means are all that is known.
    """
    if latencies is None:
        raise ConfigError(
            "mode hedged needs latencies: give --latency NAME=SECONDS for each worker and `judge`"
        )
    rng = np.random.default_rng(_SEED)
    shape = (_REPEATS, len(cases))
    workers = _workers_time(cases.worker_predictions, rule, cases.workers, latencies, rng)
    judge = rng.exponential(latencies.judge, shape)
    spent = np.where(deferred, judge, np.minimum(workers, judge))
    late = np.broadcast_to(deferred, shape)
    wasted = float(spent[~late].sum() / spent.sum())
    if not deferred.any():
        return Hedge(wasted, float("nan"), float("nan"))
    hedged, sequential = np.maximum(workers, judge)[late], (workers + judge)[late]
    return Hedge(wasted, float(np.quantile(hedged, 0.99)), float(np.quantile(sequential, 0.99)))


def _workers_time(
    worker_predictions: tuple[Predictions, ...],
    rule: DeferralRule,
    names: tuple[str, ...],
    latencies: Prices,
    rng: np.random.Generator,
) -> Float64:
    """[R, N]: until the last worker that is asked has answered; a third may wait for the others."""
    latencies.relative(names)
    count = len(worker_predictions[0].label_ids)
    times = [rng.exponential(latencies.workers[name], (_REPEATS, count)) for name in names]
    if rule.asks_all or len(names) < 3:
        return np.asarray(np.max(times, axis=0))
    first = np.maximum(times[0], times[1])
    return np.asarray(first + times[2] * third_asked(worker_predictions, rule))

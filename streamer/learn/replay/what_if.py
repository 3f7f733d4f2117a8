"""What another rule or mode would have done on the tickets of a log."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import Predictions
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.third_worker import asked_first, third_asked
from streamer.errors import ConfigError
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.options import Prices
from streamer.learn.measures.served import Served
from streamer.learn.measures.shares import Share, share
from streamer.records.log import Mode

Supposed = Mode | Literal["hedged"]
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

    mode: Supposed
    tickets: int
    coverage: Share
    fidelity: Share
    judge_rate: Share
    corrections: Share
    hedge: Hedge | None = None

    @property
    def corrects(self) -> bool:
        """Whether labels are published that the judge may replace."""
        return ServingPolicy(_served(self.mode)).publishes_first


def what_if(
    dataset: Dataset,
    rule: DeferralRule,
    after: ArbitrationRule,
    mode: Supposed,
    latencies: Prices | None = None,
) -> WhatIf:
    """Of tempered `dataset` with the judge's label. The judge verifies all that can be corrected.

    `latencies` are mean seconds of one answer. Raises `ConfigError` where mode hedged has none.
    """
    served = Served.of(dataset, rule, _served(mode))
    stands = served.arbitrated(dataset.judge, after)
    agrees = served.published == dataset.judge.label_ids
    return WhatIf(
        mode,
        len(dataset),
        share(~served.decide),
        share(agrees[~served.decide]),
        share(served.decide | served.verify),
        share(served.verify & (stands.label_ids != served.published)),
        _hedge(dataset, rule, served.decide, latencies) if mode == "hedged" else None,
    )


@dataclass(frozen=True, slots=True)
class Published:
    """Of N tickets [N]: whether the judge is asked, and whether the label is the one it gives.

    That is the first label, before the judge may correct it.
    """

    asked: NDArray[np.bool_]
    agrees: NDArray[np.bool_]

    @classmethod
    def of(
        cls, dataset: Dataset, rule: DeferralRule, after: ArbitrationRule, mode: Mode
    ) -> "Published":
        """As `what_if`, ticket by ticket."""
        served = Served.of(dataset, rule, mode)
        judged = served.arbitrated(dataset.judge, after).label_ids
        first = np.where(served.decide, judged, served.published)
        return cls(served.decide | served.verify, first == dataset.judge.label_ids)


def _served(mode: Supposed) -> Mode:
    """Who hedges asks the judge before he knows, and publishes as he would have done."""
    return "sequential" if mode == "hedged" else mode


def _hedge(
    dataset: Dataset, rule: DeferralRule, deferred: NDArray[np.bool_], latencies: Prices | None
) -> Hedge:
    """By simulation with exponential times around the given means (we choose): what matters for
    the tail is that times vary, and means are all that is known.
    """
    if latencies is None:
        raise ConfigError(
            "mode hedged needs latencies: give --latency NAME=SECONDS for each worker and `judge`"
        )
    rng = np.random.default_rng(_SEED)
    shape = (_REPEATS, len(dataset))
    workers = _workers_time(dataset.worker_predictions, rule, dataset.workers, latencies, rng)
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
    first, last = asked_first(rule), third_asked(rule, worker_predictions)
    waited = np.sum([time * last for time in times[first:]], axis=0)
    return np.asarray(np.max(times[:first], axis=0) + waited)

"""Where the labels are worse than elsewhere: per label, language, tenant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from streamer.decide.predictions import ABSTAINED
from streamer.learn.evaluation.curves import Measure
from streamer.learn.evaluation.outcome import Outcome
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.shares import figures, share

_ALARM = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """The tickets with one value of a column.

    `corrected` is the share whose first label the judge would change, were every first label
    published at once. `chance` is that of a shortfall as large as this one if the slice were as
    good as the rest: Fisher's exact test, one-sided, times the number of slices (Bonferroni).
    """

    value: str
    coverage: Interval
    fidelity: Interval
    quality: Interval
    corrected: Interval
    gap: float
    chance: float


@dataclass(frozen=True, slots=True)
class Slices:
    """One column, the slices that are least likely to be worse by chance first.

    `worst` is the first; it is `flagged` where its chance is under 5 %. `gap` of a slice is its
    quality less that of all other tickets.
    """

    column: str
    measure: Measure
    slices: tuple[Slice, ...]
    worst: str
    flagged: bool


def all_slices(tickets: Tickets, outcome: Outcome) -> list[Slices]:
    """By the judge's label, by the true label where known, and by every column of the log."""
    pool = tickets.pool
    columns = {"label by the judge": [pool.labels[label_id] for label_id in pool.judge.label_ids]}
    if len(tickets.graded) == len(pool):
        columns["true label"] = [pool.labels[label_id] for label_id in pool.gold]
    columns |= {name: list(values) for name, values in pool.slices.items()}
    tables = [_column(name, values, tickets, outcome) for name, values in columns.items()]
    return [table for table in tables if len(table.slices) > 1]


def _column(column: str, values: Sequence[str], tickets: Tickets, outcome: Outcome) -> Slices:
    pool, graded = tickets.pool, len(tickets.graded) > 0
    truth = pool.gold if graded else pool.judge.label_ids
    has_truth = np.asarray(truth != ABSTAINED)
    named, label_ids = np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)
    right = has_truth & (outcome.final == truth)
    chances = _chances(right, has_truth, label_ids, len(named))
    slices = [
        _slice(
            str(value),
            label_ids == number,
            right,
            has_truth,
            float(chances[number]),
            tickets,
            outcome,
        )
        for number, value in enumerate(named)
    ]
    slices.sort(key=lambda each: (each.chance, each.gap))
    measure: Measure = "accuracy" if graded else "agreement with the judge"
    return Slices(column, measure, tuple(slices), slices[0].value, slices[0].chance < _ALARM)


def _chances(
    right: NDArray[np.bool_],
    has_truth: NDArray[np.bool_],
    label_ids: NDArray[np.int64],
    slices: int,
) -> NDArray[np.float64]:
    """[S], from 0 to 1: of at most so many right ones among as many tickets drawn from all."""
    rows = np.bincount(label_ids, has_truth, slices)
    hits = np.bincount(label_ids, right, slices)
    below = hypergeom.cdf(hits, has_truth.sum(), right.sum(), rows)
    return np.asarray(np.minimum(below * slices, 1.0))


def _slice(
    value: str,
    mine: NDArray[np.bool_],
    right: NDArray[np.bool_],
    has_truth: NDArray[np.bool_],
    chance: float,
    tickets: Tickets,
    outcome: Outcome,
) -> Slice:
    judge = tickets.pool.judge.label_ids
    measured = figures(outcome.accepted[mine], judge[mine], tickets.pool.gold[mine])
    quality, rest = share(right[mine & has_truth]), share(right[has_truth & ~mine])
    return Slice(
        value,
        Interval.of_share(measured.coverage),
        Interval.of_share(measured.fidelity),
        Interval.of_share(quality),
        Interval.of_share(share(tickets.fallback[mine] != judge[mine])),
        quality.value - rest.value,
        chance,
    )

"""Is it worth to route: a route per segment beside one for all, on tickets that chose nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import Float64
from streamer.decide.predictions import ABSTAINED
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.segments.assigning import assign
from streamer.learn.segments.by_segment import SegmentRoute
from streamer.records.label import Rule
from streamer.records.labelset import LabelSet
from streamer.records.routing import RouteRecord


@dataclass(frozen=True, slots=True)
class Measured:
    """Of the tested tickets: labels that are the judge's, and tickets that the judge is asked."""

    agreement: Interval
    judge_rate: Interval


@dataclass(frozen=True, slots=True)
class Routed:
    """A task's routes by the segments' numbers, `general` for the others, chosen on `chosen_on`
    judged tickets for at most `budget` per ticket and tested on others.

    `lead` is routed less unrouted, by a paired bootstrap. `label_set` and `versions` are of the
    labels and workers that the tickets had.
    """

    task: str
    label_set: str
    versions: Mapping[str, str]
    budget: float
    chosen_on: int
    tested_on: int
    general: RouteRecord
    ways: Mapping[str, RouteRecord]
    routed: Measured
    unrouted: Measured
    lead: Measured


def route(
    dataset: Dataset,
    segment_ids: Labels,
    numbers: Sequence[int],
    prices: Mapping[str, float],
    budget: float,
    general: SegmentRoute | None = None,
) -> Routed | None:
    """Of the tickets [N] of one task with their segment ids [N], -1 for none.

    `general` is the route of the others; None takes the best single one.

    A half of the judged tickets, drawn by the hash of their ids, chooses; the other half tests.
    None where a half is empty.
    """
    judged = dataset.judge.label_ids != ABSTAINED
    first = np.array([sha256(name.encode("utf-8", "replace")).digest()[1] % 2 == 0
                      for name in dataset.ids], np.bool_)  # fmt: skip
    design, test = (np.flatnonzero(judged & half) for half in (first, ~first))
    if not len(design) or not len(test):
        return None
    chosen = assign(dataset[design], segment_ids[design], len(numbers), prices, budget, general)
    held = dataset[test]
    both = [chosen.accepted(held, segment_ids[test]), chosen.unrouted(held)]
    routed, unrouted, lead = _measured(both, held.judge.label_ids)
    return Routed(
        dataset.task,
        LabelSet(dataset.labels).version,
        {name: dataset.versions[name] for name in dataset.workers if name in dataset.versions},
        budget,
        len(design),
        len(test),
        _served_by(chosen.general, dataset),
        {
            str(numbers[segment_id]): _served_by(segment_route, dataset)
            for segment_id, segment_route in chosen.routes.items()
        },
        routed,
        unrouted,
        lead,
    )


def _served_by(route: SegmentRoute, dataset: Dataset) -> RouteRecord:
    names = tuple(dataset.workers[index] for index in route.workers)
    rule = Rule("judge", 0, 0) if route.rule is None else route.rule.described(names)
    return RouteRecord(
        names, rule, dict(zip(names, route.temperatures, strict=bool(route.temperatures)))
    )


def _measured(both: Sequence[Labels], judge: Labels) -> tuple[Measured, Measured, Measured]:
    columns: list[NDArray[np.float64]] = []
    for accepted in both:
        asked = accepted == ABSTAINED
        columns += [(asked | (accepted == judge)).astype(np.float64), asked.astype(np.float64)]
    columns += [columns[0] - columns[2], columns[1] - columns[3]]
    values = np.stack(columns, axis=1)

    def means(counts: Float64) -> Float64:
        return np.asarray(counts @ values / len(judge))

    estimates, samples = means(once(len(judge)))[0], Bootstrap().of(means, len(judge))
    told = [
        Interval.of_samples(float(estimates[column]), samples[:, column])
        for column in range(len(columns))
    ]
    return Measured(*told[:2]), Measured(*told[2:4]), Measured(*told[4:])

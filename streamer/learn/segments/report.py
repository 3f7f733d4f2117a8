"""What is known of every segment: how large, how it changes, and who serves it well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.shares import Share, committees, figures, share
from streamer.learn.segments.classifier import ClassifierFigures
from streamer.learn.segments.clustering import Tried
from streamer.learn.segments.finding import FoundSegments
from streamer.learn.segments.routed import Routed
from streamer.learn.segments.sample import SegmentSample
from streamer.records.segments import FitRecipe, Segment

FLOOR = 0.7
"""Where surely no worker agrees with the judge this often, the judge is needed (we choose)."""

_WINDOWS = 12
_EXAMPLES = 5
_MOST_WORKERS = 3

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WorkerAgreement:
    """How often a worker says what the judge says, of the tickets that both answered."""

    worker: str
    agreement: Interval


@dataclass(frozen=True, slots=True)
class SetAgreement:
    """A set of workers under a rule.

    It accepts `coverage` of the tickets without the judge, who says the same on `fidelity` of
    those; `agreement` is both at once.
    """

    workers: str
    coverage: Interval
    fidelity: Interval
    agreement: Interval


@dataclass(frozen=True, slots=True)
class ServingFigures:
    """How one task fares on a segment's judged `tickets`.

    `needs_judge` says that the interval of every worker's agreement ends below the floor.
    """

    task: str
    tickets: int
    workers: tuple[WorkerAgreement, ...]
    sets: tuple[SetAgreement, ...]
    needs_judge: bool

    @property
    def best(self) -> SetAgreement | None:
        """The set with the highest agreement; None where there is none, or no ticket."""
        return max(self.sets, key=lambda each: each.agreement.value) if self.tickets else None


@dataclass(frozen=True, slots=True)
class Example:
    """A ticket near the centroid; without `text` where that is not to be shown."""

    ticket_id: str
    text: str | None


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One segment; `trend` is its share of the tickets in every window of time.

    `carried` says that the version before had it, too.
    """

    number: int
    name: str
    words: tuple[str, ...]
    carried: bool
    share: Interval
    trend: tuple[Interval, ...]
    first_half: Interval
    second_half: Interval
    served: tuple[ServingFigures, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole version: its segments, the largest first, and `everywhere` for all together."""

    version: str
    recipe: FitRecipe
    tried: tuple[Tried, ...]
    gone: tuple[str, ...]
    period: tuple[str, str]
    floor: float
    notes: tuple[str, ...]
    everywhere: tuple[ServingFigures, ...]
    segments: tuple[SegmentReport, ...]
    classifier: ClassifierFigures | None
    routed: tuple[Routed, ...]


def report(
    segmented: FoundSegments,
    sample: SegmentSample,
    times: Sequence[str],
    datasets: Sequence[Dataset],
    *,
    classifier: ClassifierFigures | None = None,
    routed: Sequence[Routed] = (),
    text: bool = True,
) -> Report:
    """Of tickets with their `times` [N] (RFC 3339) and, per task, what was said of them.

    Cases whose ticket has no place in a segment count in `everywhere` alone.
    """
    where = dict(zip(sample.ids, segmented.segment_ids.tolist(), strict=True))
    moments = np.array([datetime.fromisoformat(each).timestamp() for each in times])
    segments = [
        _segment(segment_id, segment, segmented, sample, moments, datasets, where, text)
        for segment_id, segment in enumerate(segmented.segmentation.segments)
    ]
    segments.sort(key=lambda segment: -segment.share.value)
    return Report(
        segmented.segmentation.version,
        segmented.segmentation.recipe,
        segmented.tried,
        segmented.gone,
        (min(times), max(times)),
        FLOOR,
        tuple(sample.notes),
        tuple(served(each, np.ones(len(each), np.bool_)) for each in datasets),
        tuple(segments),
        classifier,
        tuple(routed),
    )


def served(dataset: Dataset, mine: Mask) -> ServingFigures:
    """One task on some of its tickets [N], as far as the judge has seen them."""
    rows = np.flatnonzero(mine & (dataset.judge.label_ids != ABSTAINED))
    judged = dataset[rows]
    judge = judged.judge.label_ids
    workers = tuple(
        WorkerAgreement(name, Interval.of_share(_agreed(predictions.label_ids, judge)))
        for name, predictions in zip(judged.workers, judged.worker_predictions, strict=True)
    )
    highest = max((worker.agreement.high for worker in workers), default=1.0)
    return ServingFigures(
        judged.task, len(rows), workers, _sets(judged), bool(len(rows)) and highest < FLOOR
    )


def _agreed(label_ids: NDArray[np.int64], judge: NDArray[np.int64]) -> Share:
    answered = label_ids != ABSTAINED
    return share((label_ids == judge)[answered])


def _sets(dataset: Dataset) -> tuple[SetAgreement, ...]:
    judge = dataset.judge.label_ids
    names = dataset.workers[:_MOST_WORKERS]
    label_ids = [
        predictions.label_ids for predictions in dataset.worker_predictions[:_MOST_WORKERS]
    ]
    answers = dict(zip(names, label_ids, strict=True))
    sets = []
    for committee in committees(names):
        measured = figures(committee.accepted(answers), judge, judge)
        shares = (measured.coverage, measured.fidelity, measured.agreement)
        sets.append(SetAgreement(str(committee), *(Interval.of_share(each) for each in shares)))
    return tuple(sets)


def _segment(
    segment_id: int,
    segment: Segment,
    segmented: FoundSegments,
    sample: SegmentSample,
    moments: NDArray[np.float64],
    datasets: Sequence[Dataset],
    where: Mapping[str, int],
    text: bool,
) -> SegmentReport:
    mine = segmented.segment_ids == segment_id
    halves = _windows(moments, 2)
    first, second = (Interval.of_share(share(mine[halves == window])) for window in (0, 1))
    windows = _windows(moments, _WINDOWS)
    return SegmentReport(
        segment.number,
        segment.name,
        segment.words,
        segment.number in segmented.carried,
        Interval.of_share(share(mine)),
        tuple(Interval.of_share(share(mine[windows == window])) for window in range(_WINDOWS)),
        first,
        second,
        tuple(served(each, _in_place(each, where, segment_id)) for each in datasets),
        _examples(mine, segmented.distances, sample, text),
    )


def _in_place(dataset: Dataset, where: Mapping[str, int], segment_id: int) -> Mask:
    return np.array([where.get(name) == segment_id for name in dataset.ids], np.bool_)


def _windows(moments: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """[N]: which of `count` equal spans of time each moment lies in."""
    start, span = moments.min(), max(float(np.ptp(moments)), 1e-9)
    return np.asarray(np.minimum((moments - start) / span * count, count - 1), np.int64)


def _examples(
    mine: Mask, distances: NDArray[np.float64], sample: SegmentSample, text: bool
) -> tuple[Example, ...]:
    rows = np.flatnonzero(mine)
    nearest = rows[np.argsort(distances[rows], kind="stable")][:_EXAMPLES]
    return tuple(Example(sample.ids[row], sample.texts[row] if text else None) for row in nearest)

"""Tickets of one batch, each by the rule of its own segment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.temperature import tempered
from streamer.decide.third_worker import decide_as_asked


@dataclass(frozen=True, slots=True)
class SegmentRoute:
    """How a segment is served: by some `workers`, by their indexes, under a rule over them.

    `temperatures` are theirs, in the same order; none leaves them raw. Without a rule the judge
    decides, and no worker is asked.
    """

    workers: tuple[int, ...]
    rule: DeferralRule | None
    temperatures: tuple[float, ...] = ()

    def accepted(self, worker_predictions: Sequence[Predictions]) -> LabelIds:
        """[N] of all workers' raw predictions: the label that stands without the judge, or -1."""
        if not self.temperatures:
            return self.decided(worker_predictions)
        warm = list(worker_predictions)
        for index, temperature in zip(self.workers, self.temperatures, strict=True):
            warm[index] = tempered(worker_predictions[index], temperature)
        return self.decided(warm)

    def decided(self, tempered_predictions: Sequence[Predictions]) -> LabelIds:
        """The same of predictions that are tempered already."""
        if self.rule is None:
            return np.full(len(tempered_predictions[0].label_ids), ABSTAINED)
        own = [tempered_predictions[index] for index in self.workers]
        return decide_as_asked(self.rule, own).label_ids


def accepted_by_segment(
    segment_ids: LabelIds,
    routes: Mapping[int, SegmentRoute],
    general: SegmentRoute,
    worker_predictions: Sequence[Predictions],
) -> LabelIds:
    """[N]: the label that stands without the judge, or -1.

    `segment_ids` [N] are the tickets'; one without a route of its own takes `general`, and so
    does a ticket of no segment.
    """
    label_ids = np.full(len(segment_ids), ABSTAINED)
    for segment_id in np.unique(segment_ids).tolist():
        rows = np.flatnonzero(segment_ids == segment_id)
        label_ids[rows] = routes.get(segment_id, general).accepted(
            [predictions[rows] for predictions in worker_predictions]
        )
    return label_ids

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
    """How a segment is served: by some `workers`, known by their places, under a rule over them.

    `temperatures` are theirs, in the same order; none leaves them raw. Without a rule the judge
    decides, and no worker is asked.
    """

    workers: tuple[int, ...]
    rule: DeferralRule | None
    temperatures: tuple[float, ...] = ()

    def accepted(self, worker_predictions: Sequence[Predictions]) -> LabelIds:
        """[N] of all workers' raw opinions: the label that stands without the judge, or -1."""
        if not self.temperatures:
            return self.decided(worker_predictions)
        warm = list(worker_predictions)
        for place, temperature in zip(self.workers, self.temperatures, strict=True):
            warm[place] = tempered(worker_predictions[place], temperature)
        return self.decided(warm)

    def decided(self, tempered_opinions: Sequence[Predictions]) -> LabelIds:
        """The same of opinions that are tempered already."""
        if self.rule is None:
            return np.full(len(tempered_opinions[0].label_ids), ABSTAINED)
        own = [tempered_opinions[place] for place in self.workers]
        return decide_as_asked(self.rule, own).label_ids


def accepted_by_segment(
    places: LabelIds,
    ways: Mapping[int, SegmentRoute],
    general: SegmentRoute,
    worker_predictions: Sequence[Predictions],
) -> LabelIds:
    """[N]: the label that stands without the judge, or -1.

    `places` [N] name each ticket's segment; one without a way of its own takes `general`, and so
    does a ticket of no segment.
    """
    label_ids = np.full(len(places), ABSTAINED)
    for place in np.unique(places).tolist():
        rows = np.flatnonzero(places == place)
        label_ids[rows] = ways.get(place, general).accepted(
            [predictions[rows] for predictions in worker_predictions]
        )
    return label_ids

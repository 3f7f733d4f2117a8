"""Tickets of one batch, each by the rule of its own segment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.before_judge import BeforeJudge
from streamer.decide.opinion import ABSTAINED, Codes, Opinion
from streamer.decide.temperature import tempered


@dataclass(frozen=True, slots=True)
class Way:
    """How a segment is served: by some `workers`, known by their places, under a rule over them.

    `temperatures` are theirs, in the same order; none leaves them raw. Without a rule the judge
    decides, and no worker is asked.
    """

    workers: tuple[int, ...]
    rule: BeforeJudge | None
    temperatures: tuple[float, ...] = ()

    def accepted(self, opinions: Sequence[Opinion]) -> Codes:
        """[N] of all workers' raw opinions: the label that stands without the judge, or -1."""
        if not self.temperatures:
            return self.decided(opinions)
        warm = list(opinions)
        for place, temperature in zip(self.workers, self.temperatures, strict=True):
            warm[place] = tempered(opinions[place], temperature)
        return self.decided(warm)

    def decided(self, tempered_opinions: Sequence[Opinion]) -> Codes:
        """The same of opinions that are tempered already."""
        if self.rule is None:
            return np.full(len(tempered_opinions[0].codes), ABSTAINED)
        return self.rule.decide([tempered_opinions[place] for place in self.workers]).codes


def accepted_by_segment(
    places: Codes, ways: Mapping[int, Way], general: Way, opinions: Sequence[Opinion]
) -> Codes:
    """[N]: the label that stands without the judge, or -1.

    `places` [N] name each ticket's segment; one without a way of its own takes `general`, and so
    does a ticket of no segment.
    """
    codes = np.full(len(places), ABSTAINED)
    for place in np.unique(places).tolist():
        rows = np.flatnonzero(places == place)
        codes[rows] = ways.get(place, general).accepted([opinion[rows] for opinion in opinions])
    return codes

"""What a user may ask of a calibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.measures.scores import Labels
from streamer.records.calibration import Wish

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class JudgeShareTarget:
    """At most this `share` of the tickets goes to the judge: an aim, met on average."""

    share: float

    def __post_init__(self) -> None:
        _within("the judge budget", self.share)

    @property
    def recorded(self) -> Wish:
        return Wish("judge rate", self.share)


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Of the tickets accepted without the judge, it would say the same on `at_least` this share."""

    at_least: float
    confidence: float

    def __post_init__(self) -> None:
        _within("the fidelity", self.at_least)
        _within("the confidence", self.confidence)

    @property
    def recorded(self) -> Wish:
        return Wish("fidelity", self.at_least, self.confidence)

    def outcomes(self, dataset: Dataset, accepted: Mask, published: Labels) -> tuple[Mask, Mask]:
        """Which of N tickets count under a setting, and which of them are right."""
        return accepted, accepted & (published == dataset.judge.label_ids)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of all tickets, `at_least` this share gets the right label, by workers or judge."""

    at_least: float
    confidence: float

    def __post_init__(self) -> None:
        _within("the accuracy", self.at_least)
        _within("the confidence", self.confidence)

    @property
    def recorded(self) -> Wish:
        return Wish("accuracy", self.at_least, self.confidence)

    def outcomes(self, dataset: Dataset, accepted: Mask, published: Labels) -> tuple[Mask, Mask]:
        """Which of N tickets count, those with a known truth, and which of them are right."""
        has_truth = dataset.gold != UNKNOWN
        return has_truth, has_truth & (published == dataset.gold)


@dataclass(frozen=True, slots=True)
class Margin:
    """By how much the published labels may be right less often than the judge's, as a share."""

    share: float
    confidence: float

    def __post_init__(self) -> None:
        _within("the margin", self.share)
        _within("the confidence", self.confidence)


def _within(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"{name} must lie between 0 and 1, not {value}: give a share, as 0.95")

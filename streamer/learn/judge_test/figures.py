"""What one variant of a judge is worth on labelled tickets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import Predictions
from streamer.decide.temperature import tempered
from streamer.learn.calibrate.temperature import Reliability
from streamer.learn.judge_test.variant import Answered, Price, Question, Variant
from streamer.learn.measures.confusion import Confusion, LabelFigures
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import share


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of tickets: the lowest, that of one in a hundred, and the median."""

    least: float
    hundredth: float
    median: float

    @classmethod
    def of(cls, coverage: NDArray[np.float64]) -> "Coverage":
        """Of at least one ticket."""
        low, middle = np.quantile(coverage, (0.01, 0.5)).tolist()
        return cls(float(coverage.min()), low, middle)


@dataclass(frozen=True, slots=True)
class PositionBias:
    """The largest less the smallest share of a label when the labels are listed in `orders` orders,
    of the one label where that is most, over `tickets`.
    """

    label: str
    value: float
    orders: int
    tickets: int

    @classmethod
    def of(cls, named: Sequence[Labels], labels: Sequence[str]) -> "PositionBias":
        """Label ids [N] for each order."""
        counts = np.stack([np.bincount(ids, minlength=len(labels)) for ids in named])
        spread = (counts.max(axis=0) - counts.min(axis=0)) / len(named[0])
        worst = int(spread.argmax())
        return cls(labels[worst], float(spread[worst]), len(named), len(named[0]))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one variant on N tickets.

    `before` and `after` say how far its probabilities can be believed without and with
    `temperature`, which was fitted to other tickets. `bias` is None where it was not asked in
    several orders.
    """

    variant: str
    accuracy: Interval
    by_label: tuple[LabelFigures, ...]
    confusion: Confusion
    coverage: Coverage
    temperature: float
    before: Reliability
    after: Reliability
    bias: PositionBias | None
    price: Price

    @classmethod
    def of(
        cls,
        variant: Variant,
        answered: Mapping[Question, Answered],
        gold: Labels,
        labels: Sequence[str],
        temperature: float,
        bias: PositionBias | None,
    ) -> "Figures":
        """`gold` [N] are label ids."""
        said = variant.predictions(answered)
        confusion = Confusion.of(said.label_ids, gold, labels)
        return cls(
            variant=str(variant),
            accuracy=Interval.of_share(share(said.label_ids == gold)),
            by_label=confusion.by_label,
            confusion=confusion,
            coverage=Coverage.of(variant.coverage(answered)),
            temperature=temperature,
            before=_reliability(said, 1.0, gold),
            after=_reliability(said, temperature, gold),
            bias=bias,
            price=variant.price(answered),
        )


def _reliability(said: Predictions, temperature: float, gold: Labels) -> Reliability:
    warm = tempered(said, temperature).probabilities
    assert warm is not None  # a judge always has them
    return Reliability.of(warm, gold)

"""Which labels are taken for which."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamer.learn.measures.interval import Interval
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Share


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label: the share that is found of the tickets that have it (`recall`), and the share
    that is right of those that got it (`precision`).
    """

    label: str
    recall: Interval
    precision: Interval


@dataclass(frozen=True, slots=True)
class Confusion:
    """`counts` [K][K]: tickets by true label, then by the label that they got."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, named: Labels, gold: Labels, labels: Sequence[str]) -> "Confusion":
        """Label ids [N] each, all of them known."""
        size = len(labels)
        flat = np.bincount(gold * size + named, minlength=size * size)
        return cls(tuple(labels), tuple(map(tuple, flat.reshape(size, size).tolist())))

    @property
    def by_label(self) -> tuple[LabelFigures, ...]:
        """In the order of the labels."""
        counts = np.array(self.counts)
        right = counts.diagonal().tolist()
        has, got = counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()
        return tuple(
            LabelFigures(
                label,
                Interval.of_share(Share(right[at], has[at])),
                Interval.of_share(Share(right[at], got[at])),
            )
            for at, label in enumerate(self.labels)
        )

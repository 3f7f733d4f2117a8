"""The one source of chance of the sample."""

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Choices derived from ``random.Random(seed).random()`` alone.

    Python promises the sequence of ``random()`` for a seed across versions, and of nothing else:
    ``choice``, ``shuffle`` and ``sample`` may change, and with them every committed ticket.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random() < probability

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count - 1``."""
        return int(self._random() * count)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[self.below(len(options))]

    def weighted(self, weights: Mapping[str, float]) -> str:
        """One of the keys, as likely as its weight among all weights."""
        left = self._random() * sum(weights.values())
        for key, weight in weights.items():
            left -= weight
            if left < 0:
                return key
        return list(weights)[-1]

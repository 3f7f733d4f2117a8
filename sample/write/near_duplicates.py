"""Keeps two tickets from saying nearly the same."""

import math
import re
from collections import Counter
from collections.abc import Iterable

_SPACE = re.compile(r"\s+")


class NearDuplicates:
    """Texts admitted so far; refuses one whose character 5-grams overlap an earlier one's.

    Short texts differ in few letters, so the same letters and digits in the same order are refused
    whatever the overlap is.

    The overlap is the Jaccard index of the two sets. Two sets that reach ``limit`` share one of
    the first ``n - ceil(limit * n) + 1`` grams of each in any fixed order, so only texts that share
    such a gram are compared. With the rarest first (learnt from ``typical`` texts, which changes
    the speed alone) few do: exact, and linear in practice.
    """

    def __init__(self, limit: float, typical: Iterable[str]) -> None:
        self._limit = limit
        self._frequency = Counter(gram for text in typical for gram in _grams(text))
        self._said: set[str] = set()
        self._grams: list[frozenset[str]] = []
        self._by_gram: dict[str, list[int]] = {}

    def admit(self, text: str) -> bool:
        """Remember the text and return True, or return False where an earlier one is too near."""
        said = "".join(letter for letter in text.lower() if letter.isalnum())
        grams = frozenset(_grams(text))
        prefix = self._prefix(grams)
        if said in self._said or self._is_near(grams, prefix):
            return False
        self._said.add(said)
        for gram in prefix:
            self._by_gram.setdefault(gram, []).append(len(self._grams))
        self._grams.append(grams)
        return True

    def _is_near(self, grams: frozenset[str], prefix: list[str]) -> bool:
        earlier = {place for gram in prefix for place in self._by_gram.get(gram, ())}
        return any(_jaccard(grams, self._grams[place]) >= self._limit for place in earlier)

    def _prefix(self, grams: frozenset[str]) -> list[str]:
        length = len(grams) - math.ceil(self._limit * len(grams)) + 1
        return sorted(grams, key=lambda gram: (self._frequency[gram], gram))[:length]


def _grams(text: str) -> set[str]:
    plain = _SPACE.sub(" ", text.lower()).strip()
    return {plain[start : start + 5] for start in range(max(1, len(plain) - 4))}


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)

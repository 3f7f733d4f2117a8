"""The words by which a segment is known."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from streamer.learn.measures.scores import Labels

_WORD = re.compile(r"[^\W\d_]{3,30}")
_CHARS = 8000
_LEAST = 5
"""Tickets of a segment that must have a word: what one person alone wrote names nothing."""


def typical_words(
    texts: Sequence[str], segment_ids: Labels, size: int, most: int = 8
) -> list[tuple[str, ...]]:
    """For each of `size` segments its words, the most typical first.

    A class-based TF-IDF that counts tickets and not occurrences: with the share s of the segment's
    tickets that have the word and the share a of all tickets, its weight is s log(s / a). So words
    that stand everywhere weigh nothing in any language, and no list of stop words is needed.
    """
    words_of = [set(_WORD.findall(text[:_CHARS].lower())) for text in texts]
    overall = Counter(word for words in words_of for word in words)
    return [
        _top(
            [words_of[row] for row in np.flatnonzero(segment_ids == segment_id)],
            overall,
            len(texts),
            most,
        )
        for segment_id in range(size)
    ]


def _top(
    mine: Sequence[set[str]], overall: Counter[str], tickets: int, most: int
) -> tuple[str, ...]:
    weights = {}
    for word, hits in Counter(word for words in mine for word in words).items():
        share, average = hits / len(mine), overall[word] / tickets
        if hits >= _LEAST and share > average:
            weights[word] = share * float(np.log(share / average))
    # Equal weights by the alphabet, so that the order of the tickets changes nothing.
    return tuple(sorted(weights, key=lambda word: (-weights[word], word))[:most])

"""TF-IDF rows over the buckets that training kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse

from streamer.backends.ngrams import BUCKETS, MAX_CHARS, Pairs

Extract = Callable[[Sequence[str]], Pairs]
Floats = npt.NDArray[np.float32]

_PORTION_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Features:
    """`extract` finds n-grams; `buckets` [V] are those that count, `idf` [V] their weights."""

    extract: Extract
    buckets: npt.NDArray[np.int32]
    idf: Floats
    _column: npt.NDArray[np.int32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        column = np.full(BUCKETS, -1, dtype=np.int32)
        column[self.buckets] = np.arange(len(self.buckets), dtype=np.int32)
        object.__setattr__(self, "_column", column)

    @classmethod
    def fit(cls, extract: Extract, texts: Sequence[str], *, min_texts: int) -> "Features":
        """Keep the buckets that occur in at least `min_texts` of the texts."""
        found_in = np.zeros(BUCKETS, dtype=np.int64)
        for part in _portions(texts):
            rows, buckets = extract(part)
            once = np.unique(rows * BUCKETS + buckets) % BUCKETS
            found_in += np.bincount(once, minlength=BUCKETS)
        kept = np.flatnonzero(found_in >= min_texts)
        idf = np.log((1 + len(texts)) / (1 + found_in[kept])) + 1
        return cls(extract, kept.astype(np.int32), idf.astype(np.float32))

    def rows(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """One row of length 1 for each text, float32 [N, V]; all zeros where nothing is known."""
        return self.known_rows(texts)[0]

    def known_rows(
        self, texts: Sequence[str], extra: int = 0
    ) -> tuple[scipy.sparse.csr_matrix, Floats]:
        """The same, and the share [N] of each text's n-grams that count; 0 of none.

        The last `extra` pairs of every text are no n-grams: they are no part of that share.
        """
        parts = [self._rows(part, extra) for part in _portions(texts)]
        if len(parts) == 1:
            return parts[0]
        rows, shares = zip(*parts, strict=True)
        return scipy.sparse.vstack(rows, format="csr"), np.concatenate(shares)

    def _rows(self, texts: Sequence[str], extra: int) -> tuple[scipy.sparse.csr_matrix, Floats]:
        rows, buckets = self.extract(texts)
        columns = self._column[buckets]
        known = columns >= 0
        matrix = scipy.sparse.csr_matrix(
            (np.ones(np.count_nonzero(known), np.float32), (rows[known], columns[known])),
            shape=(len(texts), len(self.buckets)),
        )
        matrix.sum_duplicates()
        matrix.data = (1 + np.log(matrix.data)) * self.idf[matrix.indices]
        row_of = np.repeat(np.arange(len(texts)), np.diff(matrix.indptr))
        lengths = np.sqrt(np.bincount(row_of, matrix.data**2, minlength=len(texts)))
        matrix.data /= lengths[row_of].astype(np.float32)
        grams = slice(len(rows) - extra * len(texts))
        totals = np.maximum(np.bincount(rows[grams], minlength=len(texts)), 1)
        shares = np.bincount(rows[grams][known[grams]], minlength=len(texts)) / totals
        return matrix, shares.astype(np.float32)


def _portions(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """All texts in their order, few enough at a time that their hashes stay below 100 MB."""
    first, chars = 0, 0
    for index, text in enumerate(texts):
        chars += min(len(text), MAX_CHARS)
        if chars > _PORTION_CHARS:
            yield texts[first : index + 1]
            first, chars = index + 1, 0
    if first < len(texts) or not texts:
        yield texts[first:]


def softmax(scores: Floats) -> Floats:
    """Row by row, [N, K]."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return shares

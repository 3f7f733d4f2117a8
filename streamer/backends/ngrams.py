"""Words, characters and word pieces of whole batches, hashed without a Python loop over tokens.

Each function turns N texts into pairs (row, bucket), buckets being numbers below `BUCKETS`.
Training and serving call the same functions, and nothing here depends on a random generator, a
locale or the order of a dictionary: a trained model means the same on every machine.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Pairs = tuple[Ids, Ids]
_Hashes = npt.NDArray[np.uint64]
_Bytes = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]

BUCKET_BITS = 20
BUCKETS = 1 << BUCKET_BITS
MAX_CHARS = 8_000
"""Text beyond this is not read: it bounds a batch's memory, and a ticket's topic stands early."""

_MAX_TOKEN = 64
_PREFIXES = (3, 4, 5)
_SUFFIX = 3
_STEM = 5
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def _scramble(values: _Hashes) -> _Hashes:
    """The finaliser of splitmix64: every input bit reaches every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


_BYTE_HASH: _Hashes = _scramble(np.arange(1, 257, dtype=np.uint64) * _MULTIPLIER)
_POWERS = np.multiply.accumulate(np.full(_MAX_TOKEN, _MULTIPLIER, dtype=np.uint64))
# Bytes above 127 are parts of letters far more often than of signs.
_IN_WORD: _Mask = np.array([b >= 128 or chr(b).isalnum() or chr(b) in "'_" for b in range(256)])
_IS_SPACE: _Mask = np.array([b <= 32 for b in range(256)])


def words(texts: Sequence[str]) -> Pairs:
    """Single tokens and pairs of neighbours, both also by the token's first letters alone."""
    data, rows = _flatten(texts)
    starts, hashes = _tokens(data)
    rows = rows[starts]
    together = rows[:-1] == rows[1:]
    pairs_by_kind = []
    for tokens, salt in ((hashes, 1), (_stems(data, starts, hashes), 30)):
        pairs = tokens[:-1] * _MULTIPLIER + tokens[1:]
        pairs_by_kind += [
            (rows, _buckets(tokens, salt)),
            (rows[:-1][together], _buckets(pairs[together], salt + 1)),
        ]
    return _joined(pairs_by_kind)


SHAPE_PAIRS = 2
"""The last pairs of `words_and_shape`, so many for each text: not words, but lines and length."""


def words_and_shape(texts: Sequence[str]) -> Pairs:
    """Tokens alone, at a fourth of the cost of `words`, and one more each for how many lines a text
    has and how long it is, in powers of two: enough to tell a kind of tickets.
    """
    data, rows = _flatten(texts)
    starts, hashes = _tokens(data)
    every = np.arange(len(texts))
    pairs = [(rows[starts], _buckets(hashes, 1))]
    sizes = ([text.count("\n") + 1 for text in texts], [len(text) + 1 for text in texts])
    for salt, values in enumerate(sizes, 40):  # SHAPE_PAIRS of them
        doublings = np.log2(np.array(values, np.float64)).astype(np.uint64)
        pairs.append((every, _buckets(doublings, salt)))
    return _joined(pairs)


def chars(texts: Sequence[str]) -> Pairs:
    """All runs of two to four bytes, across word boundaries too."""
    data, rows = _flatten(texts)
    pairs = []
    for length in (2, 3, 4):
        hashes = _windows(data, length)
        inside = rows[: len(hashes)] == rows[length - 1 :]
        pairs.append((rows[: len(hashes)][inside], _buckets(hashes[inside], length)))
    return _joined(pairs)


def pieces(texts: Sequence[str]) -> Pairs:
    """Tokens with the beginnings and endings of words, so that forms of a word and typos share."""
    data, rows = _flatten(texts)
    starts, hashes = _tokens(data)
    pairs = [(rows[starts], _buckets(hashes, 1))]
    ends = np.flatnonzero(_IN_WORD[data[:-1]] & ~_IN_WORD[data[1:]]) + 1
    outside = np.cumsum(np.append(0, ~_IN_WORD[data]))
    cuts = [(starts, length, 10 + length) for length in _PREFIXES]
    for positions, length, salt in [*cuts, (ends - _SUFFIX, _SUFFIX, 20)]:
        windows = _windows(data, length)
        positions = positions[(positions >= 0) & (positions < len(windows))]
        positions = positions[outside[positions + length] == outside[positions]]
        pairs.append((rows[positions], _buckets(windows[positions], salt)))
    return _joined(pairs)


def _flatten(texts: Sequence[str]) -> tuple[_Bytes, Ids]:
    """All texts as one run of bytes, a space around each, and the row that each byte is of."""
    cleaned = (f" {' '.join(text[:MAX_CHARS].lower().split())} " for text in texts)
    encoded = [text.encode("utf-8", "replace") for text in cleaned]
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return data, np.repeat(np.arange(len(encoded)), lengths)


def _tokens(data: _Bytes) -> tuple[Ids, _Hashes]:
    """Where tokens start and their hashes. A token is a word, or one sign: "?" says much."""
    word = _IN_WORD[data]
    first = ~_IS_SPACE[data]
    first[1:] &= ~(word[1:] & word[:-1])
    starts = np.flatnonzero(first)
    if not len(starts):
        return starts, np.empty(0, dtype=np.uint64)
    offset = np.arange(len(data)) - starts[np.maximum(np.cumsum(first) - 1, 0)]
    byte_hashes = _BYTE_HASH[data] * _POWERS[np.clip(offset, 0, _MAX_TOKEN - 1)]
    byte_hashes[_IS_SPACE[data]] = 0
    return starts, np.add.reduceat(byte_hashes, starts)


def _stems(data: _Bytes, starts: Ids, hashes: _Hashes) -> _Hashes:
    """The tokens with all letters after the first `_STEM` cut off; shorter ones as they are."""
    windows = _windows(data, _STEM)
    if not len(windows):
        return hashes
    outside = np.cumsum(np.append(0, ~_IN_WORD[data]))
    first = np.minimum(starts, len(windows) - 1)
    long = (first == starts) & (outside[first + _STEM] == outside[first])
    return np.where(long, windows[first], hashes)


def _windows(data: _Bytes, length: int) -> _Hashes:
    """A hash for every run of `length` bytes, by the offset of its first."""
    count = max(len(data) - length + 1, 0)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        hashes = hashes * _MULTIPLIER + _BYTE_HASH[data[offset : offset + count]]
    return hashes


def _buckets(hashes: _Hashes, salt: int) -> Ids:
    mixed = _scramble(hashes + np.uint64(salt))
    return (mixed >> np.uint64(64 - BUCKET_BITS)).astype(np.int64)


def _joined(pairs: list[Pairs]) -> Pairs:
    rows, buckets = zip(*pairs, strict=True)
    return np.concatenate(rows), np.concatenate(buckets)

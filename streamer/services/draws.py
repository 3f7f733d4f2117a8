"""Which tickets are drawn into a sample: by their ids alone, in every process alike, for ever."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from streamer.records.identities import mixed_words
from streamer.stream.partitioner import hashes

_BITS = 53


def drawn(ids: Sequence[str], salt: str, purpose: str, share: float) -> NDArray[np.bool_]:
    """[N]: whether each ticket is in the `share` (0 to 1) that is drawn for this purpose.

    Draws for two purposes are independent of each other, and so are those by two salts; whatever
    is drawn at one share is drawn at every greater one. Murmur2 of salt and id, mixed with the
    purpose by SplitMix64: what is drawn must never change, since logs of years rest on it.
    """
    if share <= 0 or share >= 1:
        return np.full(len(ids), share >= 1)
    salted = [f"{salt}\0{ticket_id}".encode() for ticket_id in ids]
    words = hashes(salted).astype(np.uint64) + np.uint64(_start(salt, purpose))
    return np.asarray((mixed_words(words) >> np.uint64(64 - _BITS)) < share * 2**_BITS)


@lru_cache(maxsize=64)
def _start(salt: str, purpose: str) -> int:
    """Where the purpose's sequence begins, 64 bits."""
    return int.from_bytes(blake2b(f"{purpose}\0{salt}".encode(), digest_size=8).digest())

"""Which tickets are drawn into a sample: by their ids alone, in every process alike, for ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from streamer.decide.vote_result import Mask, Rows
from streamer.records.identities import mixed_words
from streamer.records.murmur2 import hashes


@dataclass(frozen=True, slots=True)
class Sample:
    """Of N tickets, which were drawn by the hash of their ids, before any vote.

    `uniform` for the stratum on which all are asked, `verify` for a second look at a label that
    was published at once, `logged` for the log, `gold` for a person. `uniform` are logged too.
    """

    uniform: Mask
    verify: Mask
    logged: Mask
    gold: Mask

    @classmethod
    def none(cls, count: int) -> "Sample":
        """Of tickets that nothing was drawn for."""
        return cls(*(np.zeros(count, np.bool_) for _ in range(4)))

    def __getitem__(self, rows: Rows) -> "Sample":
        marks = (self.uniform, self.verify, self.logged, self.gold)
        return Sample(*(mark[rows] for mark in marks))


@dataclass(frozen=True, slots=True)
class Sampling:
    """The shares of tickets that are audited, logged, and shown to a person for the truth.

    What a person is asked about is audited too: an answer is of use only beside all the others.
    """

    salt: str
    audit: float = 0.0
    log: float = 0.0
    gold: float = 0.0

    def sample(self, ids: Sequence[str], verify: float) -> Sample:
        """What falls to these tickets [N], with the share `verify` to be verified."""
        gold = drawn(ids, self.salt, "gold", self.gold)
        uniform = gold | drawn(ids, self.salt, "audit", self.audit)
        return Sample(
            uniform=uniform,
            verify=drawn(ids, self.salt, "verify", verify),
            logged=uniform | drawn(ids, self.salt, "log", self.log),
            gold=gold,
        )


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

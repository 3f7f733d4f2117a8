"""The identities of many records at once: hashed one by one they cost a tenth of all the work."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from streamer.records.identity import (
    FIRST,
    GAMMA,
    SECOND,
    Location,
    TicketIdentity,
    seeds,
    task_hash,
)

Words = NDArray[np.uint64]

# At a low rate each ticket is a batch, and fewer than so many are hashed faster one by one.
FEW = 8


def digests(source: str, locations: Sequence[Location]) -> list[bytes]:
    """`TicketIdentity.digest` of N records; records of one partition mostly lie together."""
    if len(locations) < FEW:
        return [
            TicketIdentity(source, location.topic, location.partition, location.offset).digest
            for location in locations
        ]
    words: list[Words] = []
    for (topic, partition), run in groupby(locations, attrgetter("topic", "partition")):
        offsets = np.array([location.offset for location in run], np.uint64)
        start = np.array(seeds(source, topic, partition), np.uint64)
        words.append(start + (offsets * np.uint64(GAMMA))[:, None])
    return _pieces(mixed_words(np.concatenate(words)).astype(">u8").tobytes(), 16)


def trace_ids(hashes: Sequence[bytes]) -> list[str]:
    """`TicketIdentity.trace_id` of N digests."""
    if len(hashes) < FEW:
        return [f"{int.from_bytes(digest) | 1:032x}" for digest in hashes]
    words = _words(hashes)
    words[:, 1] |= np.uint64(1)
    text = words.astype(">u8").tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


def decision_ids(hashes: Sequence[bytes], task: str) -> list[bytes]:
    """`TicketIdentity.decision_id` of N digests, as ASCII."""
    if len(hashes) < FEW:
        return [b"%032x" % (int.from_bytes(digest) ^ task_hash(task)) for digest in hashes]
    mine = np.frombuffer(task_hash(task).to_bytes(16), ">u8").astype(np.uint64)
    return _pieces((_words(hashes) ^ mine).astype(">u8").tobytes().hex().encode(), 32)


def mixed_words(words: Words) -> Words:
    """`streamer.records.identity.mixed` of each of these words."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(FIRST)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(SECOND)
    return words ^ (words >> np.uint64(31))


def _words(hashes: Sequence[bytes]) -> Words:
    return np.frombuffer(b"".join(hashes), ">u8").astype(np.uint64).reshape(-1, 2)


def _pieces(whole: bytes, size: int) -> list[bytes]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]

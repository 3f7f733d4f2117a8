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


def digests(source: str, places: Sequence[Location]) -> list[bytes]:
    """`TicketIdentity.digest` of N records; records of one partition mostly lie together."""
    if len(places) < FEW:
        return [
            TicketIdentity(source, place.topic, place.partition, place.offset).digest
            for place in places
        ]
    found: list[Words] = []
    for (topic, partition), run in groupby(places, attrgetter("topic", "partition")):
        offsets = np.array([place.offset for place in run], np.uint64)
        start = np.array(seeds(source, topic, partition), np.uint64)
        found.append(start + (offsets * np.uint64(GAMMA))[:, None])
    return _pieces(mixed_words(np.concatenate(found)).astype(">u8").tobytes(), 16)


def trace_ids(known: Sequence[bytes]) -> list[str]:
    """`TicketIdentity.trace_id` of N digests."""
    if len(known) < FEW:
        return [f"{int.from_bytes(digest) | 1:032x}" for digest in known]
    words = _words(known)
    words[:, 1] |= np.uint64(1)
    text = words.astype(">u8").tobytes().hex()
    return [text[at : at + 32] for at in range(0, len(text), 32)]


def decision_ids(known: Sequence[bytes], task: str) -> list[bytes]:
    """`TicketIdentity.decision_id` of N digests, as ASCII."""
    if len(known) < FEW:
        return [b"%032x" % (int.from_bytes(digest) ^ task_hash(task)) for digest in known]
    mine = np.frombuffer(task_hash(task).to_bytes(16), ">u8").astype(np.uint64)
    return _pieces((_words(known) ^ mine).astype(">u8").tobytes().hex().encode(), 32)


def mixed_words(words: Words) -> Words:
    """`streamer.records.identity.mixed` of each of these words."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(FIRST)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(SECOND)
    return words ^ (words >> np.uint64(31))


def _words(known: Sequence[bytes]) -> Words:
    return np.frombuffer(b"".join(known), ">u8").astype(np.uint64).reshape(-1, 2)


def _pieces(whole: bytes, size: int) -> list[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]

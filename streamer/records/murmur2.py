"""Kafka's hash of many keys at once."""

from collections.abc import Sequence

import numpy as np
from aiokafka.partitioner import murmur2 as scalar_murmur2
from numpy.typing import NDArray

SEED = np.uint32(0x9747B28C)


MIX = np.uint32(0x5BD1E995)


LONG = 256


FEW = 12


def hashes(keys: Sequence[bytes]) -> NDArray[np.uint32]:
    """`murmur2` of every key, of any number and length."""
    if len(keys) < FEW:
        return np.array([scalar_murmur2(key) & 0xFFFFFFFF for key in keys], np.uint32)
    hashed = murmur2([key if len(key) <= LONG else b"" for key in keys])
    # One by one: all keys are padded to the longest, and one of megabytes would be multiplied.
    for index, key in enumerate(keys):
        if len(key) > LONG:
            hashed[index] = scalar_murmur2(key) & 0xFFFFFFFF
    return hashed


def murmur2(keys: Sequence[bytes]) -> NDArray[np.uint32]:
    """Kafka's murmur2 of every key, of shape [len(keys)] (Austin Appleby's MurmurHash2, 32 bit)."""
    size = np.fromiter(map(len, keys), np.int64, len(keys))
    width = (int(size.max(initial=0)) // 4 + 1) * 4
    padded = b"".join([key.ljust(width, b"\0") for key in keys])
    words = np.frombuffer(padded, "<u4").reshape(len(keys), width // 4)
    whole = size // 4
    h = SEED ^ size.astype(np.uint32)
    for column in range(int(whole.max(initial=0))):
        k = words[:, column] * MIX
        k = (k ^ (k >> np.uint32(24))) * MIX
        h = np.where(column < whole, (h * MIX) ^ k, h)
    tail = words[np.arange(len(keys)), whole]
    h = np.where(size % 4 > 0, (h ^ tail) * MIX, h)
    h = (h ^ (h >> np.uint32(13))) * MIX
    return np.asarray(h ^ (h >> np.uint32(15)), np.uint32)

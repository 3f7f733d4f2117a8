"""Kafka's standard partitioner for a whole batch of keys at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.records.murmur2 import hashes


def partitions(keys: Sequence[bytes], count: int) -> NDArray[np.int64]:
    """Partition of every key, of shape [len(keys)], as Java's default partitioner has it.

    Vectorised because the scalar hash in Python costs more than all else that is done per label;
    but a few keys are hashed faster one by one.
    """
    return (hashes(keys) & np.uint32(0x7FFFFFFF)).astype(np.int64) % count

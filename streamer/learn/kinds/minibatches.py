"""Portions of the training rows, each row once per epoch."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

BATCH = 128


def batch_count(rows: int, epochs: int) -> int:
    """How many `minibatches` will give."""
    return epochs * -(-rows // BATCH)


def minibatches(
    rows: int, epochs: int, random: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """The rows, in an order that is drawn anew for every epoch."""
    for _ in range(epochs):
        order = random.permutation(rows)
        for start in range(0, rows, BATCH):
            yield order[start : start + BATCH]

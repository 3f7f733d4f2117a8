"""The shape of tickets beside what they are about: their lines and their length."""

from collections.abc import Sequence

import numpy as np

from streamer.learn.segments.nearest import Embeddings

_LINE = 0.9
"""What a doubling of the lines counts, in the embeddings' units (we choose): as much as a topic."""

_LENGTH = 0.1
"""What a doubling of the characters counts (we choose)."""

_MOST = 4
"""Doublings of the lines that are told apart."""


def with_shape(embeddings: Embeddings, texts: Sequence[str]) -> Embeddings:
    """[N, D + 2] of embeddings [N, D]: two coordinates more, for lines and for length.

    An encoder says what a ticket is about, and hardly whether it is one message, a mail thread or a
    pair of messages, though workers differ there too.
    """
    lines = np.array([text.count("\n") + 1 for text in texts], np.float64)
    length = np.array([len(text) + 1 for text in texts], np.float64)
    shape = np.stack([_LINE * np.minimum(np.log2(lines), _MOST), _LENGTH * np.log2(length)], axis=1)
    return np.concatenate([embeddings, shape.astype(np.float32)], axis=1)

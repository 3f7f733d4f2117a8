"""What a trained worker is to those that serve it."""

from collections.abc import Sequence
from typing import Protocol

from streamer.backends.features import Floats


class Model(Protocol):
    """A trained worker."""

    @property
    def size(self) -> int:
        """How many labels it knows."""

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1."""

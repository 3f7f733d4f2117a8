"""A linear head over a sentence encoder: the encoder worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamer.backends.artefact import load_arrays
from streamer.backends.features import Floats, softmax
from streamer.backends.sentence_encoder import SentenceEncoder
from streamer.errors import ModelError

ARRAYS = ("weights", "bias")


class Embeds(Protocol):
    """Turns texts into embeddings [N, D]."""

    def embeddings(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """`weights` [D, K] and `bias` [K] score the labels in their order."""

    encoder: Embeds
    weights: Floats
    bias: Floats

    @property
    def size(self) -> int:
        return len(self.bias)

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1."""
        return softmax(self.encoder.embeddings(texts) @ self.weights + self.bias)

    @classmethod
    def load(cls, folder: Path) -> "EncoderModel":
        """Raises ModelError where a file is missing or damaged, or one doesn't fit the other."""
        encoder = SentenceEncoder.load(folder)
        weights, bias = load_arrays(folder, ARRAYS).values()
        if weights.shape != (encoder.dimensions, len(bias)):
            raise ModelError(f"{folder}: its head is of another encoder; train this worker again")
        return cls(encoder, weights, bias)

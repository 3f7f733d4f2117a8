"""Averaged embeddings of word pieces under one hidden layer: the subword worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.backends.artefact import load_arrays, save_arrays
from streamer.backends.features import Extract, Features, Floats, softmax

_ARRAYS = ("buckets", "idf", "embeddings", "shift", "weights", "bias")


@dataclass(frozen=True, slots=True)
class NetModel:
    """`embeddings` [V, H] and `shift` [H] below a ReLU, `weights` [H, K] and `bias` [K] above."""

    features: Features
    embeddings: Floats
    shift: Floats
    weights: Floats
    bias: Floats

    @property
    def size(self) -> int:
        return len(self.bias)

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1."""
        hidden = np.maximum(self.features.rows(texts) @ self.embeddings + self.shift, 0)
        return softmax(hidden @ self.weights + self.bias)

    def save(self, folder: Path) -> None:
        f = self.features
        arrays = (f.buckets, f.idf, self.embeddings, self.shift, self.weights, self.bias)
        save_arrays(folder, dict(zip(_ARRAYS, arrays, strict=True)))

    @classmethod
    def load(cls, folder: Path, extract: Extract) -> "NetModel":
        """Raises ModelError where the file is missing, damaged or not ours."""
        buckets, idf, *layers = load_arrays(folder, _ARRAYS).values()
        return cls(Features(extract, buckets, idf), *layers)

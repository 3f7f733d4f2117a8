"""A linear classifier over n-grams: the word and the character worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.backends.artefact import load_arrays, save_arrays
from streamer.backends.features import Extract, Features, Floats, softmax


@dataclass(frozen=True, slots=True)
class LinearModel:
    """`weights` [V, K] and `bias` [K] score the labels in their order."""

    features: Features
    weights: Floats
    bias: Floats

    @property
    def size(self) -> int:
        return len(self.bias)

    def scores(self, texts: Sequence[str]) -> Floats:
        """Log-odds of each label against the others, [N, K]."""
        scores: Floats = self.features.rows(texts) @ self.weights + self.bias
        return scores

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1."""
        return softmax(self.scores(texts))

    def save(self, folder: Path) -> None:
        arrays = {"buckets": self.features.buckets, "idf": self.features.idf}
        save_arrays(folder, {**arrays, "weights": self.weights, "bias": self.bias})

    @classmethod
    def load(cls, folder: Path, extract: Extract) -> "LinearModel":
        """Raises ModelError where the file is missing, damaged or not ours."""
        a = load_arrays(folder, ("buckets", "idf", "weights", "bias"))
        return cls(Features(extract, a["buckets"], a["idf"]), a["weights"], a["bias"])

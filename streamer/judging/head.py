"""The linear head of one task: from embeddings to calibrated probabilities."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, in_words
from streamer.records.labelset import LabelSet

Matrix = NDArray[np.float32]

_FILE = "head.npz"


@dataclass(frozen=True, slots=True)
class Head:
    """Weights [D, K], bias [K] and temperature over the embeddings of one encoder.

    `encoder` is that encoder's digest; `version` is the folder it was loaded from.
    """

    label_set: LabelSet
    encoder: str
    weights: Matrix
    bias: Matrix
    temperature: float
    version: str = "0"

    def probabilities(self, embeddings: Matrix) -> Matrix:
        """float32 [N, K] from float32 [N, D]; rows sum to 1."""
        logits = (embeddings @ self.weights + self.bias) / np.float32(self.temperature)
        powers: Matrix = np.exp(logits - logits.max(axis=1, keepdims=True))
        powers /= powers.sum(axis=1, keepdims=True)
        return powers

    def save(self, folder: Path) -> None:
        """Write head.npz, which holds all but the version."""
        np.savez(
            folder / _FILE,
            weights=self.weights,
            bias=self.bias,
            temperature=np.float64(self.temperature),
            labels=np.array(self.label_set.labels),
            encoder=np.array(self.encoder),
        )

    @classmethod
    def load(cls, folder: Path) -> "Head":
        """Raises `ConfigError` when the folder holds no sound head."""
        try:
            with np.load(folder / _FILE, allow_pickle=False) as arrays:
                head = cls(
                    label_set=LabelSet(tuple(arrays["labels"].tolist())),
                    encoder=str(arrays["encoder"]),
                    weights=arrays["weights"],
                    bias=arrays["bias"],
                    temperature=float(arrays["temperature"]),
                    version=folder.name,
                )
            _check(head)
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise ConfigError(
                f"{folder} holds no usable head of a judge ({in_words(error)}); train it again"
            ) from error
        return head


def _check(head: Head) -> None:
    size = len(head.label_set)
    if head.weights.ndim != 2 or head.weights.shape[1] != size or head.bias.shape != (size,):
        raise ValueError(f"shapes {head.weights.shape} and {head.bias.shape} for {size} labels")
    if not (np.isfinite(head.weights).all() and np.isfinite(head.bias).all()):
        raise ValueError("weights are not finite")
    if not 0 < head.temperature < float("inf"):
        raise ValueError("temperature is not positive")

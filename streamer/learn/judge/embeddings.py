"""Embeddings of many texts at once, as the engine makes them one by one, kept on disk."""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.judging.classifier.embedding import Embedding, Progress
from streamer.judging.classifier.encoder import Encoder


class Embeddings:
    """Texts that were embedded before come from `cache`."""

    def __init__(self, encoder: Encoder, cache: Path) -> None:
        self._encoder = encoder
        self._cache = cache

    def of(self, texts: Sequence[str], progress: Progress) -> NDArray[np.float32]:
        """float32 [N, dimensions] for N texts."""
        path = self.path(texts)
        if path.exists():
            progress(len(texts), len(texts))
            kept: NDArray[np.float32] = np.load(path, allow_pickle=False)
            return kept
        embeddings = Embedding(self._encoder).of(texts, progress)
        self._cache.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{os.getpid()}.{path.name}")
        np.save(draft, embeddings)
        draft.replace(path)
        return embeddings

    def path(self, texts: Sequence[str]) -> Path:
        """The file that keeps the embeddings of these texts, once they are made."""
        return self._cache / f"{self._key(texts)}.npy"

    def _key(self, texts: Sequence[str]) -> str:
        return sha256(orjson.dumps([self._encoder.digest, list(texts)])).hexdigest()[:32]

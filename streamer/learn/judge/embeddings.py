"""Embeddings of many texts at once, as the engine makes them one by one, kept on disk."""

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.tokens import TicketTokenizer

Progress = Callable[[int, int], None]
"""Called with how many texts are embedded, and how many there are."""

_BATCH = 64


class Embeddings:
    """Embeds with PyTorch in float32; texts that were embedded before come from `cache`."""

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
        embeddings = self._encoder.normalised(self._pooled(texts, progress))
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

    def _pooled(self, texts: Sequence[str], progress: Progress) -> NDArray[np.float32]:
        # Loaded only when there is something to embed: it takes seconds.
        import torch
        from transformers import AutoModel

        model = AutoModel.from_pretrained(self._encoder.folder, local_files_only=True).eval()
        rows = [ticket.ids for ticket in TicketTokenizer(self._encoder).encode(texts)]
        # Equal lengths together: padding would be most of the work.
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        pooled = np.empty((len(rows), self._encoder.dimensions), np.float32)
        for first in range(0, len(order), _BATCH):
            chosen = order[first : first + _BATCH]
            ids, mask = _padded([rows[i] for i in chosen])
            with torch.inference_mode():
                states = model(
                    torch.from_numpy(ids),
                    attention_mask=torch.from_numpy(mask),
                    output_hidden_states=True,
                ).hidden_states
            kept = torch.cat([states[layer] for layer in self._encoder.layers], dim=-1).numpy()
            weights = mask[..., None].astype(np.float32)
            pooled[chosen] = (kept * weights).sum(axis=1) / weights.sum(axis=1)
            progress(first + len(chosen), len(order))
        return pooled


def _padded(rows: Sequence[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask

"""Embeddings by the sentence encoder, without an engine of its own."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.tokens import TicketTokenizer

Progress = Callable[[int, int], None]
"""Called with how many texts are embedded, and how many there are."""

_BATCH = 64


class Embedding:
    """Embeds with PyTorch in float32, as the engine does one by one."""

    def __init__(self, encoder: Encoder) -> None:
        # Loaded only when there is something to embed: it takes seconds.
        from transformers import AutoModel

        self._encoder = encoder
        self._tokenizer = TicketTokenizer(encoder)
        self._model = AutoModel.from_pretrained(encoder.folder, local_files_only=True).eval()

    def of(
        self, texts: Sequence[str], progress: Progress = lambda done, total: None
    ) -> NDArray[np.float32]:
        """float32 [N, dimensions] for N texts."""
        import torch

        rows = [ticket.ids for ticket in self._tokenizer.encode(texts)]
        # Equal lengths together: padding would be most of the work.
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        pooled = np.empty((len(rows), self._encoder.dimensions), np.float32)
        for first in range(0, len(order), _BATCH):
            chosen = order[first : first + _BATCH]
            ids, mask = _padded([rows[i] for i in chosen])
            with torch.inference_mode():
                states = self._model(
                    torch.from_numpy(ids),
                    attention_mask=torch.from_numpy(mask),
                    output_hidden_states=True,
                ).hidden_states
            kept = torch.cat([states[layer] for layer in self._encoder.layers], dim=-1).numpy()
            weights = mask[..., None].astype(np.float32)
            pooled[chosen] = (kept * weights).sum(axis=1) / weights.sum(axis=1)
            progress(first + len(chosen), len(order))
        return self._encoder.normalised(pooled)


def _padded(rows: Sequence[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask

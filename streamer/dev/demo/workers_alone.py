"""Asks every worker for every ticket: what each alone would say, and what it costs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.predictions import Predictions
from streamer.learn.measures.scores import Labels
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor

_BATCH = 256
_DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Alone:
    """One worker: `label_ids` [N], label indices or -1; `cost` in seconds per ticket."""

    label_ids: Labels
    cost: float


async def ask_alone(url: str, models: Sequence[str], texts: Sequence[str]) -> Mapping[str, Alone]:
    """Ask the models one after the other, each warm, in batches. Raises what Triton raises."""
    raw = [text.encode("utf-8", "replace") for text in texts]
    batches = [TextTensor(raw[start : start + _BATCH]) for start in range(0, len(raw), _BATCH)]
    client = TritonClient(url)
    try:
        return {model: await _one(client, model, batches) for model in models}
    finally:
        await client.close()


async def _one(client: TritonClient, model: str, batches: Sequence[TextTensor]) -> Alone:
    await client.infer(model, batches[0], _DEADLINE_S)
    began = time.monotonic()
    answers = [await client.infer(model, batch, _DEADLINE_S) for batch in batches]
    seconds = time.monotonic() - began
    label_ids = np.concatenate([Predictions.of(probs).label_ids for _, probs in answers])
    return Alone(label_ids, seconds / len(label_ids))

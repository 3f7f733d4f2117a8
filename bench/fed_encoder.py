"""The encoder as it is fed: a head for the judge service, and offline vLLM on the same tickets."""

import os
import time
from pathlib import Path

import numpy as np

from bench.asked import LABELS, TASK, text
from streamer.judging.classifier.embedder import Embedder
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Head
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.tokens import TicketTokenizer


def prepare(folder: Path) -> None:
    """A head with random weights: what it says costs the same."""
    encoder = Encoder.packaged()
    draw = np.random.default_rng(1)
    weights = draw.normal(size=(encoder.dimensions, len(LABELS))).astype(np.float32)
    place = folder / TASK / "1"
    place.mkdir(parents=True)
    bias = np.zeros(len(LABELS), np.float32)
    Head(LABELS, encoder.digest, weights, bias, temperature=1.0).save(place)


def offline(folder: Path, count: int) -> dict[str, float]:
    """Seconds for all prompts given to vLLM at once, and their tokens; loading is left out."""
    settings, encoder = EngineSettings(), Encoder.packaged()
    os.environ.update(settings.environment())
    from vllm import LLM, PoolingParams

    arguments = Embedder.arguments(encoder, settings)
    del arguments["enable_log_requests"]
    # vLLM's class for offline use wants a tokenizer, which token ids don't go through.
    engine = LLM(**arguments | {"skip_tokenizer_init": False})
    tickets = TicketTokenizer(encoder).encode([text(number) for number in range(count)])
    prompts = [{"prompt_token_ids": ticket.ids} for ticket in tickets]
    params = PoolingParams(task="embed", use_activation=False)
    engine.encode(prompts[:256], params, pooling_task="embed", use_tqdm=False)
    began = time.perf_counter()
    engine.encode(prompts, params, pooling_task="embed", use_tqdm=False)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "tokens": sum(len(ticket.ids) for ticket in tickets)}

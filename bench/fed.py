"""The two sides of `feeding`, each a process of the judge's environment."""

import argparse
import asyncio
import os
import time
from pathlib import Path

import numpy as np
import orjson

from bench.asked import LABELS, TASK, text
from streamer.config import load
from streamer.judging.encoder import Encoder
from streamer.judging.head import Head
from streamer.judging.settings import EngineSettings
from streamer.judging.tokens import TicketTokenizer
from streamer.services.judge import serve


def offline(count: int) -> dict[str, float]:
    """Seconds for all prompts given to vLLM at once, and their tokens; loading is left out."""
    settings, encoder = EngineSettings(), Encoder.packaged()
    os.environ.update(settings.environment())
    from vllm import LLM, PoolingParams

    arguments = settings.encoder_arguments(encoder)
    del arguments["enable_log_requests"]
    # vLLM's class for offline use wants a tokenizer, which token ids don't go through.
    engine = LLM(**arguments | {"skip_tokenizer_init": False})
    prompts = [
        {"prompt_token_ids": ticket.ids}
        for ticket in TicketTokenizer(encoder).encode([text(number) for number in range(count)])
    ]
    params = PoolingParams(task="embed", use_activation=False)
    engine.encode(prompts[:256], params, pooling_task="embed", use_tqdm=False)
    began = time.perf_counter()
    engine.encode(prompts, params, pooling_task="embed", use_tqdm=False)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "tokens": sum(len(one["prompt_token_ids"]) for one in prompts)}


def write_head(folder: Path) -> None:
    """A head with random weights: what it says costs the same."""
    encoder = Encoder.packaged()
    draw = np.random.default_rng(1)
    weights = draw.normal(size=(encoder.dimensions, len(LABELS))).astype(np.float32)
    place = folder / TASK / "1"
    place.mkdir(parents=True)
    bias = np.zeros(len(LABELS), np.float32)
    Head(LABELS, encoder.digest, weights, bias, temperature=1.0).save(place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["offline", "head", "serve"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--count", type=int, default=0)
    given = parser.parse_args()
    if given.side == "offline":
        given.path.write_bytes(orjson.dumps(offline(given.count)))
    elif given.side == "head":
        write_head(given.path)
    else:
        asyncio.run(serve(load(given.path), asyncio.Event()))


if __name__ == "__main__":
    main()

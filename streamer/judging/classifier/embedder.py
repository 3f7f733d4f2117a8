"""One vLLM engine that embeds token ids."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.pooling import pooled
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.judge import Headers


class Embedder:
    """Embeds tickets on its `engine`; of `stalled_after` and failures see `WatchedEngine`."""

    def __init__(
        self,
        encoder: Encoder,
        settings: EngineSettings | None = None,
        *,
        stalled_after: float = 120.0,
        look_every: float = 0.5,
    ) -> None:
        settings = settings or EngineSettings()
        self._encoder = encoder
        self.engine = WatchedEngine(
            settings,
            lambda: self.arguments(encoder, settings),
            stalled_after=stalled_after,
            look_every=look_every,
        )

    @staticmethod
    def arguments(encoder: Encoder, settings: EngineSettings) -> dict[str, Any]:
        """Arguments of `AsyncEngineArgs`."""
        return settings.pooling_arguments(encoder.folder, encoder.max_tokens) | {
            "hf_overrides": {"architectures": ["LayeredBert"], "kept_layers": encoder.layers},
        }

    async def embed(
        self,
        tickets: Sequence[list[int]],
        trace_headers: Headers = None,
    ) -> NDArray[np.float32]:
        """float32 [N, dimensions] for N tickets given as token ids. Raises `EngineDead`."""
        headers = self.engine.headers(trace_headers, len(tickets))
        asks = [
            (len(ids), partial(pooled, "embed", ids, header))
            for ids, header in zip(tickets, headers, strict=True)
        ]
        vectors = await self.engine.answers(asks)
        if not vectors:
            return np.empty((0, self._encoder.dimensions), np.float32)
        return self._encoder.normalised(np.stack(vectors))

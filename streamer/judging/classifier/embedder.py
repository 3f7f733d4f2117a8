"""One vLLM engine that embeds token ids."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.watched_engine import WatchedEngine

if TYPE_CHECKING:
    from vllm import PoolingParams
    from vllm.v1.engine.async_llm import AsyncLLM


class Embedder:
    """Embeds tickets; `stalled_after` and all that is said of failures as in `WatchedEngine`."""

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
        self._engine = WatchedEngine(
            settings,
            lambda: settings.encoder_arguments(encoder),
            stalled_after=stalled_after,
            look_every=look_every,
        )

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The engine's child processes."""
        return self._engine.process_ids

    @property
    def full(self) -> bool:
        """See `WatchedEngine.full`."""
        return self._engine.full

    async def start(self) -> None:
        """Load the engine; raises `EngineDead` when it does not come up."""
        await self._engine.start()

    async def embed(
        self,
        tickets: Sequence[list[int]],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> NDArray[np.float32]:
        """float32 [N, dimensions] for N tickets given as token ids. Raises `EngineDead`."""
        headers = self._engine.headers(trace_headers, len(tickets))
        asks = [
            (len(ids), partial(_ask, ids, header))
            for ids, header in zip(tickets, headers, strict=True)
        ]
        vectors = await self._engine.answers(asks)
        if not vectors:
            return np.empty((0, self._encoder.dimensions), np.float32)
        return self._encoder.normalised(np.stack(vectors))

    async def healthy(self) -> None:
        """Raises `EngineDead` when the engine died, stalled, or was never started."""
        await self._engine.healthy()

    async def stop(self) -> None:
        """End the engine's processes; calls that still wait get `EngineDead`."""
        await self._engine.stop()


async def _ask(
    ids: list[int], headers: Mapping[str, str] | None, engine: "AsyncLLM", number: str
) -> AsyncGenerator[NDArray[np.float32], None]:
    prompt: Any = {"type": "token", "prompt_token_ids": ids}
    async for answer in engine.encode(prompt, _embedding(), number, trace_headers=headers):
        yield answer.outputs.data.float().numpy()


@cache
def _embedding() -> "PoolingParams":
    from vllm import PoolingParams

    return PoolingParams(task="embed", use_activation=False)

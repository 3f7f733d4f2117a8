"""One request to a model that reads a ticket and writes nothing."""

from collections.abc import AsyncGenerator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from streamer.judging.usage import took

if TYPE_CHECKING:
    from vllm import PoolingParams
    from vllm.v1.engine.async_llm import AsyncLLM

Pooling = Literal["embed", "classify"]


async def pooled(
    task: Pooling,
    ids: list[int],
    headers: Mapping[str, str] | None,
    engine: "AsyncLLM",
    number: str,
) -> AsyncGenerator[NDArray[np.float32], None]:
    """float32 [dimensions] or [labels] for the token ids of a ticket; in part an `Ask`."""
    prompt: Any = {"type": "token", "prompt_token_ids": ids}
    async for answer in engine.encode(prompt, _params(task), number, trace_headers=headers):
        took(len(ids), answer.num_cached_tokens or 0)
        yield answer.outputs.data.float().numpy()


@cache
def _params(task: Pooling) -> "PoolingParams":
    from vllm import PoolingParams

    # Logits as they are: what a model's config has done to them is not always a softmax.
    return PoolingParams(task=task, use_activation=False)

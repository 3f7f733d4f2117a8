"""Settings of the vLLM engine, each on purpose."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streamer.judging.encoder import Encoder

Precision = Literal["bfloat16", "float32"]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the engine runs.

    `precision` None takes bfloat16 where the processor computes in it, else float32. `threads`
    None takes every core the process may use. `max_sequences` tickets and `max_batch_tokens`
    tokens go through the encoder in one step. `traces_endpoint` (OTLP over HTTP, the whole
    address) makes the engine export its own spans for requests with a sampled trace header.
    """

    precision: Precision | None = None
    threads: int | None = None
    max_sequences: int = 128
    max_batch_tokens: int = 4096
    traces_endpoint: str | None = None

    @property
    def tokens_in_flight(self) -> int:
        """How many tokens the engine is given at once: one step's, and the next one's waiting."""
        return 2 * self.max_batch_tokens

    def environment(self) -> dict[str, str]:
        """Variables that must stand before vLLM is imported; its processes inherit them."""
        return {
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "VLLM_PLUGINS": "streamer",
            # The engine's own rendezvous would otherwise listen on the machine's address.
            "VLLM_HOST_IP": "127.0.0.1",
            "VLLM_LOOPBACK_IP": "127.0.0.1",
            # stdout belongs to the command; and below WARNING vLLM may log requests.
            "VLLM_LOGGING_STREAM": "ext://sys.stderr",
            "VLLM_LOGGING_LEVEL": os.environ.get("VLLM_LOGGING_LEVEL", "ERROR"),
            # An encoder keeps no KV cache; the default would reserve gigabytes for one.
            "VLLM_CPU_KVCACHE_SPACE": "1",
            # One engine process that computes itself: with the default, a second one does, and
            # each step crosses both. On the CPU, this variable decides that.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            # vLLM's own binding keeps one core free: half of a two-core machine.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(self.threads or len(os.sched_getaffinity(0))),
            # Tokenising is a small part; its threads would only fight with the engine's.
            "TOKENIZERS_PARALLELISM": "false",
            **self._tracing(),
        }

    def _tracing(self) -> dict[str, str]:
        if self.traces_endpoint is None:
            return {}
        return {
            # vLLM's default is gRPC, and its service would have no name.
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            "OTEL_SERVICE_NAME": os.environ.get("OTEL_SERVICE_NAME", "vllm"),
        }

    def arguments(self, encoder: Encoder) -> dict[str, Any]:
        """Arguments of `AsyncEngineArgs`."""
        return {
            "model": str(encoder.folder),
            "served_model_name": encoder.folder.name,
            "runner": "pooling",
            "hf_overrides": {"architectures": ["LayeredBert"], "kept_layers": encoder.layers},
            "dtype": self.precision or best_precision(),
            "max_model_len": encoder.max_tokens,
            "max_num_seqs": self.max_sequences,
            "max_num_batched_tokens": self.max_batch_tokens,
            # Token ids go in: the engine needs no tokenizer.
            "skip_tokenizer_init": True,
            # Attention goes both ways here: no prefix can be reused, no prompt cut in chunks.
            "enable_prefix_caching": False,
            "enable_chunked_prefill": False,
            # Compiling costs a minute per start and gains little on six small layers.
            "enforce_eager": True,
            "distributed_executor_backend": "uni",
            # A span is written from these: without them, the first one would end the engine.
            "disable_log_stats": self.traces_endpoint is None,
            "enable_log_requests": False,
            "otlp_traces_endpoint": self.traces_endpoint,
        }


def best_precision() -> Precision:
    """bfloat16 where it is computed and not emulated: on a GPU, or a processor that has it."""
    import torch

    if torch.cuda.is_available():
        return "bfloat16"
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"

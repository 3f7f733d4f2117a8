"""Settings of the vLLM engine, each on purpose."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from streamer.errors import ConfigError

Precision = Literal["bfloat16", "float16", "float32"]


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the engine runs.

    `precision` None takes bfloat16 where the processor computes in it, else float32. `threads`
    None takes every core the process may use. `max_sequences` tickets and `max_batch_tokens`
    tokens go through the model in one step; None takes what suits the device. `kv_cache_gib` (on a
    CPU) and `gpu_share` bound the memory. `max_model_len` bounds what a model reads, or says it
    where its config.json doesn't. `traces_endpoint` (OTLP over HTTP, the whole address) makes the
    engine export its own spans for requests with a sampled trace header. The rest is vLLM's own.
    """

    precision: Precision | None = None
    threads: int | None = None
    max_sequences: int | None = None
    max_batch_tokens: int | None = None
    kv_cache_gib: int = 1
    gpu_share: float = 0.9
    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    quantization: str | None = None
    kv_cache_dtype: str | None = None
    load_format: str = "auto"
    max_model_len: int | None = None
    traces_endpoint: str | None = None

    def environment(self) -> dict[str, str]:
        """Variables that must stand before vLLM is imported; its processes inherit them."""
        cores = len(os.sched_getaffinity(0))
        return {
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "VLLM_PLUGINS": "streamer",
            # The engine's own rendezvous would otherwise listen on the machine's address.
            "VLLM_HOST_IP": "127.0.0.1",
            "VLLM_LOOPBACK_IP": "127.0.0.1",
            "GLOO_SOCKET_IFNAME": "lo",
            # stdout belongs to the command; and below WARNING vLLM may log requests.
            "VLLM_LOGGING_STREAM": "ext://sys.stderr",
            "VLLM_LOGGING_LEVEL": os.environ.get("VLLM_LOGGING_LEVEL", "ERROR"),
            # An encoder keeps no KV cache, and a prompt of a language model lives for one step;
            # the default would reserve gigabytes.
            "VLLM_CPU_KVCACHE_SPACE": str(self.kv_cache_gib),
            # One engine process that computes itself: with the default, a second one does, and
            # each step crosses both. On the CPU, this variable decides that.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            # vLLM's own binding keeps one core free: half of a two-core machine.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(self.threads or max(1, cores // self._devices)),
            # A thread that waits for the others sleeps. By default it spins, on the very core that
            # the service around the engine, or a neighbour, needs to get on: on two busy cores
            # that halved the rate.
            "OMP_WAIT_POLICY": "PASSIVE",
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

    def shared(self, engines: int) -> "EngineSettings":
        """The same for one of so many engines on a device."""
        return replace(self, gpu_share=self.gpu_share / max(engines, 1))

    def arguments(self, folder: Path, longest: int) -> dict[str, Any]:
        """Arguments of `AsyncEngineArgs` for any model.

        `longest` counts the tokens of the longest request there can be, special ones included.
        Raises `ConfigError` where this machine can't do what is asked for.
        """
        gpu = on_gpu()
        if gpu:
            self._check_count()
        step = _GPU_STEP if gpu else _CPU_STEP
        return {
            "model": str(folder),
            "served_model_name": folder.name,
            "dtype": precision(self.precision),
            "max_model_len": longest,
            "max_num_seqs": self.max_sequences or step.sequences,
            "max_num_batched_tokens": self.max_batch_tokens or step.tokens,
            # Token ids go in: the engine needs no tokenizer.
            "skip_tokenizer_init": True,
            "tensor_parallel_size": self.tensor_parallel_size,
            "pipeline_parallel_size": self.pipeline_parallel_size,
            "distributed_executor_backend": "uni" if self._devices == 1 else "mp",
            "quantization": self.quantization,
            "kv_cache_dtype": self.kv_cache_dtype or "auto",
            "load_format": self.load_format,
            "worker_extension_cls": "streamer.judging.engine.cache_cleaner.CacheCleaner",
            "gpu_memory_utilization": self.gpu_share,
            "enable_log_requests": False,
            # Its metrics and its spans are made of these.
            "disable_log_stats": False,
            "otlp_traces_endpoint": self.traces_endpoint,
        }

    def pooling_arguments(self, folder: Path, longest: int) -> dict[str, Any]:
        """The same for a model that reads a ticket and writes nothing."""
        general = self.arguments(folder, longest)
        return general | {
            "runner": "pooling",
            # Attention may go both ways: no prefix can be reused, no prompt cut in chunks.
            "enable_prefix_caching": False,
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(general["max_num_batched_tokens"], longest),
            # Compiling costs a minute per start and gains little on small models.
            "enforce_eager": True,
        }

    @property
    def _devices(self) -> int:
        return self.tensor_parallel_size * self.pipeline_parallel_size

    def _check_count(self) -> None:
        import torch

        if self._devices > torch.cuda.device_count():
            raise ConfigError(
                f"judge.engine: tensor_parallel_size {self.tensor_parallel_size} times "
                f"pipeline_parallel_size {self.pipeline_parallel_size} needs as many GPUs, and "
                f"there are {torch.cuda.device_count()}: lower them, or give the judge more"
            )


@dataclass(frozen=True, slots=True)
class _Step:
    """What goes through the model in one step."""

    sequences: int
    tokens: int


# The compute capability that it needs.
_BFLOAT16 = (8, 0)
# A GPU is busy from some thousand tokens on; all beyond them is waiting time for the next ticket.
_GPU_STEP = _Step(512, 16384)
_CPU_STEP = _Step(128, 4096)


def on_gpu() -> bool:
    """Whether vLLM will run on a GPU."""
    import torch

    return bool(torch.cuda.is_available())


def precision(asked: Precision | None = None) -> Precision:
    """What is asked for, else bfloat16 where the device computes in it and does not emulate it.

    Raises `ConfigError` where the GPU can't compute in what is asked for.
    """
    if on_gpu():
        return _on_card(asked)
    if asked is not None:
        return asked
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


def _on_card(asked: Precision | None) -> Precision:
    import torch

    capability = torch.cuda.get_device_capability()
    if capability >= _BFLOAT16:
        return asked or "bfloat16"
    if asked == "bfloat16":
        raise ConfigError(
            "judge.engine.precision: bfloat16 needs a GPU of compute capability 8.0, and this one "
            f"has {'.'.join(map(str, capability))}: set float16, or float32 where that overflows"
        )
    return asked or "float16"

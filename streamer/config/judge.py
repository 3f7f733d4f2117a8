"""The judge's part of streamer.yaml."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from streamer.config.base import Block
from streamer.config.process import Flow, Listen


class JudgeFlow(Flow):
    """As `Flow`; smaller, because a ticket takes the judge a thousand times as long.

    Many small batches: the tokens in the engine are the bound, and these must reach it.
    """

    max_batch: int = Field(default=64, ge=1, le=4096)
    in_flight: int = Field(default=16, ge=1, le=64)
    max_buffered: int = Field(default=1024, ge=1)


class JudgeListen(Listen):
    """As `Listen`."""

    port: int = Field(default=9465, ge=0, le=65535)


# Those that hold numbers only: a pickle could run whatever it likes.
LoadFormat = Literal[
    "auto", "safetensors", "fastsafetensors", "instanttensor", "runai_streamer", "sharded_state"
]


class Engine(Block):
    """How vLLM runs the judge's model; null takes what suits the device. See docs/judge.md.

    `kv_cache_gib` counts on a CPU alone, `gpu_share` (of the GPU's memory) on a GPU alone. Keys
    that vLLM has by the same name are passed on.
    """

    max_batch_tokens: int | None = Field(default=None, ge=64)
    max_sequences: int | None = Field(default=None, ge=1)
    precision: Literal["bfloat16", "float16", "float32"] | None = None
    kv_cache_gib: int = Field(default=1, ge=1)
    gpu_share: float = Field(default=0.9, gt=0, lt=1)
    tensor_parallel_size: int = Field(default=1, ge=1)
    pipeline_parallel_size: int = Field(default=1, ge=1)
    quantization: str | None = None
    kv_cache_dtype: str | None = None
    load_format: LoadFormat = "auto"
    max_model_len: int | None = Field(default=None, ge=64)


class Endpoint(Block):
    """A model that somebody else runs: vLLM's server, or one that speaks OpenAI's protocol.

    `{task}` in `url` and `model` stands for the task's name. Without `model`, the one that is
    served there. A request that takes longer than `timeout` seconds is repeated; at most
    `in_flight` are open at once. `tokens_per_hour` are what all judge processes together may be
    charged for in any hour: over it the workers' label stands in, as over a task's `budget`.
    """

    url: str | None = Field(default=None, pattern=r"^https?://[^\s@]+$")
    model: str | None = Field(default=None, min_length=1)
    key: str | None = Field(default=None, min_length=1, repr=False)
    ca_file: Path | None = None
    timeout: float = Field(default=15, gt=0)
    in_flight: int = Field(default=64, ge=1, le=1024)
    tokens_per_hour: int | None = Field(default=None, ge=1000)

    @model_validator(mode="after")
    def _encrypted(self) -> "Endpoint":
        if self.ca_file is not None and not (self.url or "").startswith("https:"):
            raise ValueError("ca_file: http uses no certificates: write https in url")
        return self


class Judge(Block):
    """The judge service. `python` is the interpreter of its environment.

    Of kind classifier it has a head per task in `models`, of kind sequence a whole model per task
    there, with a head for sequence classification. Of kind llm it is the one language model
    in the folder `model`, which reads the prompt `<prompts>/<task>.yaml` and answers by `codes`;
    where the labels have less than `min_coverage` of its probability, its verdict is unsure.
    Its answer is the mean over `shifts` orders of the labels, and before each ticket stand the
    `examples` tickets of `<prompts>/<task>.examples.jsonl` that are most like it. Of kind endpoint
    it is the model behind `endpoint`, asked in the best way that it offers.
    """

    kind: Literal["classifier", "sequence", "llm", "endpoint"] = "classifier"
    python: Path = Path(".venv-judge/bin/python")
    models: Path = Path("models_repo/judge")
    model: Path = Path("models_repo/judge/language-model")
    prompts: Path = Path("prompts")
    codes: Literal["letters", "names"] | None = None
    contextual: bool = False
    shifts: int = Field(default=1, ge=1, le=16)
    examples: int = Field(default=0, ge=0, le=32)
    min_coverage: float = Field(default=0.5, ge=0, le=1)
    max_ticket_tokens: int = Field(default=1024, ge=32)
    engine: Engine = Engine()
    endpoint: Endpoint = Endpoint()
    flow: JudgeFlow = JudgeFlow()
    listen: JudgeListen = JudgeListen()
    remember: int = Field(default=100_000, ge=0)
    stalled_after: float = Field(default=120, gt=0)

    @model_validator(mode="after")
    def _engine_fits(self) -> "Judge":
        if self.kind == "classifier":
            for key in ("pipeline_parallel_size", "kv_cache_dtype", "max_model_len"):
                if getattr(self.engine, key) != Engine.model_fields[key].default:
                    raise ValueError(
                        f"engine.{key} means nothing to the encoder of kind classifier, which is "
                        "one small piece, keeps no cache and has its own length: leave it out"
                    )
        return self

    @model_validator(mode="after")
    def _one_empty_ticket(self) -> "Judge":
        if self.contextual and self.examples:
            raise ValueError(
                "contextual divides out one empty ticket, and with examples each ticket has a "
                "prompt of its own: take one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _reachable(self) -> "Judge":
        if self.kind == "endpoint" and self.endpoint.url is None:
            raise ValueError("kind endpoint needs endpoint.url: say where the model is served")
        if self.kind == "endpoint" and self.examples:
            raise ValueError(
                "examples are found by an encoder in the judge's own environment, and kind "
                "endpoint has none: leave them out, or put some into the prompt"
            )
        return self

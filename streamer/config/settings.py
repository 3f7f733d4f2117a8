"""The whole of streamer.yaml."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr, model_validator

from streamer.config.base import Block
from streamer.config.kafka import KafkaSettings, Topics
from streamer.config.names import FunctionName, Name, Pointer, SourceName
from streamer.config.tasks import Data, Task, Worker
from streamer.records.labelset import LabelSet
from streamer.words import did_you_mean


class Input(Block):
    """How to read the user's records. Pointers are JSON pointers (RFC 6901).

    The texts behind `text` are joined by a newline: they are all that workers and judge read.
    `subject` is the one of them that people are shown apart. `decoder` is the dotted name of a
    function `(key, value, headers) -> dict` for formats other than JSON; what it raises makes the
    record a dead letter, but `streamer.errors.Unavailable` holds the stream. Where more than the
    share `dead_at_most` of 200 records in a row die of one reason, the process stops.
    """

    id: Pointer = "/id"
    text: tuple[Pointer, ...] = Field(default=("/text",), min_length=1)
    subject: Pointer | None = None
    created_at: Pointer | None = None
    decoder: FunctionName | None = None
    max_bytes: int = Field(default=2**20, ge=1024)
    dead_at_most: float = Field(default=0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _subject_is_read(self) -> "Input":
        if self.subject is not None and self.subject not in self.text:
            raise ValueError(
                f"subject {self.subject} is not among text, so that no worker and no judge would"
                " read it: add it to text, in front"
            )
        return self


class TritonSettings(Block):
    """Where the workers are. Times are in seconds."""

    url: str = "127.0.0.1:8001"
    ca_file: Path | None = None
    models: Path = Path("models_repo")
    deadline: float = Field(default=5, gt=0)
    abstain_after: float = Field(default=10, gt=0)
    max_in_flight: int = Field(default=8, ge=1)


class Flow(Block):
    """How much work a service holds at once."""

    max_batch: int = Field(default=2048, ge=1, le=4096)
    in_flight: int = Field(default=3, ge=1, le=64)
    max_buffered: int = Field(default=8192, ge=1)
    max_bytes: int = Field(default=512 * 2**20, ge=2**24)


class Listen(Block):
    """Where a service answers /metrics, /healthz and /readyz; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class ClassifyListen(Listen):
    """As `Listen`."""

    port: int = Field(default=9464, ge=0, le=65535)


class Classify(Block):
    """The classify service."""

    flow: Flow = Flow()
    listen: ClassifyListen = ClassifyListen()


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


class MonitorListen(Listen):
    """As `Listen`, for the monitor's pages."""

    port: int = Field(default=9466, ge=0, le=65535)


class Alarms(Block):
    """When the monitor raises an alarm. Shares are between 0 and 1, times in seconds.

    The statistical ones (coverage, agreement, labels, fidelity, segments) may look at all times:
    their tests raise a false alarm `false_alarm_every` seconds apart on average, or less often.
    They are raised only for a change by more than the tolerance.
    """

    coverage_tolerance: float = Field(default=0.05, gt=0, lt=1)
    agreement_tolerance: float = Field(default=0.05, gt=0, lt=1)
    label_tolerance: float = Field(default=0.05, gt=0, lt=1)
    fidelity_tolerance: float = Field(default=0.01, ge=0, lt=1)
    segment_tolerance: float = Field(default=0.05, gt=0, lt=1)
    far_tolerance: float = Field(default=0.02, gt=0, lt=1)
    abstaining: float = Field(default=0.05, gt=0, le=1)
    dead_letters: float = Field(default=0.02, gt=0, le=1)
    judge_queue_age: float = Field(default=300, gt=0)
    silent_for: float = Field(default=15, gt=2)
    false_alarm_every: float = Field(default=30 * 86400, ge=3600)


class Monitor(Block):
    """The live page and the alarms. Of a listener beyond loopback a `token` is asked.

    `text` lets the page show what tickets say; without it only ids, votes and labels leave Kafka.
    Under `runbooks`, an address or a path, lies a page per kind of alarm.
    """

    listen: MonitorListen = MonitorListen()
    token: str | None = Field(default=None, min_length=16, repr=False)
    text: bool = False
    runbooks: str = Field(default="docs/runbooks", pattern=r"^\S+$")
    alarms: Alarms = Alarms()


class TableListen(Listen):
    """As `Listen`."""

    port: int = Field(default=9467, ge=0, le=65535)


class Table(Block):
    """The table service, which keeps `topics.current`. `keep` is in days without a message."""

    keep: float = Field(default=90, gt=0)
    listen: TableListen = TableListen()


class Audit(Block):
    """The uniform stratum: tickets drawn by a salted hash of their ids, before any vote.

    All workers and the judge are asked about them, whatever the workers say; what is promised and
    measured rests on them. An audit that the judge could not begin within `patience` seconds is
    given up, and logged as missing.
    """

    share: float = Field(default=0.01, ge=0, le=1)
    salt: str = "streamer"
    patience: float = Field(default=3600, gt=0)


class Log(Block):
    """Share of the tickets whose decisions are logged, beyond the audited ones."""

    share: float = Field(default=0, ge=0, le=1)


class Review(Block):
    """Share of the tickets that a person is asked about as a sample of the truth."""

    gold: float = Field(default=0, ge=0, le=1)


class Tracing(Block):
    """Share of tickets that get spans, where the input carries no sampling decision."""

    sample: float = Field(default=0.01, ge=0, le=1)


class Settings(Block):
    """streamer.yaml, validated. Relative paths are relative to the file.

    `learned` is the file that `streamer learn` writes; the versions, shadows, calibrations and
    segments that it names stand in `tasks` already.
    """

    source: SourceName = "tickets"
    kafka: KafkaSettings
    topics: Topics = Topics()
    input: Input = Input()
    triton: TritonSettings = TritonSettings()
    tasks: dict[Name, Task] = Field(min_length=1)
    classify: Classify = Classify()
    judge: Judge = Judge()
    monitor: Monitor = Monitor()
    table: Table = Table()
    audit: Audit = Audit()
    log: Log = Log()
    review: Review = Review()
    tracing: Tracing = Tracing()
    learned: Path | None = None
    state: Path = Path(".streamer")
    _root: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _shared_models(self) -> "Settings":
        labels: dict[str, tuple[str, ...]] = {}
        versions: dict[str, str | None] = {}
        for name, task in self.tasks.items():
            for worker in task.workers:
                if labels.setdefault(worker.model, task.labels) != task.labels:
                    raise ValueError(
                        f"tasks.{name}.workers: {worker.model!r} also votes for a task with other "
                        "labels, and a model has one label set: give each task a model of its own"
                    )
                if versions.setdefault(worker.model, worker.version) != worker.version:
                    raise ValueError(
                        f"tasks.{name}.workers: {worker.model!r} votes in another version for "
                        "another task: give both the same version"
                    )
        return self

    @model_validator(mode="after")
    def _conditions(self) -> "Settings":
        for name, task in self.tasks.items():
            if task.when is not None and task.when.task is not None:
                self._check_condition(name, task.when.task, task.when.values)
        return self

    @model_validator(mode="after")
    def _in_time(self) -> "Settings":
        timeout, drain = self.judge.endpoint.timeout, self.kafka.drain
        if self.judge.kind == "endpoint" and timeout >= drain:
            raise ValueError(
                f"judge.endpoint.timeout: {timeout:g} s are not less than kafka.drain "
                f"({drain:g} s), in which a process must finish before it gives partitions up: "
                "lower it, or raise kafka.drain"
            )
        return self

    @model_validator(mode="after")
    def _people(self) -> "Settings":
        for name, task in self.tasks.items():
            if task.person == "final" and self.topics.current is None:
                raise ValueError(
                    f"tasks.{name}.person: a person's label is carried to the next message by "
                    "`streamer table` alone: name topics.current and run it, or leave the key out"
                )
        return self

    def _check_condition(self, name: str, other: str, values: tuple[str, ...]) -> None:
        if other not in self.tasks:
            raise ValueError(
                f"tasks.{name}.when.task: no task {other!r}{did_you_mean(other, self.tasks)}"
            )
        condition = self.tasks[other].when
        if self.tasks[other].publishes_first:
            raise ValueError(
                f"tasks.{name}.when.task: {other!r} is served in mode optimistic, so its first "
                "label may be corrected: make that task sequential"
            )
        if other == name or (condition is not None and condition.task is not None):
            raise ValueError(f"tasks.{name}.when.task: {other!r} itself depends on a task's label")
        for value in values:
            if value not in self.tasks[other].labels:
                raise ValueError(f"tasks.{name}.when: {value!r} is no label of task {other!r}")

    @property
    def label_sets(self) -> dict[str, LabelSet]:
        """Each task's label set."""
        return {name: task.label_set for name, task in self.tasks.items()}

    def example_text(self, data: Data) -> tuple[str, ...]:
        """Where the text of a labelled example stands."""
        return data.text or self.input.text

    def path(self, path: Path) -> Path:
        """A path of the file, made absolute against the file's folder."""
        return self._root / path

    def encoder(self, worker: Worker) -> Path | None:
        """Where the encoder of a worker lies; None where it names none."""
        return None if worker.encoder is None else self.path(worker.encoder)

    def rooted(self, root: Path) -> "Settings":
        """These settings, with relative paths starting at `root`."""
        security = self.kafka.security.rooted(root)
        settings = self.model_copy(
            update={"kafka": self.kafka.model_copy(update={"security": security})}
        )
        settings._root = root
        return settings

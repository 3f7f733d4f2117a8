"""The whole of streamer.yaml."""

import sys
from pathlib import Path

from pydantic import Field, PrivateAttr, model_validator

from streamer.config.base import Block
from streamer.config.judge import Judge
from streamer.config.kafka import KafkaSettings, Topics
from streamer.config.names import FunctionName, Name, Pointer, SourceName
from streamer.config.process import Flow, Listen
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


class ClassifyListen(Listen):
    """As `Listen`."""

    port: int = Field(default=9464, ge=0, le=65535)


class Classify(Block):
    """The classify service."""

    flow: Flow = Flow()
    listen: ClassifyListen = ClassifyListen()


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

    @property
    def judge_python(self) -> Path:
        """The interpreter of the judge's environment.

        Where none is named and none lies with the file, the one beside our own environment, as
        `make setup` makes them: a configuration may lie in a folder of its own.
        """
        own, beside = self.path(self.judge.python), Path(sys.prefix).parent / self.judge.python
        named = "python" in self.judge.model_fields_set or own.exists()
        return own if named or not beside.exists() else beside

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

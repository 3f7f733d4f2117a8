"""Tasks: labels, workers, rules, and which tickets they apply to."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from streamer.config.base import Block
from streamer.config.names import Name, Pointer, Version
from streamer.config.rules import After, Budget, Rule
from streamer.records.labelset import LabelSet, unfit
from streamer.records.log import Mode


class When(Block):
    """Which tickets a task is for: a field of the record, or another task's label."""

    field: Pointer | None = None
    task: Name | None = None
    equals: str | None = None
    in_: tuple[str, ...] | None = Field(default=None, alias="in")

    @model_validator(mode="after")
    def _one_of_each(self) -> "When":
        if (self.field is None) == (self.task is None):
            raise ValueError("needs exactly one of `field` and `task`")
        if (self.equals is None) == (self.in_ is None):
            raise ValueError("needs exactly one of `equals` and `in`")
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """The values that meet the condition."""
        return self.in_ if self.in_ is not None else (str(self.equals),)


class Shadow(Block):
    """Another version of a worker's model, asked about the share `share` of the tickets.

    What it says is logged and never counted. An answer that takes longer than `deadline` seconds is
    given up.
    """

    version: Version
    share: float = Field(gt=0, le=1)
    deadline: float = Field(default=0.2, gt=0, le=5)


WorkerKind = Literal["char_ngrams", "encoder", "subword_net", "word_ngrams"]

STARTERS: dict[str, WorkerKind] = {
    "word": "word_ngrams",
    "char": "char_ngrams",
    "net": "subword_net",
}
"""The kinds that a new task begins with, by the last word of their models' names."""


class Worker(Block):
    """A worker: the Triton model's name and, where this project trains it, its kind.

    `version` is the one that votes; without it, that is the newest that Triton serves. `encoder` is
    the folder of the sentence encoder that kind encoder stands on, instead of the package's.
    """

    model: Name
    kind: WorkerKind | None = None
    encoder: Path | None = None
    version: Version | None = None
    shadow: Shadow | None = None

    @model_validator(mode="after")
    def _an_encoder_for_its_kind(self) -> "Worker":
        if self.encoder is not None and self.kind != "encoder":
            raise ValueError("an encoder belongs to kind encoder: set that kind, or take it out")
        return self

    @model_validator(mode="after")
    def _shadow_beside_a_known_version(self) -> "Worker":
        if self.shadow is None:
            return self
        if self.version is None:
            raise ValueError(
                "a shadow needs the worker's own version: without it, the newest that Triton "
                "serves would vote"
            )
        if self.version == self.shadow.version:
            raise ValueError("the shadow's version votes already: name another, or drop the shadow")
        return self


class Data(Block):
    """Labelled examples to train on and, apart, to report on (CSV, CSV.gz or JSON lines).

    `calibrate` are examples to choose thresholds on, which no model learns from; without that file,
    the share `held_back` of the training examples is kept for it. `text` and `label` are names of
    columns, or JSON pointers; without `text`, the pointers of `input` are taken, so that what is
    learnt is what will be read.
    """

    train: Path
    test: Path | None = None
    calibrate: Path | None = None
    text: tuple[str, ...] = ()
    label: str
    held_back: float = Field(default=0, ge=0, lt=1)


class Task(Block):
    """One classification problem.

    `workers` are asked in this order: the first two together, the third only when its vote can
    still matter. `rule` says which tickets need no judge, `after` whose label stands on those that
    did; `calibration` is the file that `streamer calibrate` wrote. `segments` is a version's folder
    that `streamer segments fit` wrote: tickets are then served by the ways of their segments.
    Mode sequential asks the judge first and publishes then; optimistic publishes the workers' label
    at once, has the judge verify the share `verify` of the tickets, and publishes a second revision
    of those. What the judge is less sure of than `review_below` goes to a person. `on_outage` says
    what happens when too few workers can be reached for any label to stand: hold the stream, ask
    the judge, or publish what the others say. `person` says how long a person's label stands: for
    good, which is so where `topics.current` is named, or until the ticket's next message.
    """

    labels: tuple[str, ...] = Field(min_length=2)
    workers: tuple[Worker, ...] = Field(min_length=1, max_length=3)
    rule: Rule = Rule()
    after: After = After()
    mode: Mode = "sequential"
    verify: float = Field(default=1.0, ge=0, le=1)
    budget: Budget | None = None
    calibration: Path | None = None
    segments: Path | None = None
    review_below: float | None = Field(default=None, gt=0, le=1)
    when: When | None = None
    on_outage: Literal["wait", "judge", "fallback"] = "wait"
    person: Literal["final", "until_next_message"] | None = None
    data: Data | None = None

    @field_validator("workers", mode="before")
    @classmethod
    def _names(cls, workers: Any) -> Any:
        if not isinstance(workers, list):
            return workers
        return [{"model": item} if isinstance(item, str) else item for item in workers]

    @field_validator("rule", "after", mode="before")
    @classmethod
    def _kind(cls, rule: Any) -> Any:
        return {"kind": rule} if isinstance(rule, str) else rule

    @field_validator("labels")
    @classmethod
    def _label_set(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if why := unfit(labels):
            raise ValueError(why)
        return labels

    @property
    def publishes_first(self) -> bool:
        """Whether every label is published before the judge has seen it."""
        return self.mode == "optimistic"

    @model_validator(mode="after")
    def _enough_workers(self) -> "Task":
        names = [worker.model for worker in self.workers]
        if len(set(names)) < len(names):
            raise ValueError("a worker is named twice")
        if len(names) == 1 and self.rule.kind not in ("chow", "calibrated"):
            raise ValueError(
                f"rule {self.rule.kind} needs two or three workers, there is one: add workers, or "
                "use kind chow with an alpha"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_serve(self) -> "Task":
        if self.rule.kind == "calibrated" and self.calibration is None:
            raise ValueError(
                "rule calibrated needs calibration: name the file that `streamer calibrate` wrote"
            )
        if self.after.kind == "calibrated" and self.rule.kind != "calibrated":
            raise ValueError("after calibrated needs rule calibrated: the two were proven together")
        if self.publishes_first and self.when is not None and self.when.task is not None:
            raise ValueError(
                "mode optimistic can't depend on another task's label: the judge may still find it"
            )
        if self.publishes_first and self.budget is not None:
            raise ValueError("mode optimistic takes no budget: lower its verify instead")
        if not self.publishes_first and self.verify != 1:
            raise ValueError("verify belongs to mode optimistic")
        return self

    @model_validator(mode="after")
    def _a_worker_of_its_own(self) -> "Task":
        names = [worker.model for worker in self.workers]
        if self.rule.worker is not None and self.rule.worker not in names:
            raise ValueError(
                f"rule.worker {self.rule.worker!r} is none of its workers: use one of "
                f"{', '.join(names)}"
            )
        return self

    @property
    def label_set(self) -> LabelSet:
        """The ordered label set with its version."""
        return LabelSet(self.labels)

"""Tasks: labels, workers, rule, judge, and which tickets they apply to."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from streamer.config.base import Block
from streamer.records.labelset import LabelSet

Pointer = Annotated[str, Field(pattern=r"^(/[^/]+)+$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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


class Worker(Block):
    """A worker: the Triton model's name and, where this project trains it, its kind."""

    model: Name
    kind: str | None = None


class Rule(Block):
    """How the workers' votes decide.

    With `confidence` and `at_least`, votes that agree count only if they are sure enough: the
    mean, least or greatest probability of the workers that agree, or the mean over all. Kind chow
    accepts the likeliest label of all workers' mean where it is at least 1 - `alpha` likely.
    """

    kind: Literal["majority", "unanimity", "chow"] = "majority"
    confidence: Literal["mean", "min", "max", "ensemble"] | None = None
    at_least: float = Field(default=0.0, ge=0)
    alpha: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _threshold_of_something(self) -> "Rule":
        if (self.kind == "chow") != (self.alpha is not None):
            raise ValueError("alpha and kind chow go together")
        if self.kind == "chow" and self.confidence is not None:
            raise ValueError("kind chow has its threshold in alpha, and takes no confidence")
        if self.at_least > 0 and self.confidence is None:
            raise ValueError("at_least needs confidence: mean, min, max or ensemble")
        return self


class Data(Block):
    """Labelled examples to train on and, apart, to report on (CSV, CSV.gz or JSON lines)."""

    train: Path
    test: Path | None = None
    text: tuple[str, ...] = ("text",)
    label: str


class Task(Block):
    """One classification problem.

    `workers` are asked in this order: the first two together, the third only when its vote can
    still matter. `on_outage` says what happens when too few workers can be reached for a quorum:
    hold the stream, ask the judge, or publish what the others say.
    """

    labels: tuple[str, ...] = Field(min_length=2)
    workers: tuple[Worker, ...] = Field(min_length=1, max_length=3)
    rule: Rule = Rule()
    when: When | None = None
    on_outage: Literal["wait", "judge", "fallback"] = "wait"
    data: Data | None = None

    @field_validator("workers", mode="before")
    @classmethod
    def _names(cls, workers: Any) -> Any:
        if not isinstance(workers, list):
            return workers
        return [{"model": item} if isinstance(item, str) else item for item in workers]

    @field_validator("rule", mode="before")
    @classmethod
    def _kind(cls, rule: Any) -> Any:
        return {"kind": rule} if isinstance(rule, str) else rule

    @field_validator("labels")
    @classmethod
    def _label_set(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        doubles = sorted({name for name in labels if labels.count(name) > 1})
        if doubles:
            raise ValueError(f"labels twice in the list: {', '.join(doubles)}")
        return labels

    @model_validator(mode="after")
    def _enough_workers(self) -> "Task":
        names = [worker.model for worker in self.workers]
        if len(set(names)) < len(names):
            raise ValueError("a worker is named twice")
        if len(names) == 1 and self.rule.kind != "chow":
            raise ValueError(
                f"rule {self.rule.kind} needs two or three workers, there is one: add workers, or "
                "use kind chow with an alpha"
            )
        return self

    @property
    def label_set(self) -> LabelSet:
        """The ordered label set with its version."""
        return LabelSet(self.labels)

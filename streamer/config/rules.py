"""The rules of a task: which tickets the judge is spared, and whose label stands after it."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from streamer.config.base import Block

_NEED_JUDGE = {"diff", "opt", "opt_greedy", "pool", "pool_linear", "v1", "v2", "v3"}
_REPLAY_ONLY = {"v1", "v2"}


class Rule(Block):
    """How the workers' answers decide which tickets need no judge.

    With `confidence` and `at_least`, votes that agree count only if they are sure enough: the
    mean, least or greatest probability of the workers that agree, or the mean over all. Kind chow
    accepts the likeliest label where it is at least 1 - `alpha` likely by the mean of all workers,
    or by the one named in `worker`. Kind calibrated is what `streamer calibrate` chose.
    """

    kind: Literal["majority", "unanimity", "chow", "calibrated"] = "majority"
    confidence: Literal["mean", "min", "max", "ensemble"] | None = None
    at_least: float = Field(default=0.0, ge=0, le=1)
    alpha: float | None = Field(default=None, ge=0, le=1)
    worker: str | None = None

    @field_validator("kind", mode="before")
    @classmethod
    def _before_the_judge(cls, kind: Any) -> Any:
        if _bare(kind) in _NEED_JUDGE:
            raise ValueError(
                "it needs the judge's probabilities, so it can't be used to skip the judge; put it "
                "under `after`, and majority, unanimity or chow here"
            )
        return kind

    @model_validator(mode="after")
    def _threshold_of_something(self) -> "Rule":
        if (self.kind == "chow") != (self.alpha is not None):
            raise ValueError("alpha and kind chow go together")
        if self.kind == "chow" and self.confidence is not None:
            raise ValueError("kind chow has its threshold in alpha, and takes no confidence")
        if self.kind == "calibrated" and (self.confidence is not None or self.at_least > 0):
            raise ValueError("kind calibrated takes its threshold from the calibration")
        if self.kind != "chow" and self.worker is not None:
            raise ValueError("only kind chow can decide by one worker: leave worker out")
        if self.at_least > 0 and self.confidence is None:
            raise ValueError("at_least needs confidence: mean, min, max or ensemble")
        return self


class Budget(Block):
    """The most that the judge may be asked: a share of the tickets, or calls per second in all."""

    share: float | None = Field(default=None, gt=0, le=1)
    per_second: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> "Budget":
        if (self.share is None) == (self.per_second is None):
            raise ValueError("needs exactly one of `share` and `per_second`")
        return self


class After(Block):
    """Whose label stands where the judge was asked: kind v3 with alpha 0 is always the judge's.

    Kind calibrated is what `streamer calibrate --margin` chose.
    """

    kind: Literal["v3", "diff", "opt", "opt_greedy", "pool", "pool_linear", "calibrated"] = "v3"
    alpha: float = Field(default=0.0, allow_inf_nan=False)

    @field_validator("kind", mode="before")
    @classmethod
    def _served(cls, kind: Any) -> Any:
        if _bare(kind) in _REPLAY_ONLY:
            raise ValueError("it is only for the replay; use v3, diff, opt, opt_greedy or pool")
        return kind

    @model_validator(mode="after")
    def _in_range(self) -> "After":
        if self.kind == "calibrated" and self.alpha != 0:
            raise ValueError("kind calibrated takes its alpha from the calibration")
        least = {"opt": None, "opt_greedy": None, "diff": -1}.get(self.kind, 0)
        if least is not None and not least <= self.alpha <= 1:
            raise ValueError(f"kind {self.kind} takes an alpha from {least} to 1, not {self.alpha}")
        return self


def _bare(kind: Any) -> str:
    """The papers call the rules v1 to v3 token rules, and so may whoever comes from there."""
    return kind.removeprefix("token_") if isinstance(kind, str) else ""

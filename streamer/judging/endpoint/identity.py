"""What an endpoint says of itself with each answer."""

from dataclasses import dataclass
from typing import Any

# OpenAI's name for a configuration of its servers: several are in use at once, and they change by
# the week. Whoever names a version of a model gets that.
_OF_NO_MEANING = "fp_"


@dataclass(frozen=True, slots=True)
class Identity:
    """The model's name, and the build that runs it where that is told."""

    model: str
    build: str | None = None

    @classmethod
    def of(cls, said: Any) -> "Identity | None":
        """What stands in an answer; None where it names no model."""
        if not isinstance(said, dict) or not isinstance(said.get("model"), str):
            return None
        build = said.get("system_fingerprint")
        known = isinstance(build, str) and not build.startswith(_OF_NO_MEANING)
        return cls(said["model"], build if known else None)

    def __str__(self) -> str:
        return self.model if self.build is None else f"{self.model}@{self.build}"

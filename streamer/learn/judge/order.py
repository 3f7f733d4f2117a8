"""What to train, as one JSON object: how one interpreter asks the other."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import orjson

from streamer.errors import ConfigError

JudgeKind = Literal["classifier", "llm"]


@dataclass(frozen=True, slots=True)
class JudgeJob:
    """One task: its ordered labels, the file, columns and label column of its examples, and the
    share of them that is held back.
    """

    task: str
    labels: tuple[str, ...]
    examples: str
    text: tuple[str, ...]
    label: str
    held_back: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """`jobs` to train into `models`, with embeddings kept in `cache`.

    Of `kind` llm, one language model of all jobs goes into `models`; it learns from the `prompts`
    of that folder, and reads so many tokens of a ticket.
    """

    jobs: tuple[JudgeJob, ...]
    models: str
    cache: str
    seed: int
    kind: JudgeKind = "classifier"
    prompts: str = ""
    max_ticket_tokens: int = 1024

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, value: bytes) -> "TrainingOrder":
        """Raises ConfigError when the value is no order."""
        try:
            raw = orjson.loads(value)
            jobs = (job | {k: tuple(job[k]) for k in ("labels", "text")} for job in raw["jobs"])
            return cls(**(raw | {"jobs": tuple(JudgeJob(**job) for job in jobs)}))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"the training order is not understood ({error!r});"
                " both environments must hold the same release of streamer: install them again"
            ) from error

    @property
    def models_folder(self) -> Path:
        return Path(self.models)

    @property
    def cache_folder(self) -> Path:
        return Path(self.cache)

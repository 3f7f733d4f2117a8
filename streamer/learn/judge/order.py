"""What to train or to embed, as one JSON object: how one interpreter asks the other."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from streamer.errors import ConfigError, in_words

JudgeKind = Literal["classifier", "llm"]


@dataclass(frozen=True, slots=True)
class Teaching:
    """The language model in the folder `base` is taught: its last `layers` learn from all examples,
    `epochs` times.
    """

    base: str
    layers: int = 12
    epochs: int = 3


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

    With `teaching`, one language model of all jobs goes into `models`, which reads so many tokens
    of a ticket; else a head for each goes there, of kind classifier.
    """

    jobs: tuple[JudgeJob, ...]
    models: str
    cache: str
    seed: int
    teaching: Teaching | None = None
    max_ticket_tokens: int = 1024

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "TrainingOrder":
        """Raises `KeyError` or `TypeError` when it is no order."""
        jobs = (job | {k: tuple(job[k]) for k in ("labels", "text")} for job in raw["jobs"])
        teaching = raw["teaching"] and Teaching(**raw["teaching"])
        made = {"jobs": tuple(JudgeJob(**job) for job in jobs), "teaching": teaching}
        return cls(**(raw | made))

    @property
    def models_folder(self) -> Path:
        return Path(self.models)

    @property
    def cache_folder(self) -> Path:
        return Path(self.cache)


@dataclass(frozen=True, slots=True)
class EmbeddingOrder:
    """`texts` to embed, into a file in the folder `cache`."""

    texts: tuple[str, ...]
    cache: str

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))


def order_from_json(value: bytes) -> TrainingOrder | EmbeddingOrder:
    """Raises ConfigError when the value is no order."""
    try:
        raw = orjson.loads(value)
        if "texts" in raw:
            return EmbeddingOrder(tuple(raw["texts"]), raw["cache"])
        return TrainingOrder.from_dict(raw)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"the order is not understood ({in_words(error)});"
            " both environments must hold the same release of streamer: install them again"
        ) from error

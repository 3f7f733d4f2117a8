"""A causal language model on disk."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ConfigError

_TOLD = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@dataclass(frozen=True, slots=True)
class CausalModel:
    """A folder in Hugging Face layout.

    `max_tokens` is the length that it was made for. `digest`, eight hexadecimal digits, is the hash
    of weights, tokenizer and template: a temperature is worth nothing over others.
    """

    folder: Path
    max_tokens: int
    digest: str

    @classmethod
    def at(cls, folder: Path) -> "CausalModel":
        """The model in `folder`, or its newest version where it holds numbered ones.

        Reads all weights once. Raises `ConfigError` when there is none.
        """
        found = _newest(folder)
        try:
            config = json.loads((found / "config.json").read_text(encoding="utf-8"))
            max_tokens = int(config["max_position_embeddings"])
            weights = sorted(found.glob("*.safetensors"))
            if not weights:
                raise FileNotFoundError("no *.safetensors")
            digest = _digest([*(found / name for name in _TOLD), *weights])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder} holds no language model ({error!r}): run `streamer train judge`, or "
                "name a folder in Hugging Face layout in judge.model"
            ) from error
        return cls(found, max_tokens, digest)


def _newest(folder: Path) -> Path:
    numbered = [path for path in folder.glob("[0-9]*") if path.name.isdecimal()]
    return max(numbered, key=lambda path: int(path.name), default=folder)


def _digest(files: list[Path]) -> str:
    whole = hashlib.blake2b(digest_size=4)
    for file in files:
        if file.exists():
            with file.open("rb") as content:
                whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()

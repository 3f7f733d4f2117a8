"""A causal language model on disk."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from streamer.errors import ConfigError

_TOLD = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@dataclass(frozen=True)
class CausalModel:
    """A folder in Hugging Face layout; `max_tokens` is the length that the model was made for."""

    folder: Path
    max_tokens: int

    @classmethod
    def at(cls, folder: Path) -> "CausalModel":
        """The model in `folder`, or its newest version where it holds numbered ones.

        Raises `ConfigError` when there is none.
        """
        found = _newest(folder)
        try:
            config = json.loads((found / "config.json").read_text(encoding="utf-8"))
            max_tokens = int(config["max_position_embeddings"])
            if not any(found.glob("*.safetensors")):
                raise FileNotFoundError("no *.safetensors")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder} holds no language model ({error!r}): run `streamer train judge`, or "
                "name a folder in Hugging Face layout in judge.model"
            ) from error
        return cls(found, max_tokens)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits: the hash of weights, tokenizer and template.

        A temperature is worth nothing over others. Reads all weights, once.
        """
        weights = sorted(self.folder.glob("*.safetensors"))
        return _digest([*(self.folder / name for name in _TOLD), *weights])


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

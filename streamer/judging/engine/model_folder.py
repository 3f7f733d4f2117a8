"""A model on disk in Hugging Face layout."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError, in_words

# What `streamer train judge` leaves beside a model, for each of its tasks.
_MANIFEST = "manifest.json"
_TOLD = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")

# By which names vLLM looks for it, too.
_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)


@dataclass(frozen=True)
class ModelFolder:
    """`config` is what config.json in `folder` says; `max_tokens` is the most that it reads."""

    folder: Path
    config: Mapping[str, Any]
    max_tokens: int

    @classmethod
    def at(cls, folder: Path, max_model_len: int | None = None) -> "ModelFolder":
        """The model in `folder`, or the newest of numbered versions where there are only such.

        `max_model_len` bounds its length, and says it where config.json doesn't.

        Raises `ConfigError` where config.json, the length of text in it, or the weights are
        missing.
        """
        newest = newest_version(folder)
        try:
            config = json.loads((newest / "config.json").read_text(encoding="utf-8"))
            max_tokens = _length(config, max_model_len)
            if not any(newest.glob("*.safetensors")):
                raise FileNotFoundError("no *.safetensors")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder} holds no model ({in_words(error)}): put one there in Hugging Face "
                "layout, correct judge.model or judge.models, or run "
                "`streamer train judge --kind llm`; docs/judge.md says what to do with a GGUF file"
            ) from error
        return cls(newest, config, max_tokens)

    @property
    def taught(self) -> bool:
        """Whether it was trained here, where models learn to answer by letters."""
        return any(self.folder.glob(f"*/{_MANIFEST}"))

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits: the hash of weights, tokenizer and template.

        A temperature is worth nothing over others. Reads all weights, once.
        """
        whole = hashlib.blake2b(digest_size=4)
        weights = sorted(self.folder.glob("*.safetensors"))
        for file in [*(self.folder / name for name in _TOLD), *weights]:
            if file.exists():
                with file.open("rb") as content:
                    whole.update(hashlib.file_digest(content, "sha256").digest())
        return whole.hexdigest()


def _length(config: Mapping[str, Any], most: int | None) -> int:
    """The least of the lengths that it names, of text where the model sees or hears as well."""
    text = config.get("text_config") or config
    lengths = [int(text[name]) for name in _LENGTHS if text.get(name) is not None]
    if most is not None:
        lengths.append(most)
    if not lengths:
        raise KeyError(_LENGTHS[0])
    return min(lengths)


def newest_version(folder: Path) -> Path:
    """The newest of numbered versions in the folder; the folder itself where it has none."""
    if (folder / "config.json").exists():
        return folder
    numbered = [path for path in folder.glob("[0-9]*") if path.name.isdecimal()]
    return max(numbered, key=lambda path: int(path.name), default=folder)

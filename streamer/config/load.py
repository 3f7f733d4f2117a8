"""Reads streamer.yaml; every error names the file, the key, the value and what is allowed."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streamer.config.document import explained, read_document, short
from streamer.config.learned import laid_over
from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.records.learned import Learned
from streamer.records.learned_file import read_learned

VARIABLE = re.compile(r"\$\{(\w+)\}")

_REMEDY = "run `streamer init`, or name your configuration with --config"
_KEYS = "docs/configuration.md"


def load(
    path: Path, overrides: Mapping[str, str] | None = None, learned: Learned | None = None
) -> Settings:
    """The settings in `path`, with dotted `overrides` (`{"kafka.bootstrap": "host:9092"}`) on top.

    `${NAME}` in a value is replaced from the environment. What the file under `learned` says, or
    what is given as such, lies between the two. Raises `ConfigError`.
    """
    raw = _expand(read_document(path, _REMEDY, _KEYS), str(path))
    named = (overrides or {}).get("learned", raw.get("learned"))
    if isinstance(named, str):
        file = path.resolve().parent / named
        raw = laid_over(raw, read_learned(file) if learned is None else learned, str(file))
    for key, value in (overrides or {}).items():
        _put(raw, key, value)
    try:
        return Settings.model_validate(raw).rooted(path.resolve().parent)
    except ValidationError as error:
        raise explained(path, error, _KEYS) from None


def _expand(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        return {key: _expand(item, f"{where}: {key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, where) for item in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: _variable(match[1], where), value)
    return value


def _variable(name: str, where: str) -> str:
    if name not in os.environ:
        raise ConfigError(f"{where}: the environment has no {name}; set it, or write the value")
    return os.environ[name]


def _put(raw: dict[str, Any], dotted: str, value: str) -> None:
    *blocks, last = dotted.split(".")
    for block in blocks:
        if raw.get(block) is None:
            raw[block] = {}
        raw = raw[block]
        if not isinstance(raw, dict):
            raise ConfigError(f"{dotted}: can't be set, {block} is no block but {short(raw)}")
    raw[last] = value

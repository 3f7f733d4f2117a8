"""Reads streamer.yaml; every error names the file, the key, the value and what is allowed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streamer.config.document import explained, read_document, short
from streamer.config.environment import Environment
from streamer.config.learned import laid_over
from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.records.learned import Learned
from streamer.records.learned_file import read_learned

_REMEDY = "run `streamer init`, or name your configuration with --config"
_KEYS = "docs/configuration.md"
_SECRET = ("judge", "endpoint", "key")
_NAMED = re.compile(r"\$\{\w+\}")


def load(
    path: Path, overrides: Mapping[str, str] | None = None, learned: Learned | None = None
) -> Settings:
    """The settings in `path`, with dotted `overrides` (`{"kafka.bootstrap": "host:9092"}`) on top.

    `${NAME}` in a value is replaced from the environment. What the file under `learned` says, or
    what is given as such, lies between the two. Raises `ConfigError`, which quotes nothing that
    came from the environment.
    """
    environment = Environment.of(path)
    try:
        return _settings(path, environment, overrides or {}, learned)
    except ConfigError as error:
        raise ConfigError(environment.hide(str(error))) from None


def _settings(
    path: Path, environment: Environment, overrides: Mapping[str, str], learned: Learned | None
) -> Settings:
    written = read_document(path, _REMEDY, _KEYS)
    _check_secret(written, path)
    raw = environment.put_in(written, str(path))
    named = overrides.get("learned", raw.get("learned"))
    if isinstance(named, str):
        file = path.resolve().parent / named
        learned_now = read_learned(file) if learned is None else learned
        raw = laid_over(raw, learned_now, str(file))
    for key, value in overrides.items():
        _put(written, key, value)
        _put(raw, key, value)
    try:
        return Settings.model_validate(raw).rooted(path.resolve().parent)
    except ValidationError as error:
        raise explained(path, error, Settings, _KEYS, written) from None


def _check_secret(written: dict[str, Any], path: Path) -> None:
    """Raises `ConfigError` where a key stands in the file, which others read, too."""
    block: Any = written
    for key in _SECRET:
        block = block.get(key) if isinstance(block, dict) else None
    if isinstance(block, str) and not _NAMED.fullmatch(block):
        raise ConfigError(
            f"{path}: {'.'.join(_SECRET)}: a key doesn't belong into the file: write "
            "${JUDGE_KEY}, and set that variable to it"
        )


def _put(raw: dict[str, Any], dotted: str, value: str) -> None:
    *blocks, last = dotted.split(".")
    for block in blocks:
        if raw.get(block) is None:
            raw[block] = {}
        raw = raw[block]
        if not isinstance(raw, dict):
            raise ConfigError(f"{dotted}: can't be set, {block} is no block but {short(raw)}")
    raw[last] = value

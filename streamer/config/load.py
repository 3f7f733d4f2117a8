"""Reads streamer.yaml; every error names the file, the key, the value and what is allowed."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from streamer.config.settings import Settings
from streamer.errors import ConfigError

VARIABLE = re.compile(r"\$\{(\w+)\}")


class _OnceLoader(yaml.SafeLoader):
    """Plain YAML in which a key may stand once only: YAML itself would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), name in zip(node.value, keys, strict=True):
            if keys.count(name) > 1:
                problem = f"the key {name!r} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        return super().construct_mapping(node, deep)


def load(path: Path, overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings in `path`, with dotted `overrides` (`{"kafka.bootstrap": "host:9092"}`) on top.

    `${NAME}` in a value is replaced from the environment. Raises `ConfigError`.
    """
    raw = _expand(_parse(path), str(path))
    for key, value in (overrides or {}).items():
        _put(raw, key, value)
    try:
        return Settings.model_validate(raw).rooted(path.resolve().parent)
    except ValidationError as error:
        lines = "\n".join(f"{path}: {_line(detail)}" for detail in error.errors())
        raise ConfigError(lines) from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}: run `streamer init`, or name your configuration with --config"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; name your configuration with --config"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 ({error.reason} at {error.start})") from None
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path}: not YAML: {problem}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: is empty or no mapping; see docs/configuration.md for the keys")
    return raw


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
            raise ConfigError(f"{dotted}: can't be set, {block} is no block but {_short(raw)}")
    raw[last] = value


def _line(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"{key}: unknown key (value {_short(detail['input'])}); is it misspelt?"
    if kind == "missing":
        return f"{key}: is missing; docs/configuration.md says what it may be"
    message = detail["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if isinstance(detail["input"], dict) or key.endswith("password"):
        return f"{key}: {message}"
    return f"{key}: {_short(detail['input'])} is not allowed: {message}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

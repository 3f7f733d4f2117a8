"""A YAML file that people write: read once, and every error names the file and the key."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from streamer.errors import ConfigError


class _OnceLoader(yaml.SafeLoader):
    """Plain YAML in which a key may stand once only: YAML itself would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), name in zip(node.value, keys, strict=True):
            if keys.count(name) > 1:
                problem = f"the key {name!r} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        return super().construct_mapping(node, deep)


def read_document(path: Path, remedy: str, keys: str) -> dict[str, Any]:
    """The mapping in `path`.

    `remedy` says what to do where there is no such file, `keys` where its keys are described.
    Raises `ConfigError`.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}: {remedy}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; {remedy}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 ({error.reason} at {error.start})") from None
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path}: not YAML: {problem}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: is empty or no mapping; see {keys} for the keys")
    return raw


def explained(path: Path, error: ValidationError, keys: str) -> ConfigError:
    """One line for each thing that is wrong; `keys` says where the keys are described."""
    return ConfigError("\n".join(f"{path}: {_line(detail, keys)}" for detail in error.errors()))


def short(value: Any) -> str:
    """A value as it stands in a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _line(detail: ErrorDetails, keys: str) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"{key}: unknown key (value {short(detail['input'])}); is it misspelt?"
    if kind == "missing":
        return f"{key}: is missing; {keys} says what it may be"
    message = detail["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if isinstance(detail["input"], dict) or key.endswith("password"):
        return f"{key}: {message}"
    return f"{key}: {short(detail['input'])} is not allowed: {message}"

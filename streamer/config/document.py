"""A YAML file that people write: read once, and every error names the file and the key."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streamer.config.keys import keys_at
from streamer.errors import ConfigError
from streamer.words import did_you_mean

_SECRET = ("password", "token")
_SHORTEST = 5


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
        raise ConfigError(f"{path}: not YAML: {_problem(error)}; see {keys}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: is empty or no mapping; see {keys} for the keys")
    return raw


def explained(
    where: Path | str, error: ValidationError, model: type[BaseModel], keys: str, written: Any
) -> ConfigError:
    """One line for each thing that is wrong in a document of `model`, which is in `where`.

    `keys` says where the keys are described. Values are quoted as they stand in `written`, the
    document as people wrote it: what was put into it since may be secret.
    """
    details = error.errors()
    wrong = [detail["loc"] for detail in details]
    lines = (
        _line(detail, model, keys, written)
        for detail in details
        # A list of which something was refused seems shorter than it is.
        if detail["type"] != "too_short"
        or not any(_within(other, detail["loc"]) for other in wrong)
    )
    return ConfigError("\n".join(f"{where}: {line}" for line in lines))


def short(value: Any) -> str:
    """A value as it stands in a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _line(detail: ErrorDetails, model: type[BaseModel], keys: str, written: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        *block, last = detail["loc"]
        meant = did_you_mean(str(last), keys_at(model, block))
        return f"{key}: unknown key{meant or f'; {keys} has the keys'}"
    if kind == "missing":
        return f"{key}: is missing; {keys} says what it may be"
    value = _at(written, detail["loc"])
    message = _message(detail, value)
    if any(_quotes(message, text) for text in _put_in(value, detail["input"])):
        message = f"{keys} says what it may be"
    if not key:
        return message
    if isinstance(value, dict) or key.endswith(_SECRET):
        return f"{key}: {message}"
    return f"{key}: {short(value)} is not allowed: {message}"


def _within(inner: Sequence[str | int], outer: Sequence[str | int]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _message(detail: ErrorDetails, value: Any) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "string_type" and isinstance(value, bool | int | float):
        return "a text is needed: put it in quotes"
    if detail["type"] == "too_short":
        return f"at least {detail['ctx']['min_length']} are needed"
    if detail["type"] == "float_parsing":
        return "a number is needed; a share such as 15% is written 0.15"
    if detail["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", detail.get("ctx", {}).get("expected", ""))
        return message + did_you_mean(str(value), choices)
    return message


def _put_in(written: Any, value: Any) -> Iterator[str]:
    """The texts that were put into what was written, in place of variables."""
    if isinstance(written, list | tuple):
        written = dict(enumerate(written))
    if isinstance(written, dict):
        inside = dict(enumerate(value)) if isinstance(value, list | tuple) else value
        if isinstance(inside, dict):
            for step in written.keys() & inside.keys():
                yield from _put_in(written[step], inside[step])
    elif isinstance(written, str) and "${" in written:
        yield str(value)


def _quotes(message: str, value: str) -> bool:
    """Whether a part of the value stands in a message, which may have cut or changed the rest."""
    parts = (value[start : start + _SHORTEST] for start in range(len(value) - _SHORTEST + 1))
    return any(part in message for part in parts)


def _at(written: Any, steps: Sequence[str | int]) -> Any:
    """What stands behind these steps; the text or number on the way where that is all there is."""
    for step in steps:
        inside = dict(enumerate(written)) if isinstance(written, list) else written
        if not isinstance(inside, dict) or step not in inside:
            break
        written = inside[step]
    return written


def _problem(error: yaml.YAMLError) -> str:
    """Without the line itself: a password may stand in it."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    mark = error.problem_mark
    return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"

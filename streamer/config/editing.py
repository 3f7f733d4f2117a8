"""Changes YAML that people wrote, and leaves all else as they wrote it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from streamer.errors import ConfigError

Plain = str | int | float | bool | None


def with_keys(text: str, block: str, keys: Mapping[str, Plain]) -> str:
    """The text of a YAML file with these keys in a block at its top; comments stay.

    Raises `ConfigError`, with the lines to write by hand, where the block is written in a way that
    can't be changed line by line.
    """
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if _opens(line, block)), None)
    if start is None:
        changed = [*lines, "", f"{block}:", *_written(keys, "  ")]
    else:
        end = next((at for at in range(start + 1, len(lines)) if _ends(lines[at])), len(lines))
        changed = [
            *lines[: start + 1],
            *_changed(lines[start + 1 : end], keys),
            *lines[end:],
        ]
    found = "\n".join(changed) + "\n"
    if _read(found) != _wanted(text, block, keys):
        raise ConfigError(
            f"{block} is written in a way that can't be changed line by line; write there:\n"
            + "\n".join(_written(keys, "  "))
        )
    return found


def with_rows(text: str, name: str, rows: Sequence[Mapping[str, Plain]]) -> str:
    """The text of a YAML file with rows at its end under a name at its top, which had none.

    Raises `ConfigError` where what is there can't be changed line by line.
    """
    empty = rf"{re.escape(name)}:\s*(\[\s*\]|null|~)?\s*(#.*)?"
    lines = [line for line in text.splitlines() if not re.fullmatch(empty, line)]
    told = yaml.safe_dump({name: list(rows)}, sort_keys=False, allow_unicode=True)
    found = "\n".join(lines).rstrip() + f"\n\n{told}"
    left, before = _read("\n".join(lines)), _read(text)
    # A name that stands there in another way would stand there twice.
    if not isinstance(left, dict) or name in left or _read(found) != {**before, name: list(rows)}:
        raise ConfigError(f"{name} can't be written behind what is there; write there:\n{told}")
    return found


def _opens(line: str, block: str) -> bool:
    return re.fullmatch(rf"{re.escape(block)}:\s*(#.*)?", line) is not None


def _ends(line: str) -> bool:
    return bool(line) and not line[0].isspace() and not line.startswith("#")


def _changed(lines: list[str], keys: Mapping[str, Plain]) -> Iterator[str]:
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    space = " " * min((one for one in indents if one), default=2)
    new = dict(keys)
    filled = max((at for at, line in enumerate(lines, 1) if line.strip()), default=0)
    for line in lines[:filled]:
        name = next((one for one in keys if re.match(rf"{space}{re.escape(one)}:", line)), None)
        yield from [line] if name is None else _written({name: new.pop(name)}, space)
    yield from _written(new, space)
    yield from lines[filled:]


def _written(keys: Mapping[str, Plain], space: str) -> list[str]:
    return [
        space + yaml.safe_dump({name: value}, allow_unicode=True).strip()
        for name, value in keys.items()
    ]


def _wanted(text: str, block: str, keys: Mapping[str, Plain]) -> Any:
    before = yaml.safe_load(text) or {}
    return {**before, block: {**(before.get(block) or {}), **keys}}


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None

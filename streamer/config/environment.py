"""What a configuration takes from the environment: put in when it is read, never said again."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SHORTEST = 4
# Words of our own messages; who writes one of them into a variable has no secret there.
_OURS = {"streamer", "kafka", "triton", "tickets", "labels", "judge", "earliest", "latest", "true"}


@dataclass(frozen=True, slots=True)
class Environment:
    """The values of the variables that a file names, by the variables' names."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, file: Path) -> "Environment":
        """Those that are set; none where the file can't be read."""
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return cls()
        return cls({name: os.environ[name] for name in _names(text) if name in os.environ})

    def put_in(self, value: Any, where: str) -> Any:
        """A document with the values in place of `${NAME}`; raises `ConfigError` for unset ones."""
        if isinstance(value, dict):
            return {key: self.put_in(item, f"{where}: {key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self.put_in(item, where) for item in value]
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: self._value(match[1], where), value)
        return value

    def hide(self, text: str) -> str:
        """A text for people or machines without the values: they may be secrets.

        Values of less than four characters, and words such as kafka, are hidden in quotes only.
        """
        for form, name in sorted(self._forms(), key=lambda pair: -len(pair[0])):
            if len(form) >= _SHORTEST and form not in _OURS:
                text = text.replace(form, name)
            for quote in "'\"":
                text = text.replace(f"{quote}{form}{quote}", f"{quote}{name}{quote}")
        return text

    def _forms(self) -> Iterator[tuple[str, str]]:
        """Every way in which a value may stand in a text, with what is written for it."""
        for name, value in self.values.items():
            parts = [value, *re.split(r"[,\s]+", value)]
            forms = {form for part in parts for form in (part, repr(part)[1:-1], str(Path(part)))}
            yield from ((form, f"${{{name}}}") for form in forms if form not in ("", "."))

    def _value(self, name: str, where: str) -> str:
        if name not in self.values:
            raise ConfigError(f"{where}: the environment has no {name}; set it, or write the value")
        return self.values[name]


def _names(text: str) -> set[str]:
    return set(_VARIABLE.findall(text))

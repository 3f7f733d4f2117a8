"""What a test of the judge left for the page of an evaluation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError, in_words

JSON_FILE = "judge.json"

_SHOWN = ("told", "told_on", "choice", "chosen_on", "beside", "alone", "cascade", "missing")


def read_section(folder: Path) -> Mapping[str, Any] | None:
    """What the template of the section shows; None where no test was written to the folder.

    Raises `ConfigError` where the file is something else.
    """
    file = folder / JSON_FILE
    if not file.exists():
        return None
    try:
        report = orjson.loads(file.read_bytes())
        return {name: report[name] for name in _SHOWN}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{file} is no test of a judge ({in_words(error)}): remove it, or run "
            "`streamer judge --test` again"
        ) from None

"""Configuration files made for a test, and what is said about them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.config import Settings, load
from streamer.errors import ConfigError


def minimal() -> dict[str, Any]:
    return {
        "kafka": {"start": "earliest"},
        "tasks": {"intent": {"labels": ["a", "b"], "workers": ["intent_x", "intent_y"]}},
    }


def changed(dotted: str, value: Any) -> dict[str, Any]:
    raw = block = minimal()
    *blocks, last = dotted.split(".")
    for name in blocks:
        block = block.setdefault(name, {})
    block[last] = value
    return raw


def loaded(path: Path, raw: dict[str, Any], overrides: dict[str, str] | None = None) -> Settings:
    path.write_text(yaml.safe_dump(raw))
    return load(path, overrides)


def complaint(path: Path, raw: dict[str, Any], overrides: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(path, raw, overrides)
    return str(caught.value).replace(str(path), "FILE")

"""Records in files that nobody edits: each carries a hash of all that it says."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any, Protocol

import orjson


class Hashed(Protocol):
    """A dataclass with the version that `version_of` gives it."""

    @property
    def version(self) -> str: ...


def version_of(record: Any) -> str:
    """The hash of a dataclass, 16 hex digits."""
    return sha256(orjson.dumps(asdict(record))).hexdigest()[:16]


def hashed_json(record: Any) -> bytes:
    """A dataclass as JSON for the eye, its version first."""
    document = {"version": version_of(record), **asdict(record)}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def check_unchanged(record: Hashed, version: str) -> None:
    """Raises `ValueError` where a record that was read is not what was written as this version."""
    if record.version != version:
        raise ValueError(f"it was changed after it was made: {record.version}")

"""Records in a file: CSV or JSON lines, either of them also compressed."""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError


def rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a .csv or .jsonl file (or .gz of one) as they are, by column or field.

    Raises `ConfigError` where the file or one of its rows can't be read.
    """
    kind = "".join(path.suffixes[-2:]).removesuffix(".gz")
    if not kind.endswith((".csv", ".jsonl")):
        raise ConfigError(f"{path}: its name must end in .csv, .jsonl, .csv.gz or .jsonl.gz")
    content = io.StringIO(_content(path), newline="")
    if kind.endswith(".csv"):
        yield from csv.DictReader(content)
    else:
        yield from _json_rows(path, content)


def _json_rows(path: Path, lines: io.StringIO) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{path}: line {number} is no JSON: {error}; correct it") from None
        if not isinstance(row, dict):
            raise ConfigError(f"{path}: line {number} is no JSON object; give one per line")
        yield row


def _content(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise ConfigError(f"can't read {path}: {error}; check the path") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None

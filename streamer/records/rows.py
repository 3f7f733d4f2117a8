"""Records in a file: CSV or JSON lines, either of them also compressed."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError, in_words

_SEPARATORS = (",", ";", "\t", "|")
_LONGEST_CELL = 2**24

_Row = tuple[int, Mapping[str, Any]]


def rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a .csv or .jsonl file (or .gz of one) as they are, by column or field.

    Raises `ConfigError` with the line where the file or one of its rows can't be read whole: a row
    of a CSV file has as many cells as the header, separated by commas.
    """
    return (row for _, row in rows_by_line(path))


def rows_by_line(path: Path) -> Iterator[_Row]:
    """`rows`, each with the line of the file in which it begins, from 1 on."""
    kind = "".join(path.suffixes[-2:]).removesuffix(".gz")
    if not kind.endswith((".csv", ".jsonl")):
        raise ConfigError(f"{path}: its name must end in .csv, .jsonl, .csv.gz or .jsonl.gz")
    content = io.StringIO(_content(path), newline="")
    yield from (_csv_rows if kind.endswith(".csv") else _json_rows)(path, content)


def _csv_rows(path: Path, content: io.StringIO) -> Iterator[_Row]:
    records = _records(path, content)
    _, columns = next(records, (0, []))
    _check_header(path, columns)
    for line, cells in records:
        if len(cells) != len(columns):
            raise ConfigError(
                f"{path}: line {line}: {len(cells)} cells, and the header names {len(columns)}: "
                "put cells that hold a comma or a line break into double quotes"
            )
        yield line, dict(zip(columns, cells, strict=True))


def _records(path: Path, content: io.StringIO) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record that has any, with the line where it begins."""
    csv.field_size_limit(_LONGEST_CELL)
    # Not strict, a quote that is never closed would take all rows behind it into its cell.
    reader = csv.reader(content, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ConfigError(
                f"{path}: line {line}: a double quote is never closed, or more follows where it is "
                f"({error}): close it, and write one that belongs to a quoted cell twice"
            ) from None
        if len(cells) > 1 or any(map(str.strip, cells)):
            yield line, cells


def _check_header(path: Path, columns: Sequence[str]) -> None:
    header = ",".join(columns)
    if "\0" in header:
        raise ConfigError(f"{path}: line 1 has NUL characters, as UTF-16 has: save it as UTF-8")
    given = re.fullmatch(r"sep=(.)", header, re.IGNORECASE)
    separator = given[1] if given else max(_SEPARATORS, key=header.count)
    if given or separator != ",":
        raise ConfigError(
            f"{path}: line 1 has its cells separated by {separator!r}: save the file with commas, "
            "and with the names of the columns in its first line"
        )
    if doubles := sorted({name for name in columns if columns.count(name) > 1}):
        raise ConfigError(f"{path}: line 1 names column {doubles[0]!r} twice; rename one")


def _json_rows(path: Path, lines: io.StringIO) -> Iterator[_Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{path}: line {number} is no JSON: {error}; correct it") from None
        if not isinstance(row, dict):
            raise ConfigError(f"{path}: line {number} is no JSON object; give one per line")
        yield number, row


def _content(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"can't read {path}: {in_words(error)}; check the path") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None

"""The log as a Parquet file, one row per record."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from streamer.errors import ConfigError, in_words
from streamer.records.log import AnswerLog, BallotLog, Log, VerdictLog, log_from_json

_TEXT = (
    "kind", "decision_id", "ticket_id", "task", "label_set", "at", "purpose", "label", "source",
    "candidate", "deferred", "calibration", "judge", "published", "missing", "reviewer",
    "mode",
)  # fmt: skip
_FLAGS = ("uniform", "suspended", "final", "gold", "truncated")
_NESTED = ("position", "ballot", "rule", "after", "shadows", "segment")
_FORMAT = b"1"

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _TEXT),
        *((name, pa.bool_()) for name in _FLAGS),
        ("confidence", pa.float64()),
        ("coverage", pa.float64()),
        ("served", pa.int32()),
        ("vector", pa.list_(pa.float64())),
        *((name, pa.string()) for name in _NESTED),
    ],
    metadata={"streamer.log": _FORMAT},
)
"""A column for every field of the three kinds of records, null where a kind has no such field.

position, ballot, rule, after, shadows and segment are JSON, as they are on the topic. Columns may
be added; none is renamed or changes its type within a format number.
"""

_FIELDS = {
    kind.__dataclass_fields__["kind"].default: {
        field.name: field.default is not MISSING for field in fields(kind)
    }
    for kind in (BallotLog, VerdictLog, AnswerLog)
}
"""By kind: its fields, and whether each has a default."""

_AT_ONCE = 5000


class LogWriter:
    """Writes a log file; use it as a context manager.

    The file takes its name only when all is written, so that nobody reads half of one. Raises
    `ConfigError` where it can't be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f".{path.name}.unfinished")
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> "LogWriter":
        try:
            self._file = pq.ParquetWriter(self._unfinished, SCHEMA, compression="zstd")
        except OSError as error:
            raise ConfigError(
                f"can't write {self._path}: {in_words(error)}; name another file"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._file.close()
            if kind is None:
                self._unfinished.replace(self._path)
            else:
                self._unfinished.unlink()

    def add(self, value: bytes) -> None:
        """Take a record as it is on the topic.

        Raises `ValueError`, `TypeError` or `KeyError` when it is no log record.
        """
        log_from_json(value)
        raw = orjson.loads(value)
        there = [name for name in _NESTED if raw.get(name) is not None]
        nested = {name: orjson.dumps(raw[name]).decode() for name in there}
        self._rows.append(raw | nested)
        if len(self._rows) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._file.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
        self._rows.clear()


def read_log(path: Path) -> Iterator[Log]:
    """The records of a file that `LogWriter` wrote, in their order.

    Raises `ConfigError` where the file can't be read or is none of these.
    """
    try:
        with pq.ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {}).get(b"streamer.log") != _FORMAT:
                raise ConfigError(f"{path}: no log of this format; run `streamer log export` again")
            for batch in file.iter_batches(_AT_ONCE):
                for row in batch.to_pylist():
                    yield _record(row)
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError) as error:
        reason = in_words(error).splitlines()[0]
        raise ConfigError(
            f"{path}: can't be read as a log ({reason}); write it by `streamer log export`"
        ) from None


def _record(row: dict[str, Any]) -> Log:
    # A field that was added later is null in what was written before, or has no column there.
    filled = {
        name: row[name]
        for name, defaulted in _FIELDS[row["kind"]].items()
        if not (defaulted and row.get(name) is None)
    }
    for name in _NESTED:
        if filled.get(name) is not None:
            filled[name] = orjson.Fragment(filled[name])
    return log_from_json(orjson.dumps(filled))

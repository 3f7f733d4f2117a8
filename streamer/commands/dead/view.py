"""Shows dead letters: as a list, or one with all that it holds."""

import asyncio
import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from streamer.commands.dead.selection import Selection
from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.records.dead_letter import original
from streamer.records.fetched import printable
from streamer.services.inspect.letters import Letter, LetterPosition, Letters, collect, letter_of
from streamer.services.runtime.kafka import kafka_clients
from streamer.stream.handler import Record
from streamer.stream.reading import Reader
from streamer.terminal import cell, clean, local, note, paint, tell, tell_json

SHOWN = 4000
HEADER = (
    f"{'place':<10}  {'died':<19}  {'reason':<18}  {'task':<12}  {'came from':<28}  "
    f"{'tries':>5}  {'bytes':>8}  {'key':<20}  error"
)


def list_letters(settings: Settings, selection: Selection, everything: bool, as_json: bool) -> int:
    """Write the selected letters, oldest first; those that are done with only for `everything`."""
    letters = asyncio.run(_letters(settings))
    chosen = sorted(
        selection.of(letters.found),
        key=lambda letter: (letter.timestamp, letter.partition, letter.offset),
    )
    shown = [letter for letter in chosen if everything or letter.handled is None]
    if as_json:
        for letter in shown:
            tell_json(letter.to_dict())
        return 0
    if shown:
        tell(paint(HEADER, "bold"))
    for letter in shown:
        tell(line(letter))
    for remark in _summary(shown, len(chosen) - len(shown), letters.strange):
        note(remark)
    return 0


def show(
    settings: Settings, position: LetterPosition, as_json: bool, out: Path | None = None
) -> int:
    """Write one letter whole, and to the file `out` its value alone, byte for byte.

    Raises `ConfigError` where there is none, or the file can't be written.
    """
    record = asyncio.run(_record(settings, position))
    try:
        if record is None:
            raise KeyError
        letter = letter_of(record)
    except (KeyError, ValueError):
        raise ConfigError(
            f"no dead letter at {position[0]}:{position[1]}: `streamer dead list` names them"
        ) from None
    if out is not None:
        _write(out, record.value or b"")
    if as_json:
        tell_json(letter.to_dict() | {"headers": _headers(record), **_value(record.value)})
    else:
        tell("\n".join(_page(letter, record)))
    return 0


def _write(out: Path, value: bytes) -> None:
    try:
        out.write_bytes(value)
    except OSError as error:
        raise ConfigError(f"can't write {out}: {error.strerror}; correct --out") from None
    note(f"wrote {len(value)} bytes to {out}")


def line(letter: Letter) -> str:
    """One aligned line for a terminal, whatever a record holds."""
    died = local(letter.timestamp).strftime("%Y-%m-%d %H:%M:%S")
    key = "" if letter.key is None else letter.key.decode("utf-8", "replace")
    handled = f"{letter.handled}; " if letter.handled else ""
    return (
        f"{letter.place:<10}  {died}  {cell(letter.letter.reason, 18)}  "
        f"{cell(letter.task or '-', 12)}  {cell(letter.origin, 28)}  {letter.letter.attempt:>5}  "
        f"{letter.size:>8}  {cell(key, 20)}  {handled}{clean(letter.letter.error)[:100]}"
    )


async def _letters(settings: Settings) -> Letters:
    topic = settings.topics.dead
    async with Reader.of(kafka_clients(settings.kafka), [topic]) as reader:
        return await collect(reader, topic)


async def _record(settings: Settings, position: LetterPosition) -> Record | None:
    topic = settings.topics.dead
    async with Reader.of(kafka_clients(settings.kafka), [topic]) as reader:
        return await reader.record(TopicPartition(topic, position[0]), position[1])


def _summary(shown: Sequence[Letter], hidden: int, strange: int) -> Iterator[str]:
    yield f"{len(shown)} dead letter{'' if len(shown) == 1 else 's'}"
    if hidden:
        yield f"{hidden} more were replayed or dropped: --all shows them"
    if strange:
        yield f"{strange} records on the topic are no dead letters of this release"


def _page(letter: Letter, record: Record) -> Iterator[str]:
    died = letter.letter
    yield f"{paint('letter', 'bold')}   {letter.place}, at {clean(died.at)}"
    yield f"{paint('reason', 'bold')}   {clean(died.reason)}: {clean(died.error)}"
    yield f"{paint('from', 'bold')}     {clean(letter.origin)}"
    yield f"{paint('replayed', 'bold')} {died.attempt} times before it died"
    if letter.task is not None:
        yield f"{paint('task', 'bold')}     {clean(letter.task)}"
    yield f"{paint('key', 'bold')}      {_shown(record.key)}"
    for name, value in original(record.headers):
        yield f"{paint('header', 'bold')}   {clean(printable(name))}: {_shown(value)}"
    size = f"{letter.size} bytes"
    if died.truncated:
        size += f", cut; the whole had sha256 {died.sha256}, and can't be replayed"
    yield f"{paint('value', 'bold')}    {size}"
    yield _shown(record.value, keep="\n")


def _shown(raw: bytes | None, keep: str = "") -> str:
    if raw is None:
        return "(none: a deletion)" if keep else "(none)"
    text = clean(raw[: 4 * SHOWN].decode("utf-8", "replace"), keep)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _headers(record: Record) -> list[dict[str, Any]]:
    return [{"name": printable(name), **_value(value)} for name, value in original(record.headers)]


def _value(raw: bytes | None) -> dict[str, Any]:
    """Bytes for JSON: as text where they are UTF-8, else as base64."""
    if raw is None:
        return {"value": None}
    try:
        return {"value": raw.decode()}
    except UnicodeDecodeError:
        return {"value_base64": base64.b64encode(raw).decode()}

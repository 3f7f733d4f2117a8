"""What the demo plays: the tasks' test tickets, and some records that nobody can process."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import orjson

from streamer.commands.send import tickets
from streamer.config import Settings
from streamer.config.tasks import Data, Task
from streamer.errors import ConfigError
from streamer.learn.data.examples import as_pointer, is_held_back
from streamer.records.pointers import find
from streamer.records.rows import rows

Fate = Literal["labels", "dead", "deleted"]

_BROKEN_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One record for the tickets topic, and what has to become of it.

    `gold` holds the right label of every task that applies to it. Equal only to itself: two
    records may well be alike.
    """

    key: bytes
    value: bytes | None
    fate: Fate
    gold: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


def test_tickets(settings: Settings) -> list[Played]:
    """Every labelled ticket of the tasks' test data with its gold labels, in the files' order.

    Tasks with the same file share its tickets; a field that a task's `when` asks for is set where
    the rows lack it, so that each ticket says where it comes from. Raises `ConfigError` where a
    task has no test data.
    """
    played: list[Played] = []
    for path, tasks in _by_file(settings, attrgetter("test")).items():
        played += _of_file(settings, path, tasks)
    return played


def held_back_tickets(settings: Settings) -> list[Played]:
    """As `test_tickets`, those that no model has learnt from, to calibrate on."""
    played: list[Played] = []
    for path, tasks in _by_file(settings, _to_calibrate).items():
        shares = {task.data.held_back for task in tasks.values() if task.data and _cut(task.data)}
        played += [
            ticket
            for ticket in _of_file(settings, path, tasks)
            if not shares or is_held_back(ticket.text.strip("\n"), min(shares))
        ]
    return played


def with_broken(played: Sequence[Played], id_pointer: str, seed: int) -> list[Played]:
    """The same in random order, with about one broken record in a hundred."""
    kinds = list(_broken(id_pointer))
    broken = max(len(kinds), round(_BROKEN_SHARE * len(played)))
    mixed = [*played, *(kinds[number % len(kinds)](number) for number in range(broken))]
    random.Random(seed).shuffle(mixed)
    return mixed


def _by_file(
    settings: Settings, file: Callable[[Data], Path | None]
) -> dict[Path, dict[str, Task]]:
    files: dict[Path, dict[str, Task]] = {}
    for name, task in settings.tasks.items():
        path = None if task.data is None else file(task.data)
        if path is None:
            raise ConfigError(f"tasks.{name}.data.test: the demo plays it, so name a file")
        files.setdefault(settings.path(path), {})[name] = task
    return files


def _to_calibrate(data: Data) -> Path:
    return data.calibrate or data.train


def _cut(data: Data) -> bool:
    return data.calibrate is None


def _of_file(settings: Settings, path: Path, tasks: Mapping[str, Task]) -> Iterator[Played]:
    columns = {name: str(task.data.label) for name, task in tasks.items() if task.data}
    gold = []
    bare = []
    for row in rows(path):
        labels = {name: find(row, as_pointer(column)) for name, column in columns.items()}
        gold.append({name: str(label) for name, label in labels.items() if label})
        kept = {key: value for key, value in row.items() if key not in columns.values()}
        bare.append(_placed(kept, tasks.values()))
    for (ticket_id, value), right, row in zip(
        tickets(bare, settings.input.id), gold, bare, strict=True
    ):
        if right:
            yield Played(ticket_id.encode(), value, "labels", right, _text(row, settings))


def _placed(row: Mapping[str, Any], tasks: Iterable[Task]) -> dict[str, Any]:
    fields = dict(row)
    for task in tasks:
        if task.when is not None and task.when.field is not None:
            fields.setdefault(task.when.field.removeprefix("/"), task.when.values[0])
    return fields


def _text(row: Mapping[str, Any], settings: Settings) -> str:
    """The text as classify reads it."""
    parts = [find(row, pointer) for pointer in settings.input.text]
    return "\n".join(part for part in parts if isinstance(part, str))


def _broken(id_pointer: str) -> Iterator[Any]:
    name = id_pointer.removeprefix("/")

    def dead(stem: str, value: bytes) -> Any:
        return lambda number: Played(f"{stem}-{number}".encode(), value, "dead")

    yield dead("not-utf-8", b'{"' + name.encode() + b'": "x", "text": "caf\xe9"}')
    yield dead("not-json", b'{"text": "the end is miss')
    yield dead("no-id", orjson.dumps({"text": "My order has not arrived.", "subject": "Order"}))
    yield dead("no-text", orjson.dumps({name: "empty", "text": "  ", "subject": None}))
    yield dead("a-list", b"[1, 2, 3]")
    yield lambda number: Played(f"deleted-{number}".encode(), None, "deleted")
